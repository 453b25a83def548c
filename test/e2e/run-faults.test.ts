/** Containers under stress: many at once, killed parts, refused starts. The truth is told and nothing is left behind. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { after, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "./free-port.ts";
import { listProcesses, readText, type Process } from "./processes.ts";
import { createSandbox, slipwayPath } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const deadlineMs = 60_000;

/** Asks until it is so: what the machine does takes its time. */
async function eventually(what: string, isSo: () => boolean): Promise<void> {
  for (const endMs = Date.now() + deadlineMs; !isSo(); await delay(20)) assert.ok(Date.now() < endMs, `never: ${what}`);
}

/** Of this suite: the store's path or a container's id stands in the command line, or the container's own marker. */
function processes(...marks: readonly string[]): readonly Process[] {
  return listProcesses().filter(({ words }) => marks.some((mark) => words.includes(mark)));
}

/** An argument of `sleep` that no other process on the machine has. */
const marker = `7${process.pid}${String(Date.now()).slice(-4)}`;

async function checkNothingLeft(): Promise<void> {
  const ids = (await sandbox.ok(["ps", "-aq"])).split("\n").filter((id) => id !== "");
  if (ids.length > 0) await sandbox.ok(["rm", "-f", ...ids]);
  assert.deepEqual(readdirSync(path.join(sandbox.store, "containers")), []);
  assert.deepEqual(readdirSync(path.join(sandbox.store, "volumes")), []);
  assert.equal(readText("/proc/1/mounts").includes(sandbox.directory), false, "a mount in the host's table");
  await eventually("no process left", () => processes(sandbox.store, `sleep ${marker}`).length === 0);
}

/** A test that removes its containers, and proves that nothing else is left of them. */
function scenario(name: string, act: (context: TestContext) => Promise<void>): void {
  test(name, async (context) => {
    context.after(checkNothingLeft);
    await act(context);
  });
}

const monitorOf = (id: string): Process => {
  const found = processes(id).find(({ words }) => words.includes("conmon "));
  assert.ok(found !== undefined, "no monitor");
  return found;
};
const status = (name: string): Promise<string> => sandbox.ok(["inspect", "-f", "{{.State.Status}} {{.State.ExitCode}}", name]);

scenario("fifty at once: all up, all removed", async () => {
  const names = Array.from({ length: 50 }, (_, at) => `many${at}`);
  await Promise.all(names.map((name) => sandbox.ok(["run", "-d", "--name", name, "busybox", "sleep", marker])));
  assert.deepEqual((await sandbox.ok(["ps", "--format", "{{.Names}}"])).split("\n").toSorted(), names.toSorted());
  assert.equal(processes(`sleep ${marker}`).filter(({ words }) => words.startsWith("sleep")).length, 50);
  assert.deepEqual((await sandbox.ok(["rm", "-f", ...names])).split("\n"), names);
  assert.equal(await sandbox.ok(["ps", "-aq"]), "");
});

scenario("stopped and started again and again: the end of one run leaves the next alone", async () => {
  await sandbox.ok(["run", "-d", "--name", "again", "busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.05; done"]);
  for (let round = 0; round < 5; round++) {
    // a second at most: the signal may come before the shell has its trap
    await sandbox.ok(["stop", "-t", "1", "again"]);
    await sandbox.ok(["start", "again"]);
  }
  // the last exit command has come and gone
  await eventually("no exit command", () => processes("on-exit.ts").every(({ words }) => !words.includes(sandbox.store) || words.includes("conmon ")));
  assert.equal(await status("again"), "running 0");
  assert.equal(await sandbox.ok(["exec", "again", "echo", "here"]), "here");
});

scenario("kill -9 of the monitor: the container is still there, then it is not", async () => {
  const id = await sandbox.ok(["run", "-d", "-p", "127.0.0.1::80", "--name", "lost", "busybox", "sleep", marker]);
  process.kill(monitorOf(id).pid, "SIGKILL");
  assert.equal(await status("lost"), "running 0");
  assert.equal(await sandbox.ok(["exec", "lost", "echo", "in"]), "in");
  process.kill(Number(await sandbox.ok(["inspect", "-f", "{{.State.Pid}}", "lost"])), "SIGKILL");
  await eventually("its process is gone", () => processes(`sleep ${marker}`).length === 0);
  assert.match(await sandbox.ok(["ps", "-a", "--format", "{{.Status}}"]), /^Exited \(255\) /);
  assert.deepEqual(processes(id.slice(0, 12)), []);
  await sandbox.ok(["start", "lost"]);
  assert.equal(await status("lost"), "running 0");
});

