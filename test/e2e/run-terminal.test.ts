/** Containers on a terminal: `run -it` and `exec -it` typed at through a pseudo-terminal, its size, its keys. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import path from "node:path";
import { after, suite, test } from "node:test";
import { createSandbox } from "./sandbox.ts";
import { noTerminals as skip, patienceMs, Terminal } from "./terminal.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

/** Gives the terminal of the program that has this word in its command line another size. */
function resizeTerminal(word: string): void {
  const pid = readdirSync("/proc").find((name) => /^\d+$/.test(name) && isProgram(name, word));
  assert.ok(pid !== undefined, "the program is not there");
  assert.equal(spawnSync("stty", ["-F", readlinkSync(`/proc/${pid}/fd/0`), "rows", "20", "cols", "60"]).status, 0);
}

function isProgram(pid: string, word: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return words.includes(word) && words[0]?.endsWith("node") === true;
  } catch {
    return false;
  }
}

const waitForSize = 'until [ "$(stty size)" = "20 60" ]; do sleep 0.05; done; echo re""sized; exit 4\n';

suite("on a terminal", { skip }, () => {
  test("run -it: a shell with its own terminal; its exit code is ours", async () => {
    using terminal = new Terminal(sandbox, "run", "-it", "--rm", "busybox", "sh");
    await terminal.expect(/# /);
    terminal.type("tty; echo a$((1+1))b\n");
    await terminal.expect(/\/dev\/pts\/0\s+a2b/);
    terminal.type("exit 7\n");
    assert.equal(await terminal.ended(), 7);
  });

  test("run -it: the size at the start, and when it changes", async () => {
    const name = `sized-${process.pid}`;
    using terminal = new Terminal(sandbox, "run", "-it", "--rm", "--name", name, "busybox", "sh");
    await terminal.expect(/# /);
    terminal.type("stty size\n");
    await terminal.expect(/33 99/);
    resizeTerminal(name);
    terminal.type(waitForSize);
    await terminal.expect(/resized/);
    assert.equal(await terminal.ended(), 4);
  });

  test("run -it: Ctrl-C reaches the program as its key", async () => {
    using terminal = new Terminal(sandbox, "run", "-it", "--rm", "busybox", "sh", "-c", 'trap "exit 9" INT; echo rea""dy; while :; do sleep 0.05; done');
    await terminal.expect(/ready/);
    terminal.type("\u0003");
    assert.equal(await terminal.ended(), 9);
  });

  test("exec -it: its own terminal, size, resizing, exit code", async () => {
    const name = `entered-${process.pid}`;
    await sandbox.ok(["run", "-d", "--name", name, "busybox", "sleep", "1000"]);
    using terminal = new Terminal(sandbox, "exec", "-it", name, "sh");
    await terminal.expect(/# /);
    terminal.type("stty size; tty\n");
    await terminal.expect(/33 99\s+\/dev\/pts\/\d/);
    resizeTerminal(name);
    terminal.type(waitForSize);
    await terminal.expect(/resized/);
    assert.equal(await terminal.ended(), 4);
    await sandbox.ok(["rm", "-f", name]);
  });

  test("run -it: what the container's terminal writes comes as it is", async () => {
    using terminal = new Terminal(sandbox, "run", "-it", "--rm", "busybox", "printf", "a\\nb\\n");
    await terminal.expect(/a\r\nb\r\n/);
    assert.equal(await terminal.ended(), 0);
  });

  test("Ctrl-P Ctrl-Q leaves a run and an attach; the container goes on, and its exit code comes to whom stays", async () => {
    const name = `detached-${process.pid}`;
    using first = new Terminal(sandbox, "run", "-it", "--name", name, "busybox", "sh");
    await first.expect(/# /);
    first.type("\u0010\u0011");
    assert.equal(await first.ended(), 0);
    assert.equal(await sandbox.ok(["inspect", "-f", "{{.State.Running}}", name]), "true");
    using second = new Terminal(sandbox, "attach", "--detach-keys", "ctrl-a,z", name);
    second.type("echo a$((1+1))b\n");
    await second.expect(/a2b/);
    second.type("\u0001z");
    await second.expect(/read escape sequence/);
    assert.equal(await second.ended(), 1);
    using third = new Terminal(sandbox, "attach", name);
    third.type("exit 5\n");
    assert.equal(await third.ended(), 5);
    const stopped = await sandbox.call(["attach", name]);
    assert.deepEqual([stopped.code, stopped.stderr], [1, "You cannot attach to a stopped container, start it first\n"]);
    using fourth = new Terminal(sandbox, "start", "-ai", name);
    await fourth.expect(/# /);
    fourth.type("exit 6\n");
    assert.equal(await fourth.ended(), 6);
    await sandbox.ok(["rm", name]);
  });

  test("keys leave an exec, whose process goes on; nothing of it is left when it ends", async () => {
    const name = `exec-left-${process.pid}`;
    const id = await sandbox.ok(["run", "-d", "--name", name, "busybox", "sleep", "1000"]);
    using terminal = new Terminal(sandbox, "exec", "-it", name, "sh", "-c", "echo here; while [ ! -e /end ]; do sleep 0.05; done");
    await terminal.expect(/here/);
    terminal.type("\u0010\u0011");
    await terminal.expect(/read escape sequence/);
    assert.equal(await terminal.ended(), 1);
    const sessions = path.join(sandbox.store, "containers", id, "execs");
    assert.equal(readdirSync(sessions).length, 1);
    await sandbox.ok(["exec", name, "touch", "/end"]);
    for (const endMs = Date.now() + patienceMs; readdirSync(sessions).length > 0;) assert.ok(Date.now() < endMs, "the session stays");
    await sandbox.ok(["rm", "-f", name]);
  });

  test("keys that are none are refused", async () => {
    using terminal = new Terminal(sandbox, "run", "-it", "--rm", "--detach-keys", "foo", "busybox", "true");
    await terminal.expect(/Invalid escape keys \(foo\) provided/);
    assert.equal(await terminal.ended(), 1);
  });

  test("the container outlives a terminal that is torn down", async () => {
    const name = `left-${process.pid}`;
    using terminal = new Terminal(sandbox, "run", "-it", "--name", name, "busybox", "sh", "-c", "echo here; exec sleep 1000");
    await terminal.expect(/here/);
    terminal[Symbol.dispose]();
    assert.equal(await sandbox.ok(["inspect", "-f", "{{.State.Running}}", name]), "true");
    await sandbox.ok(["rm", "-f", name]);
  });

  test("-t is refused without a terminal, in Docker's words", async () => {
    const outcome = await sandbox.call(["run", "-it", "--rm", "busybox", "true"]);
    assert.deepEqual([outcome.code, /the input device is not a TTY/.test(outcome.stderr)], [1, true], outcome.stderr);
  });
});
