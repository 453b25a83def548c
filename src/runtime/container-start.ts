/** Brings a container to life under conmon, and clears away after it ended. */
import { mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { enterPrivateMountNamespace, unmount } from "../store/overlay.ts";
import { attachToLog, type Attachment } from "./container-attach.ts";
import { readPidFile, startConmon, type ConmonPlan } from "./conmon.ts";
import { requireContainer, startFailed } from "./container-errors.ts";
import { containerFiles, type ContainerFiles, type ContainerHost } from "./container-host.ts";
import type { ContainerRecord } from "./container-records.ts";
import { createContainerSpec, writeSystemFiles } from "./container-spec.ts";
import { containerState } from "./container-state.ts";
import { killCommand, shellCommand, startTimeTicks } from "./death-watch.ts";
import { createNetwork, type Network } from "./network.ts";
import { prepareRuntime, runtimeCall, runtimeOf, type OciRuntime } from "./oci-runtime.ts";
import { checkPortsAgainst } from "./port-check.ts";
import { requireProgram } from "./programs.ts";
import { runProgram } from "./run-program.ts";
import { startFailureOf } from "./runtime-errors.ts";
import { openSeccompCache } from "./seccomp-cache.ts";
import type { SpecNetwork } from "./spec-options.ts";

export interface StartOptions {
  /** with output from the first byte on, and stdin where the container has it open */
  readonly attach?: boolean;
  /** of the container's terminal */
  readonly size?: { readonly rows: number; readonly columns: number };
}

/**
 * A running container is left as it is. Fails with PORT_TAKEN, START_FAILED (details.exitCode: 125, 126 or 127 as Docker's; the record
 * keeps the reason), PROGRAM_MISSING, RUNTIME_MISSING or USER_NOT_FOUND; nothing of the attempt stays.
 */
export async function startContainer(
  host: ContainerHost,
  nameOrId: string,
  options: StartOptions = {},
): Promise<{ readonly record: ContainerRecord; readonly attachment?: Attachment }> {
  const record = requireContainer(host.records, nameOrId);
  if (containerState(host, record).status === "running") return withAttachment(host, record, options, undefined);
  checkPortsAgainst(record.ports, portsInUse(host, record.id));
  const conmon = requireProgram("conmon", "a container that outlives its command");
  const runtime = prepareRuntime();
  enterPrivateMountNamespace();
  const files = containerFiles(host, record);
  prepareDirectories(files);
  const logOffset = statSync(files.log, { throwIfNoEntry: false })?.size ?? 0;
  try {
    const started = await launch(host, record, { conmon, runtime, files, options });
    return withAttachment(host, started.record, options, logOffset);
  } catch (error) {
    await clearAway(host, record, runtime);
    noteFailure(host, record, error);
    throw error;
  }
}

interface Launch {
  readonly conmon: string;
  readonly runtime: OciRuntime;
  readonly files: ContainerFiles;
  readonly options: StartOptions;
}

async function launch(
  host: ContainerHost,
  record: ContainerRecord,
  { conmon, runtime, files, options }: Launch,
): Promise<{ readonly record: ContainerRecord }> {
  host.mountRootfs(record, files.rootfs);
  writeSystemFiles(host, record);
  const network =
    record.config.networkMode === "bridge"
      ? await createNetwork({ kind: "container", publish: record.ports, directory: files.network, detached: true })
      : undefined;
  const spec = createContainerSpec(host, record, runtime, specNetworkOf(record, network));
  const cache = openSeccompCache(runtime, { cache: `${host.runDirectory}/seccomp`, root: files.runtimeRoot }, spec.linux.seccomp);
  writeFileSync(`${files.bundle}/config.json`, JSON.stringify(cache.apply(spec)), { mode: 0o600 });
  const plan = conmonPlan(host, record, { runtime, files, network, attached: options.attach === true });
  const answer = await startConmon(conmon, plan, { PATH: process.env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin" });
  if (answer.pid <= 0) throw failureOf(files, record, answer.message);
  await cache.harvest(record.id);
  if (options.size !== undefined) writeTerminalSize(files, options.size);
  // the container has its own copy of the mounts now; ours would only pile up in a program that starts many
  unmount(files.rootfs);
  return { record: await startCreated(host, record, { runtime, files, network, pid: answer.pid }) };
}

interface Created {
  readonly runtime: OciRuntime;
  readonly files: ContainerFiles;
  readonly network: Network | undefined;
  readonly pid: number;
}

/** The record says running before the process does: whoever looks in between finds the truth. */
async function startCreated(host: ContainerHost, record: ContainerRecord, { runtime, files, network, pid }: Created): Promise<ContainerRecord> {
  const call = runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true }, ["start", record.id]);
  const running: ContainerRecord = {
    ...record,
    ports: network?.ports ?? record.ports,
    runtimePath: runtime.path,
    state: {
      status: "running",
      pid,
      startTimeTicks: startTimeTicks(pid) ?? "",
      exitCode: 0,
      startedAt: new Date().toISOString(),
      finishedAt: "",
      oomKilled: false,
      error: "",
    },
  };
  host.records.update(running);
  await runProgram(call.file, call.args);
  return running;
}

function conmonPlan(
  host: ContainerHost,
  record: ContainerRecord,
  {
    runtime,
    files,
    network,
    attached,
  }: { readonly runtime: OciRuntime; readonly files: ContainerFiles; readonly network: Network | undefined; readonly attached: boolean },
): ConmonPlan {
  const base = { root: files.runtimeRoot, cgroups: true };
  const remove = runtimeCall(runtime, base, ["delete", "--force", record.id]);
  const exitScript = [
    ...(network === undefined ? [] : [`{ ${killCommand(network.pastaPid)}; }`]),
    shellCommand([remove.file, ...remove.args]),
    ...(host.exitCommand === undefined ? [] : [shellCommand(host.exitCommand(record.id))]),
  ].join("; ");
  return {
    id: record.id,
    name: record.name,
    files,
    runtime,
    runtimeOptions: runtimeCall(runtime, { ...base, log: files.runtimeLog }, []).args,
    terminal: record.config.terminal,
    openStdin: record.config.openStdin,
    keepStdin: !attached,
    exitScript: `{ ${exitScript}; } >/dev/null 2>&1`,
  };
}

function failureOf(files: ContainerFiles, record: ContainerRecord, message: string): SlipwayError {
  const failure = startFailureOf(process.getBuiltinModule("node:fs").readFileSync(files.runtimeLog, "utf8"), record.config.args);
  if (failure !== undefined) return startFailed(failure.message, failure.exitCode);
  return startFailed(message === "" ? "the runtime gave no reason" : message, 125);
}

function specNetworkOf(record: ContainerRecord, network: Network | undefined): SpecNetwork {
  if (network !== undefined) return { kind: "netns", path: network.netnsPath };
  return record.config.networkMode === "host" ? { kind: "host" } : { kind: "none" };
}

function prepareDirectories(files: ContainerFiles): void {
  for (const path of [files.exitFile, files.oomFile, files.runtimeLog, files.run]) rmSync(path, { recursive: true, force: true });
  for (const path of [files.bundle, files.rootfs, files.exitDirectory, `${files.directory}/persist`]) mkdirSync(path, { recursive: true, mode: 0o755 });
  for (const path of [files.run, files.sockets, files.runtimeRoot]) mkdirSync(path, { recursive: true, mode: 0o700 });
  writeFileSync(files.runtimeLog, "");
}

/** Ends whatever is left of a container's last run: runtime state, pasta, mounts, files of this boot. Safe to call at any time after it ended. */
export async function cleanupContainer(host: ContainerHost, nameOrId: string): Promise<void> {
  const record = requireContainer(host.records, nameOrId);
  if (containerState(host, record).status !== "running") await clearAway(host, record, runtimeOf(record));
}

async function clearAway(host: ContainerHost, record: ContainerRecord, runtime: OciRuntime): Promise<void> {
  const files = containerFiles(host, record);
  const call = runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true }, ["delete", "--force", record.id]);
  if (statSync(`${files.runtimeRoot}/${record.id}`, { throwIfNoEntry: false }) !== undefined) await runProgram(call.file, call.args).catch(() => undefined);
  const pasta = readPidFile(files.pastaPid);
  if (pasta !== undefined && isPasta(pasta)) process.kill(pasta, "SIGKILL");
  unmount(`${files.network}/netns`);
  unmount(files.rootfs);
  rmSync(files.run, { recursive: true, force: true });
}

