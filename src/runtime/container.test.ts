import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import {
  attachContainer,
  cleanupContainer,
  containerState,
  createContainer,
  execInContainer,
  killContainer,
  pauseContainer,
  readLogs,
  removeContainer,
  resizeContainer,
  startContainer,
  stopContainer,
  waitContainer,
  whileHeld,
  type Attachment,
  type ExecOptions,
} from "./container.ts";
import { requireContainer } from "./container-errors.ts";
import { containerFiles } from "./container-host.ts";
import { currentState, isMonitored } from "./container-state.ts";
import { startTimeTicks } from "./death-watch.ts";
import { createOptions, createTestHost, temporaryDirectory, whyNoContainers } from "./test-machine.ts";

const reason = whyNoContainers(["conmon", "perl"]);
const skip = reason === undefined ? {} : { skip: reason };
const machine = temporaryDirectory();
const host = createTestHost(machine.path);
after(async () => {
  for (const { id } of host.records.list()) await removeContainer(host, id, { force: true });
  machine[Symbol.dispose]();
});

type Changes = Parameters<typeof createOptions>[2];
const create = (name: string, script: string, changes: Changes = {}): string =>
  createContainer(host, createOptions(machine.path, ["sh", "-c", script], { name, ...changes })).id;

async function textOf(entries: AsyncIterable<{ readonly stream: 1 | 2; readonly data: Uint8Array }>, stream?: 1 | 2): Promise<string> {
  let text = "";
  for await (const entry of entries) if (stream === undefined || entry.stream === stream) text += Buffer.from(entry.data).toString();
  return text;
}

async function exec(name: string, options: Partial<ExecOptions>): Promise<{ exitCode: number | undefined; startError?: string; out: string; err: string }> {
  const texts = { out: "", err: "" };
  const onOutput: NonNullable<ExecOptions["onOutput"]> = (stream, data) => {
    texts[stream === 1 ? "out" : "err"] += Buffer.from(data).toString();
  };
  return { ...(await execInContainer(host, name, { args: ["true"], env: [], terminal: false, stdin: "none", onOutput, ...options })), ...texts };
}

test("a container of a former boot does not run, whoever has its process id now", skip, async () => {
  const id = create("former", "sleep 1000");
  const { record } = await startContainer(host, id);
  assert.equal(containerState(host, record).status, "running");
  const former = { ...record, state: { ...record.state, bootId: "another" } };
  const { status, exitCode, pid } = currentState(host, former);
  assert.deepEqual([status, exitCode, pid], ["exited", 255, 0]);
  const waiting = { count: 1, delayMs: 100, pid: process.pid, startTimeTicks: startTimeTicks(process.pid) ?? "" };
  const restarting = { ...record, restarts: waiting, state: { ...record.state, status: "restarting" as const } };
  assert.equal(currentState(host, restarting).status, "restarting");
  assert.equal(currentState(host, { ...restarting, state: { ...restarting.state, bootId: "another" } }).status, "exited");
  await removeContainer(host, id, { force: true });
});

test("a pid file that names another container's monitor is old, whatever runs under that pid", skip, async () => {
  const [first, second] = [create("first", "sleep 1000"), create("second", "sleep 1000")];
  const files = [first, second].map((id) => containerFiles(host, requireContainer(host.records, id)));
  for (const id of [first, second]) await startContainer(host, id);
  assert.deepEqual(files.map(isMonitored), [true, true]);
  const own = readFileSync(files[1]!.conmonPid, "utf8");
  writeFileSync(files[1]!.conmonPid, readFileSync(files[0]!.conmonPid));
  assert.deepEqual(files.map(isMonitored), [true, false]);
  writeFileSync(files[1]!.conmonPid, own);
  for (const id of [first, second]) await removeContainer(host, id, { force: true });
});

test("a container that a dead process held goes on when somebody looks; one that somebody paused does not", skip, async () => {
  const id = create("held", "while :; do echo on; sleep 0.01; done");
  await startContainer(host, id);
  await pauseContainer(host, id);
  const paused = requireContainer(host.records, id);
  assert.equal(containerState(host, paused).status, "paused");
  const holder = { pid: process.pid, startTimeTicks: "1" };
  host.records.update({ ...paused, state: { ...paused.state, holder } });
  assert.equal(containerState(host, requireContainer(host.records, id)).status, "running");
  assert.deepEqual([host.records.get(id)?.state.status, host.records.get(id)?.state.holder], ["running", undefined]);
  assert.deepEqual((await exec("held", { args: ["echo", "in"] })).out, "in\n");
  await whileHeld(host, id, async () => assert.equal(containerState(host, requireContainer(host.records, id)).status, "paused"));
  assert.equal(host.records.get(id)?.state.status, "running");
  await removeContainer(host, id, { force: true });
});

