/** One launch: mounts, network, monitor, and the record that says running. The caller holds the container's lock and undoes what failed. */
import { randomBytes } from "node:crypto";
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from "node:fs";
import type { SlipwayError } from "../base/errors.ts";
import { unmount } from "../store/overlay.ts";
import { bootId } from "./boot-id.ts";
import { startConmon, type ConmonPlan } from "./conmon.ts";
import { undoLaunchCommand } from "./container-cleanup.ts";
import { tellStart } from "./container-events.ts";
import { startFailed } from "./container-errors.ts";
import type { ContainerFiles, ContainerHost } from "./container-host.ts";
import { openContainerNetwork, type ContainerNetwork } from "./container-network.ts";
import type { ContainerRecord } from "./container-records.ts";
import { createContainerSpec, writeSystemFiles } from "./container-spec.ts";
import { joinedNamespaces } from "./joined-namespaces.ts";
import { requireRunnable } from "./emulation.ts";
import { endHealthCommand, prepareHealthChecks, probeOf } from "./health-checks.ts";
import { killCommand, noteDeath, shellCommand, startTimeTicks } from "./death-watch.ts";
import { maximumLogBytes } from "./log-settings.ts";
import { keeperFiles } from "./network-keeper-files.ts";
import { runtimeCall, type OciRuntime } from "./oci-runtime.ts";
import { runProgram } from "./run-program.ts";
import { startFailureOf } from "./runtime-errors.ts";
import { openSeccompCache } from "./seccomp-cache.ts";
import { INSIDE_USERNS, RUN_DIRECTORY } from "./userns-env.ts";

export interface Launch {
  readonly conmon: string;
  readonly runtime: OciRuntime;
  readonly files: ContainerFiles;
  /** the client reads and writes from the first byte on */
  readonly attached: boolean;
  /** of the container's terminal */
  readonly size?: { readonly rows: number; readonly columns: number };
}

/** Answers the record as it is now. A process that is killed in the middle of it leaves nothing that runs. */
export async function launch(host: ContainerHost, record: ContainerRecord, plan: Launch): Promise<ContainerRecord> {
  const { runtime, files } = plan;
  const token = randomBytes(8).toString("hex");
  prepareDirectories(files, token);
  const note = noteDeath(undoLaunchCommand(files, record.id, runtime));
  try {
    host.mountRootfs(record, files.rootfs);
    await requireRunnable({ ...record.config, mounts: record.mounts, rootfs: files.rootfs, scratch: files.bundle });
    const joined = joinedNamespaces(host, record);
    const network = await openContainerNetwork(host, record, { files, rootless: runtime.rootless, joined: joined.network });
    const hostname = joined.network?.donor.config.hostname ?? record.config.hostname;
    const effective: ContainerRecord = { ...record, config: { ...record.config, networkMode: network.mode, hostname } };
    if (joined.network === undefined) writeSystemFiles(host, effective);
    const spec = createContainerSpec(host, effective, runtime, { network: network.spec, joined });
    const cache = openSeccompCache(runtime, { cache: `${host.runDirectory}/seccomp`, root: files.runtimeRoot }, spec.linux.seccomp);
    writeFileSync(`${files.bundle}/config.json`, JSON.stringify(cache.apply(spec)), { mode: 0o600 });
    const answer = await startConmon(plan.conmon, conmonPlan(host, record, { ...plan, network, token }), monitorEnv(process.env));
    if (answer.pid <= 0) throw failureOf(files, record, answer.message);
    await cache.harvest(record.id);
    const endpoints = record.config.networks === undefined ? undefined : await (await import("./joined-networks.ts")).joinNetworks(host, record, answer.pid);
    if (plan.size !== undefined) writeTerminalSize(files, plan.size);
    // the container has its own copy of the mounts now; ours would only pile up in a program that starts many
    unmount(files.rootfs);
    return await startCreated(host, endpoints === undefined ? record : { ...record, endpoints }, { runtime, files, network, pid: answer.pid });
  } finally {
    note.drop();
  }
}

interface Created {
  readonly runtime: OciRuntime;
  readonly files: ContainerFiles;
  readonly network: ContainerNetwork;
  readonly pid: number;
}

