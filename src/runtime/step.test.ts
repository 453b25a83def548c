import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { isSlipwayError } from "../base/errors.ts";
import { startTimeTicks } from "./death-watch.ts";
import { isAlive } from "./live-process.ts";
import { runStep, type StepOptions, type StepResult } from "./step.ts";
import { createBusyboxRootfs, temporaryDirectory, whyNoContainers } from "./test-machine.ts";

const reason = whyNoContainers();
const skip = reason === undefined ? {} : { skip: reason };
const machine = temporaryDirectory();
after(() => machine[Symbol.dispose]());
const rootfs = reason === undefined ? createBusyboxRootfs(join(machine.path, "rootfs")) : "";
const stateDirectory = join(machine.path, "state");
let count = 0;

async function run(args: readonly string[], changes: Partial<StepOptions> = {}): Promise<StepResult & { out: string; err: string }> {
  const bundleDirectory = join(machine.path, `bundle${count++}`);
  mkdirSync(bundleDirectory);
  const texts = { out: "", err: "" };
  const result = await runStep({
    id: `test-${process.pid}-${count}`,
    bundleDirectory,
    stateDirectory,
    rootfs,
    args,
    env: ["PATH=/bin"],
    cwd: "/",
    user: { uid: 0, gid: 0, additionalGids: [0] },
    hostname: "buildkitsandbox",
    network: { kind: "none" },
    onOutput: (stream, data) => {
      texts[stream === 1 ? "out" : "err"] += Buffer.from(data).toString();
    },
    ...changes,
  });
  return { ...result, ...texts };
}
const sh = (script: string, changes: Partial<StepOptions> = {}) => run(["sh", "-c", script], changes);

test("output, streams and exit code", skip, async () => {
  assert.deepEqual(await sh("echo out; echo err >&2; exit 3"), { exitCode: 3, out: "out\n", err: "err\n" });
});

test("a signal's name", skip, async () => {
  const result = await sh("sh -c 'kill -9 $$'; exit $?");
  assert.deepEqual([result.exitCode, result.signal], [137, "SIGKILL"]);
});

test("the standard streams can be opened again, by ordinary users too", skip, async () => {
  const script = "echo a >/dev/stderr; echo b >/dev/stdout";
  assert.deepEqual(await sh(script), { exitCode: 0, out: "b\n", err: "a\n" });
  const user = { uid: 1000, gid: 1001, additionalGids: [1001, 5] };
  assert.deepEqual(await sh(`${script}; id -G`, { user }), { exitCode: 0, out: "b\n1001 5\n", err: "a\n" });
});

test("stdin is what is given, and empty otherwise", skip, async () => {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("one ");
    yield Buffer.from("two");
  }
  assert.equal((await run(["cat"], { stdin: chunks() })).out, "one two");
  assert.equal((await run(["cat"])).out, "");
});

/** command, what is said, exit code */
const failures: readonly (readonly [readonly string[], string, number])[] = [
  [["nosuch"], 'crun run failed: unable to start container process: error during container init: exec: "nosuch": executable file not found in $PATH\n', 1],
  [
    ["/nosuch"],
    'crun run failed: unable to start container process: error during container init: exec: "/nosuch": stat /nosuch: no such file or directory\n',
    1,
  ],
  [["/etc"], 'crun run failed: unable to start container process: error during container init: exec: "/etc": is a directory\n', 1],
  [["/etc/passwd"], 'crun run failed: unable to start container process: error during container init: exec: "/etc/passwd": permission denied\n', 1],
];

for (const [args, err, exitCode] of failures) {
  test(`${args.join(" ")} cannot be started`, skip, async () => {
    assert.deepEqual(await run(args), { exitCode, out: "", err });
  });
}

test("confined as a container of Docker is", skip, async () => {
  const { out } = await sh("grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; ls /dev | tr '\\n' ' '; echo x >/proc/sys/kernel/domainname; hostname");
  assert.match(out, /CapEff:\t00000000a80425fb\nNoNewPrivs:\t0\nSeccomp:\t2\n/);
  assert.match(out, /fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero/);
  assert.match(out, /buildkitsandbox\n$/);
});

test("no namespaces, no mounts, no disks", skip, async () => {
  const { out, err } = await sh(
    "unshare -m true || echo 1; mount -t tmpfs x /tmp || echo 2; mknod /dev/disk b 7 0; cat /dev/disk || echo 3; mknod /dev/n c 1 3 && echo >/dev/n && echo 4",
  );
  assert.equal(out, "1\n2\n3\n4\n");
  assert.match(err, /Operation not permitted/);
});