scenario("after a boot the truth is told, and system start starts what policies want", async () => {
  const port = await freePort();
  const policies = ["always", "unless-stopped", "on-failure", "no"];
  for (const name of policies) await sandbox.ok(["run", "-d", "--restart", name, "--name", name, "busybox", "sleep", marker]);
  await sandbox.ok(["run", "-d", "--restart", "unless-stopped", "--name", "halted", "busybox", "sleep", marker]);
  await sandbox.ok(["stop", "-t", "0", "halted"]);
  await sandbox.ok(["run", "-d", "--restart", "always", "--name", "portless", "-p", `127.0.0.1:${port}:80`, "busybox", "sleep", marker]);
  await sandbox.ok(["create", "--restart", "always", "--name", "fresh", "busybox", "sleep", marker]);
  for (const { pid, words } of processes(sandbox.store)) if (words.includes("conmon ")) process.kill(pid, "SIGKILL");
  for (const { pid } of processes(`sleep ${marker}`)) process.kill(pid, "SIGKILL");
  await eventually("nothing runs", () => processes(`sleep ${marker}`).length === 0);
  assert.equal(await status("always"), "exited 255");
  await sandbox.ok(["ps", "-a"]);
  await using server = createServer().listen(port, "127.0.0.1");
  await once(server, "listening");
  const started = await sandbox.call(["system", "start"]);
  assert.equal(started.stdout, "always\nunless-stopped\non-failure\n");
  assert.match(started.stderr, /\nError: failed to start containers: portless\n$/);
  assert.equal(started.code, 1);
  assert.equal(await sandbox.ok(["ps", "--format", "{{.Names}}"]), "on-failure\nunless-stopped\nalways");
  assert.equal(await status("fresh"), "created 0");
  await sandbox.ok(["rm", "-f", "portless"]);
  assert.equal(await sandbox.ok(["system", "start"]), "");
});

scenario("kill -9 of the monitor of a --rm container: it goes when somebody looks", async () => {
  const id = await sandbox.ok(["run", "-d", "--rm", "-v", "/data", "busybox", "sleep", marker]);
  const pid = Number(await sandbox.ok(["inspect", "-f", "{{.State.Pid}}", id]));
  process.kill(monitorOf(id).pid, "SIGKILL");
  process.kill(pid, "SIGKILL");
  await eventually("its process is gone", () => processes(`sleep ${marker}`).length === 0);
  assert.equal(await sandbox.ok(["ps", "-aq"]), "");
});

scenario("kill -9 of the container's process: 137, and nothing is left running", async () => {
  const id = await sandbox.ok(["run", "-d", "--name", "shot", "busybox", "sleep", marker]);
  process.kill(Number(await sandbox.ok(["inspect", "-f", "{{.State.Pid}}", "shot"])), "SIGKILL");
  assert.equal(await sandbox.ok(["wait", "shot"]), "137");
  assert.equal(await status("shot"), "exited 137");
  await eventually("its monitor has ended", () => processes(id).length === 0);
});

scenario("kill -9 of `run` in the foreground: the container goes on, and --rm holds", async () => {
  const child = spawn(slipwayPath, ["run", "--rm", "--name", "orphan", "-v", "/data", "busybox", "sh", "-c", `echo up; sleep ${marker}`], {
    cwd: sandbox.directory,
    env: sandbox.env,
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(await status("orphan"), "running 0");
  await sandbox.ok(["kill", "orphan"]);
  await sandbox.until(["ps", "-aq"], "");
});

scenario("kill -9 of `run` at any moment of its start leaves no process of a container that is not running", async () => {
  for (const afterMs of [150, 200, 230, 260, 300]) {
    const child = spawn(slipwayPath, ["run", "-d", "--name", `at${afterMs}`, "busybox", "sleep", marker], {
      cwd: sandbox.directory,
      env: sandbox.env,
      stdio: "ignore",
    });
    await delay(afterMs);
    child.kill("SIGKILL");
  }
  const sleepers = (): number => processes(`sleep ${marker}`).filter(({ words }) => words.startsWith("sleep")).length;
  const running = async (): Promise<number> => (await sandbox.ok(["ps", "-q"])).split("\n").filter((id) => id !== "").length;
  let told = await running();
  for (
    const endMs = Date.now() + deadlineMs;
    told !== sleepers() || processes("conmon --cid").filter(({ words }) => words.includes(sandbox.store)).length !== told;
    told = await running()
  ) {
    assert.ok(Date.now() < endMs, `${told} are told to run, ${sleepers()} do`);
  }
  await sandbox.ok(["system", "prune", "-f"]);
});

/** By its control group, where it has one, or by a signal. */
function isHeld(id: string, pid: number): boolean {
  const group = (file: string): string => readText(`/sys/fs/cgroup/${file}`);
  return (
    group(`freezer/slipway/${id}/freezer.state`) === "FROZEN\n" ||
    group(`slipway/${id}/cgroup.events`).includes("frozen 1") ||
    /^State:\tT/m.test(readText(`/proc/${pid}/status`))
  );
}

scenario("kill -9 of `commit`: what it held goes on, what somebody paused does not", async () => {
  const big = `truncate -s 400000000 /big; exec sleep ${marker}`;
  const id = await sandbox.ok(["run", "-d", "--name", "written", "busybox", "sh", "-c", big]);
  await eventually("all is written", () => processes(`sleep ${marker}`).some(({ words }) => words.startsWith("sleep")));
  const pid = Number(await sandbox.ok(["inspect", "-f", "{{.State.Pid}}", "written"]));
  const commit = spawn(slipwayPath, ["commit", "written", "made"], { cwd: sandbox.directory, env: sandbox.env, stdio: "ignore" });
  await eventually("it is held", () => isHeld(id, pid));
  commit.kill("SIGSTOP");
  assert.equal(await status("written"), "paused 0");
  commit.kill("SIGKILL");
  await once(commit, "exit");
  await eventually("it goes on without anybody's word", () => !isHeld(id, pid));
  assert.equal(await status("written"), "running 0");
  assert.equal(await sandbox.ok(["exec", "written", "echo", "in"]), "in");
  await sandbox.ok(["exec", "written", "rm", "/big"]);
  await sandbox.ok(["pause", "written"]);
  await sandbox.ok(["commit", "written", "made"]);
  assert.equal(await status("written"), "paused 0");
  assert.ok(isHeld(id, pid));
  await sandbox.ok(["rmi", "made"]);
});

scenario("--rm with everybody removing at once is quiet and complete", async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 6 }, () => sandbox.call(["run", "--rm", "-v", "/data", "busybox", "sh", "-c", "seq 2000; echo end >&2; exit 3"])),
  );
  for (const { code, stdout, stderr } of outcomes) assert.deepEqual([code, stdout.length, stderr], [3, 8893, "end\n"]);
  assert.equal(await sandbox.ok(["ps", "-aq"]), "");
});

