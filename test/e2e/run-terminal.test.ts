/** Containers on a terminal: `run -it` and `exec -it` typed at through a pseudo-terminal, its size, its keys. */
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { after, suite, test } from "node:test";
import { createSandbox, slipwayPath } from "./sandbox.ts";

const skip = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") === true ? false : "needs script of util-linux";
const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const patienceMs = 15_000;

/** bin/slipway on a pseudo-terminal of 33 rows and 99 columns. */
class Terminal {
  readonly #child: ChildProcess;
  #output = "";

  constructor(...args: readonly string[]) {
    const command = `stty rows 33 cols 99; exec ${[slipwayPath, ...args].map((word) => `'${word}'`).join(" ")}`;
    this.#child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      cwd: sandbox.directory,
      env: { ...sandbox.env, SHELL: "/bin/sh" },
      stdio: "pipe",
    });
    this.#child.stdout?.on("data", (chunk: Buffer) => (this.#output += chunk.toString()));
  }

  type(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Waits for it to appear, and forgets everything up to its end. */
  async expect(text: RegExp): Promise<void> {
    const endMs = Date.now() + patienceMs;
    for (let match = text.exec(this.#output); ; match = text.exec(this.#output)) {
      if (match !== null) {
        this.#output = this.#output.slice(match.index + match[0].length);
        return;
      }
      assert.ok(Date.now() < endMs && this.#child.exitCode === null, `never came: ${text}, but: ${JSON.stringify(this.#output)}`);
      await once(this.#child.stdout ?? this.#child, "data", { signal: AbortSignal.timeout(patienceMs) });
    }
  }

  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null) await once(this.#child, "exit", { signal: AbortSignal.timeout(patienceMs) });
    return this.#child.exitCode;
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

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
    using terminal = new Terminal("run", "-it", "--rm", "busybox", "sh");
    await terminal.expect(/# /);
    terminal.type("tty; echo a$((1+1))b\n");
    await terminal.expect(/\/dev\/pts\/0\s+a2b/);
    terminal.type("exit 7\n");
    assert.equal(await terminal.ended(), 7);
  });

  test("run -it: the size at the start, and when it changes", async () => {
    const name = `sized-${process.pid}`;
    using terminal = new Terminal("run", "-it", "--rm", "--name", name, "busybox", "sh");
    await terminal.expect(/# /);
    terminal.type("stty size\n");
    await terminal.expect(/33 99/);
    resizeTerminal(name);
    terminal.type(waitForSize);
    await terminal.expect(/resized/);
    assert.equal(await terminal.ended(), 4);
  });

  test("run -it: Ctrl-C reaches the program as its key", async () => {
    using terminal = new Terminal("run", "-it", "--rm", "busybox", "sh", "-c", 'trap "exit 9" INT; echo rea""dy; while :; do sleep 0.05; done');
    await terminal.expect(/ready/);
    terminal.type("\u0003");
    assert.equal(await terminal.ended(), 9);
  });

  test("exec -it: its own terminal, size, resizing, exit code", async () => {
    const name = `entered-${process.pid}`;
    await sandbox.ok(["run", "-d", "--name", name, "busybox", "sleep", "1000"]);
    using terminal = new Terminal("exec", "-it", name, "sh");
    await terminal.expect(/# /);
    terminal.type("stty size; tty\n");
    await terminal.expect(/33 99\s+\/dev\/pts\/\d/);
    resizeTerminal(name);
    terminal.type(waitForSize);
    await terminal.expect(/resized/);
    assert.equal(await terminal.ended(), 4);
    await sandbox.ok(["rm", "-f", name]);
  });

  test("the container outlives a terminal that is torn down", async () => {
    const name = `left-${process.pid}`;
    using terminal = new Terminal("run", "-it", "--name", name, "busybox", "sh", "-c", "echo here; exec sleep 1000");
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