/** A pid file may name a process that came later. */
function isPasta(pid: number): boolean {
  try {
    return /pass?ta?/.test(process.getBuiltinModule("node:fs").readFileSync(`/proc/${pid}/comm`, "utf8"));
  } catch {
    return false;
  }
}

function noteFailure(host: ContainerHost, record: ContainerRecord, error: unknown): void {
  if (!(error instanceof SlipwayError) || host.records.get(record.id) === undefined) return;
  const exitCode = isSlipwayError(error, "START_FAILED") && typeof error.details["exitCode"] === "number" ? error.details["exitCode"] : 128;
  host.records.update({
    ...record,
    state: { ...record.state, status: record.state.status === "running" ? "exited" : record.state.status, pid: 0, exitCode, error: error.message },
  });
}

function portsInUse(host: ContainerHost, exceptId: string): ContainerRecord["ports"] {
  return host.records
    .list()
    .filter((other) => other.id !== exceptId && containerState(host, other).status === "running")
    .flatMap((other) => other.ports);
}

function withAttachment(
  host: ContainerHost,
  record: ContainerRecord,
  options: StartOptions,
  logOffset: number | undefined,
): { readonly record: ContainerRecord; readonly attachment?: Attachment } {
  return options.attach === true ? { record, attachment: attachToLog(host, record, logOffset) } : { record };
}

/** conmon takes sizes through a fifo in the bundle: kind 1, rows, columns. */
export function writeTerminalSize(files: ContainerFiles, size: { readonly rows: number; readonly columns: number }): void {
  const { openSync, writeSync, closeSync, constants } = process.getBuiltinModule("node:fs");
  const fd = openSync(`${files.bundle}/ctl`, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeSync(fd, `1 ${size.rows} ${size.columns}\n`);
  } finally {
    closeSync(fd);
  }
}