test("logs tell streams, parts and order; the exit code is kept", skip, async () => {
  create("logs", "echo one; echo two; echo bad >&2; printf part; exit 7");
  const { record } = await startContainer(host, "logs");
  assert.equal(record.state.status, "running");
  assert.equal(await waitContainer(host, "logs"), 7);
  const state = containerState(host, record);
  assert.deepEqual([state.status, state.exitCode, state.pid, state.oomKilled], ["exited", 7, 0, false]);
  assert.equal(await textOf(readLogs(host, "logs"), 1), "one\ntwo\npart");
  assert.equal(await textOf(readLogs(host, "logs"), 2), "bad\n");
  assert.equal(await textOf(readLogs(host, "logs", { tail: 0 })), "");
  assert.equal(await textOf(readLogs(host, "logs", { since: "2999-01-01T00:00:00Z" })), "");
});

test("tail counts lines", skip, async () => {
  create("tail", "for i in 1 2 3 4 5; do echo line$i; done");
  await startContainer(host, "tail");
  await waitContainer(host, "tail");
  assert.equal(await textOf(readLogs(host, "tail", { tail: 2 })), "line4\nline5\n");
  assert.equal(await textOf(readLogs(host, "tail", { tail: 50 })), "line1\nline2\nline3\nline4\nline5\n");
});

test("following ends with the container", skip, async () => {
  create("follow", "echo first; read line; echo $line", { config: { openStdin: true } });
  const { attachment } = await startContainer(host, "follow", { attach: true });
  const followed = textOf(readLogs(host, "follow", { follow: true }));
  await attachment?.write(Buffer.from("second\n"));
  assert.equal(await followed, "first\nsecond\n");
  attachment?.detach();
});

test("environment, host name, hosts, user", skip, async () => {
  create("env", "id -un; echo $HOME $HOSTNAME $GREETING; hostname; cat /etc/hostname; grep -c localhost /etc/hosts; pwd", {
    config: { user: "web", env: ["PATH=/bin", "GREETING=hi"], hostname: "here", cwd: "/tmp" },
  });
  await startContainer(host, "env");
  await waitContainer(host, "env");
  assert.equal(await textOf(readLogs(host, "env")), "web\n/home/web here hi\nhere\nhere\n2\n/tmp\n");
});

test("further processes", skip, async () => {
  create("exec", "sleep 1000");
  await startContainer(host, "exec");
  async function* input(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("in");
  }
  const options: Partial<ExecOptions> = {
    args: ["sh", "-c", "cat; id -G; pwd; echo $A; echo err >&2; exit 5"],
    env: ["A=b"],
    user: "web",
    cwd: "/tmp",
    stdin: input(),
  };
  assert.deepEqual(await exec("exec", options), { exitCode: 5, out: "in1001 500\n/tmp\nb\n", err: "err\n" });
  const failed = await exec("exec", { args: ["nosuch"] });
  assert.deepEqual([failed.exitCode, failed.out + failed.err], [127, ""]);
  assert.equal(
    failed.startError,
    'OCI runtime exec failed: exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH',
  );
  await assert.rejects(exec("exec", { user: "nosuch" }), /unable to find user nosuch: no matching entries in passwd file/);
  await assert.rejects(
    removeContainer(host, "exec"),
    /cannot remove container "exec": container is running: stop the container before removing or force remove/,
  );
  await killContainer(host, "exec");
  assert.equal(await waitContainer(host, "exec"), 137);
  await assert.rejects(exec("exec", {}), (error: unknown) => isSlipwayError(error, "CONTAINER_NOT_RUNNING"));
});

test("a terminal with its size, typed input, a second attachment", skip, async () => {
  create("tty", "stty size; echo ready; read x; stty size; echo got $x; exit 3", { config: { terminal: true, openStdin: true } });
  const { attachment } = await startContainer(host, "tty", { attach: true, size: { rows: 33, columns: 99 } });
  const output = textOf(attachment?.output ?? readLogs(host, "tty"));
  for await (const entry of readLogs(host, "tty", { follow: true })) if (Buffer.from(entry.data).includes("ready")) break;
  resizeContainer(host, "tty", { rows: 20, columns: 60 });
  const second: Attachment = attachContainer(host, "tty");
  await second.write(Buffer.from("typed\n"));
  assert.equal(await waitContainer(host, "tty"), 3);
  const text = await output;
  assert.match(text, /33 99\r\n/);
  assert.match(text, /got typed\r\n$/);
  second.detach();
  attachment?.detach();
});