/** The record says running before the process does: whoever looks in between finds the truth. */
async function startCreated(host: ContainerHost, record: ContainerRecord, { runtime, files, network, pid }: Created): Promise<ContainerRecord> {
  const call = runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true }, ["start", record.id]);
  const running: ContainerRecord = {
    ...record,
    stopAsked: false,
    ports: network.own?.ports ?? record.ports,
    runtimePath: runtime.path,
    state: {
      status: "running",
      pid,
      startTimeTicks: startTimeTicks(pid) ?? "",
      bootId: bootId(),
      exitCode: 0,
      startedAt: new Date().toISOString(),
      finishedAt: "",
      oomKilled: false,
      error: "",
    },
  };
  host.records.update(running);
  const startHealthChecks = prepareHealthChecks(host, running, runtime);
  await runProgram(call.file, call.args);
  tellStart(host, running);
  startHealthChecks();
  return running;
}

/** What the monitor hands on to the exit command, which has to find the same directories. */
export function monitorEnv(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = ["HOME", "XDG_RUNTIME_DIR", "NODE_COMPILE_CACHE", "SLIPWAY_RUNTIME", INSIDE_USERNS, RUN_DIRECTORY];
  const kept = names.flatMap((name): [string, string][] => (env[name] === undefined ? [] : [[name, env[name]]]));
  return { PATH: env["PATH"] ?? "/usr/sbin:/usr/bin:/sbin:/bin", ...Object.fromEntries(kept) };
}

interface Monitored extends Launch {
  readonly network: ContainerNetwork;
  readonly token: string;
}

/** The port is free as soon as the container has ended; the rest is cleared away by who has the container's lock. */
function conmonPlan(host: ContainerHost, record: ContainerRecord, { runtime, files, network, attached, token }: Monitored): ConmonPlan {
  const bound = maximumLogBytes(record.config.logging);
  const checked = probeOf(record.config.healthcheck, record.config.shell) !== undefined;
  const exitScript = [
    ...(checked ? [endHealthCommand(files)] : []),
    ...(network.own === undefined ? [] : [`{ ${killCommand(network.own.pastaPid)}; }`]),
    ...(record.config.networkMode === "bridge" ? [shellCommand(["rm", "-f", `${keeperFiles(host.runDirectory).members}/${record.id}`])] : []),
    ...(host.exitCommand === undefined ? [":"] : [shellCommand(host.exitCommand(record.id, token))]),
  ].join("; ");
  return {
    id: record.id,
    session: record.id,
    name: record.name,
    files: { ...files, persistDirectory: `${files.directory}/persist` },
    runtime,
    runtimeOptions: runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true, log: files.runtimeLog }, []).args,
    // who is attached reads the log, and must not find it begun anew before all was read
    ...(attached || bound === undefined ? {} : { logBytes: bound }),
    terminal: record.config.terminal,
    openStdin: record.config.openStdin,
    // a terminal's input is its output too: closing it would hang up
    keepStdin: !attached || record.config.terminal,
    exitScript: `{ ${exitScript}; } >/dev/null 2>&1`,
  };
}

function failureOf(files: ContainerFiles, record: ContainerRecord, message: string): SlipwayError {
  const failure = startFailureOf(readFileSync(files.runtimeLog, "utf8"), record.config.args);
  if (failure !== undefined) return startFailed(failure.message, failure.exitCode);
  return startFailed(message === "" ? "the runtime gave no reason" : message, 125);
}

function prepareDirectories(files: ContainerFiles, token: string): void {
  for (const path of [files.exitFile, files.oomFile, files.runtimeLog, files.run]) rmSync(path, { recursive: true, force: true });
  for (const path of [files.bundle, files.rootfs, files.exitDirectory, `${files.directory}/persist`]) mkdirSync(path, { recursive: true, mode: 0o755 });
  for (const path of [files.run, files.sockets, files.runtimeRoot]) mkdirSync(path, { recursive: true, mode: 0o700 });
  writeFileSync(files.runtimeLog, "");
  writeFileSync(files.runToken, token, { mode: 0o600 });
}

/** conmon takes sizes through a fifo in the bundle: kind 1, rows, columns. */
export function writeTerminalSize(files: Pick<ContainerFiles, "bundle">, size: { readonly rows: number; readonly columns: number }): void {
  const fd = openSync(`${files.bundle}/ctl`, constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    writeSync(fd, `1 ${size.rows} ${size.columns}\n`);
  } finally {
    closeSync(fd);
  }
}