test("mounts and a slow reader lose nothing", skip, async () => {
  let bytes = 0;
  const onOutput: StepOptions["onOutput"] = async (_, data) => {
    bytes += data.length;
    await new Promise((resolve) => setImmediate(resolve));
  };
  const size = 2_000_000;
  await sh(`head -c ${size} /dev/zero; test -f /mnt/passwd && head -c 1 /dev/zero`, {
    onOutput,
    mounts: [{ kind: "bind", source: "/etc", destination: "/mnt", readOnly: true }],
  });
  assert.equal(bytes, size + 1);
});

/** Newer versions keep a cache of their own there. */
function containersOfCrun(): readonly string[] {
  return readdirSync(join(stateDirectory, "crun")).filter((name) => name !== ".cache");
}

test("an abort ends every process of the step, and says so", skip, async () => {
  const abort = new AbortController();
  const pids: string[] = [];
  const onOutput: StepOptions["onOutput"] = (_, data) => {
    pids.push(Buffer.from(data).toString());
    abort.abort(new Error("enough"));
  };
  await assert.rejects(sh("sleep 1000 & echo ready; wait", { signal: abort.signal, onOutput }), (error: unknown) => isSlipwayError(error, "CANCELED"));
  assert.deepEqual(pids, ["ready\n"]);
  assert.deepEqual(containersOfCrun(), []);
});

test("a reader that fails ends the step", skip, async () => {
  const onOutput = (): void => {
    throw new Error("disk full");
  };
  await assert.rejects(sh("echo x; sleep 1000", { onOutput }), /disk full/);
  assert.deepEqual(containersOfCrun(), []);
});

for (const [killed, signalled] of [
  ["the builder", (pid: number) => pid],
  ["the builder's group", (pid: number) => -pid],
] as const) {
  test(`nothing of a step survives kill -9 of ${killed}`, skip, async (t) => await checkNothingSurvives(t, signalled));
}

async function checkNothingSurvives(t: TestContext, signalled: (pid: number) => number): Promise<void> {
  const name = `killed-${signalled(1)}`;
  const bundleDirectory = join(machine.path, name);
  mkdirSync(bundleDirectory);
  const options = {
    id: `test-${process.pid}-${name}`,
    bundleDirectory,
    stateDirectory,
    rootfs,
    args: ["sh", "-c", "echo started; sleep 1000"],
    env: ["PATH=/bin"],
    cwd: "/",
    user: { uid: 0, gid: 0, additionalGids: [] },
    hostname: "h",
    network: { kind: "host" },
  };
  const script = `const { runStep } = await import(${JSON.stringify(import.meta.resolve("./step.ts"))});
    await runStep({ ...${JSON.stringify(options)}, onOutput: (_, data) => process.stdout.write(data) });`;
  const builder = spawn(process.execPath, ["--input-type=module", "--eval", script], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  // a test that fails must not wait for the builder it leaves behind
  t.after(() => builder.kill("SIGKILL"));
  await new Promise((resolve) => builder.stdout.once("data", resolve));
  const pid = await containerPid(join(stateDirectory, "crun", options.id, "status"));
  const ticks = startTimeTicks(pid);
  assert.ok(ticks !== undefined && builder.pid !== undefined);
  const [parent = 0] = parentAndGroup(pid);
  assert.notEqual(parentAndGroup(parent)[1], builder.pid, "the runtime is in the builder's group");
  process.kill(signalled(builder.pid), "SIGKILL");
  const isThere = (): boolean => isAlive({ pid, startTimeTicks: ticks });
  for (const end = Date.now() + 60_000; isThere() && Date.now() < end;) await delay(5);
  assert.equal(isThere(), false);
}

/** Fields 4 and 5 of /proc/PID/stat. */
function parentAndGroup(pid: number): readonly number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(1, 3)
    .map(Number);
}

/** The runtime writes it about when the command begins to speak. */
async function containerPid(statusFile: string): Promise<number> {
  for (const end = Date.now() + 60_000; !existsSync(statusFile) && Date.now() < end;) await delay(5);
  const status: unknown = JSON.parse(readFileSync(statusFile, "utf8"));
  assert.ok(typeof status === "object" && status !== null && "pid" in status && typeof status.pid === "number");
  return status.pid;
}