test("stopping: the signal, then force; starting again keeps the log", skip, async () => {
  create("stop", "trap 'echo bye; exit 4' TERM; echo up; while true; do sleep 1000 & wait; done");
  await startContainer(host, "stop");
  for await (const entry of readLogs(host, "stop", { follow: true })) if (entry.data.length > 0) break;
  await stopContainer(host, "stop");
  assert.equal(await waitContainer(host, "stop"), 4);
  await startContainer(host, "stop");
  await stopContainer(host, "stop", { signal: "SIGKILL" });
  assert.match(await textOf(readLogs(host, "stop")), /^up\nbye\n/);
  await stopContainer(host, "stop");
});

const unstartable: readonly (readonly [string, number, RegExp])[] = [
  ["nosuch", 127, /^failed to create task for container: .*exec: "nosuch": executable file not found in \$PATH$/],
  ["/etc", 126, /exec: "\/etc": is a directory: permission denied$/],
];

for (const [command, exitCode, message] of unstartable) {
  test(`${command} cannot be started; the record says why`, skip, async () => {
    const { id } = createContainer(host, createOptions(machine.path, [command]));
    await assert.rejects(
      startContainer(host, id),
      (error: unknown) => isSlipwayError(error, "START_FAILED") && error.details["exitCode"] === exitCode && message.test(error.message),
    );
    const state = host.records.get(id)?.state;
    assert.deepEqual([state?.status, state?.exitCode, message.test(state?.error ?? "")], ["created", exitCode, true]);
  });
}

test("names and ids", skip, async () => {
  const id = create("named", "true");
  assert.throws(
    () => create("named", "true"),
    (error: unknown) => isSlipwayError(error, "NAME_TAKEN") && error.message.includes(`The container name "/named" is already in use by container "${id}"`),
  );
  await assert.rejects(startContainer(host, "nosuch"), /^SlipwayError: No such container: nosuch$/);
  await assert.rejects(killContainer(host, "named"), /cannot kill container: named: container [0-9a-f]{64} is not running/);
  await assert.rejects(killContainer(host, "named", "FOO"), /cannot kill container: named: invalid signal: FOO/);
  await removeContainer(host, id.slice(0, 12));
  assert.equal(host.records.get("named"), undefined);
});

test("the truth after the machine was switched off", skip, () => {
  const id = create("lost", "true");
  const record = host.records.get(id);
  assert.ok(record !== undefined);
  const before = { ...record, state: { ...record.state, status: "running", pid: process.pid, startTimeTicks: "1", startedAt: record.created } } as const;
  host.records.update(before);
  assert.deepEqual([containerState(host, before).status, containerState(host, before).exitCode], ["exited", 255]);
  assert.equal(host.records.get(id)?.state.status, "exited");
});

test("the end of a run clears that run away, and not the one after it", skip, async () => {
  const id = create("runs", "sleep 1000");
  const { record } = await startContainer(host, id);
  const { runToken, run } = containerFiles(host, record);
  const first = readFileSync(runToken, "utf8");
  await cleanupContainer(host, id, first);
  assert.equal(containerState(host, record).status, "running");
  await killContainer(host, id);
  await waitContainer(host, id);
  await cleanupContainer(host, id, "another run");
  assert.equal(existsSync(run), true);
  await startContainer(host, id);
  await cleanupContainer(host, id, first);
  assert.notEqual(readFileSync(runToken, "utf8"), first);
  await killContainer(host, id);
  await waitContainer(host, id);
  await cleanupContainer(host, id);
  assert.equal(existsSync(run), false);
});

test("removed twice at once: both succeed, once is enough", skip, async () => {
  const id = create("twice", "sleep 1000");
  await startContainer(host, id);
  const gone: string[] = [];
  const remove = (): Promise<unknown> => removeContainer(host, id, { force: true, alsoRemove: (record) => gone.push(record.name) });
  await Promise.all([remove(), remove(), remove()]);
  assert.deepEqual([host.records.get(id), gone], [undefined, ["twice"]]);
});

test("no mount of a container is in the machine's table", skip, async () => {
  create("mounts", "sleep 1000");
  await startContainer(host, "mounts");
  assert.equal(readFileSync("/proc/1/mounts", "utf8").includes(machine.path), false);
  await removeContainer(host, "mounts", { force: true });
});