const refused: readonly { readonly name: string; readonly args: readonly string[]; readonly code: number; readonly words: RegExp }[] = [
  {
    name: "name taken",
    args: ["--name", "holder", "-v", "/data", "busybox", "true"],
    code: 125,
    words:
      /Conflict\. The container name "\/holder" is already in use by container "[0-9a-f]{64}"\. You have to remove \(or rename\) that container to be able to reuse that name\./,
  },
  { name: "port taken", args: ["-p", "127.0.0.1:PORT:80", "busybox", "true"], code: 125, words: /Bind for 127\.0\.0\.1:\d+ failed: port is already allocated/ },
  {
    name: "missing command",
    args: ["busybox", "nosuch"],
    code: 127,
    words: /OCI runtime create failed: .*exec: "nosuch": executable file not found in \$PATH/,
  },
  { name: "missing path", args: ["busybox", "/nosuch"], code: 127, words: /exec: "\/nosuch": stat \/nosuch: no such file or directory/ },
  { name: "a directory as command", args: ["busybox", "/etc"], code: 126, words: /exec: "\/etc": is a directory: permission denied/ },
  {
    name: "relative volume target",
    args: ["-v", "/a:b", "busybox", "true"],
    code: 125,
    words: /invalid volume specification: '\/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute/,
  },
  { name: "volume mode", args: ["-v", "a:/b:zz", "busybox", "true"], code: 125, words: /invalid mode: zz/ },
  {
    name: "a file over a directory",
    args: ["-v", "/etc/passwd:/etc", "busybox", "true"],
    code: 125,
    words: /error mounting "\/etc\/passwd" to rootfs at "\/etc": .*not a directory: Are you trying to mount a directory onto a file \(or vice-versa\)\?/,
  },
  {
    name: "relative work directory",
    args: ["-w", "rel", "busybox", "true"],
    code: 125,
    words: /the working directory 'rel' is invalid, it needs to be an absolute path/,
  },
  { name: "unknown user", args: ["-u", "nosuch", "busybox", "true"], code: 125, words: /unable to find user nosuch: no matching entries in passwd file/ },
  { name: "unknown network", args: ["--network", "nonet", "busybox", "true"], code: 125, words: /network nonet not found/ },
  { name: "port out of range", args: ["-p", "99999:80", "busybox", "true"], code: 125, words: /invalid hostPort: 99999/ },
];

scenario("refused starts: Docker's words, Docker's exit codes, nothing left", async (context) => {
  const holder = await sandbox.ok(["run", "-d", "--name", "holder", "-p", "127.0.0.1::80", "busybox", "sleep", marker]);
  const port = await sandbox.ok(["inspect", "-f", '{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}', "holder"]);
  for (const { name, args, code, words } of refused) {
    await context.test(name, async () => {
      const outcome = await sandbox.call(["run", "--rm", ...args.map((word) => word.replace("PORT", port))]);
      assert.equal(outcome.code, code, outcome.stderr);
      assert.match(outcome.stderr, words);
      assert.equal(await sandbox.ok(["ps", "-aq", "--no-trunc"]), holder);
      assert.deepEqual(readdirSync(path.join(sandbox.store, "containers")), [holder]);
      assert.equal(existsSync(path.join(sandbox.store, "volumes", "a")), false);
    });
  }
});
