/** A further process in a running container. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { notRunning, pausedForExec, requireContainer } from "./container-errors.ts";
import { containerFiles, type ContainerFiles, type ContainerHost } from "./container-host.ts";
import type { ContainerRecord } from "./container-records.ts";
import { containerEnv, containerUser } from "./container-spec.ts";
import { parseSecurityOptions } from "./security-options.ts";
import { containerState, isUp } from "./container-state.ts";
import { chooseCapabilities } from "./capabilities.ts";
import { runExecUnderMonitor } from "./exec-monitored.ts";
import { runExecOnPipes } from "./exec-pipes.ts";
import { runtimeOf, type OciRuntime } from "./oci-runtime.ts";
import type { OciProcess } from "./oci-spec.ts";

export interface ExecOptions {
  readonly args: readonly string[];
  /** added to the container's own */
  readonly env: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  readonly terminal: boolean;
  /** of the terminal, at the start and when it changes */
  readonly size?: TerminalSize;
  readonly onResize?: (listener: (rows: number, columns: number) => void) => () => void;
  readonly stdin: AsyncIterable<Uint8Array> | "none";
  /** resolve once the process has begun; nobody reads what it prints */
  readonly background?: boolean;
  /** with a terminal: an abort leaves the process to itself */
  readonly detach?: AbortSignal;
  readonly onOutput?: (stream: 1 | 2, data: Uint8Array) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface ExecResult {
  /** undefined: it was left running */
  readonly exitCode: number | undefined;
  /** why nothing was started, in Docker's words; exitCode is 126 or 127 then */
  readonly startError?: string;
}

/** Fails with CONTAINER_NOT_FOUND, CONTAINER_NOT_RUNNING, USER_NOT_FOUND; CANCELED after an abort, which kills the process. */
export async function execInContainer(host: ContainerHost, nameOrId: string, options: ExecOptions): Promise<ExecResult> {
  const record = requireContainer(host.records, nameOrId);
  const state = containerState(host, record);
  if (state.status === "paused") throw pausedForExec(nameOrId);
  if (!isUp(state)) throw notRunning(record);
  const runtime = runtimeOf(record);
  const files = containerFiles(host, record);
  const monitored = options.terminal || options.background === true;
  const session = randomBytes(16).toString("hex");
  // what a monitor logs may be large, and /run lies in memory
  const directory = monitored ? `${files.execs}/${session}` : `${files.run}/exec-${session.slice(0, 12)}`;
  const spec = JSON.stringify(execProcess(record, runtime, options, `/proc/${state.pid}/root`));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let monitorClears = false;
  try {
    writeFileSync(`${directory}/process.json`, spec, { mode: 0o600 });
    const exec = { record, runtime, files, directory, options };
    if (!monitored) return await runExecOnPipes(exec);
    return await runExecUnderMonitor({ ...exec, session, onStarted: () => (monitorClears = true) });
  } finally {
    if (!monitorClears) rmSync(directory, { recursive: true, force: true });
  }
}

export interface ExecCall {
  readonly record: ContainerRecord;
  readonly runtime: OciRuntime;
  readonly files: ContainerFiles;
  /** of this process: process.json is there */
  readonly directory: string;
  readonly options: ExecOptions;
}

/** The user's name is looked up in the container as it is now. */
function execProcess(record: ContainerRecord, runtime: OciRuntime, options: ExecOptions, rootfs: string): OciProcess {
  const { config } = record;
  const user = containerUser(rootfs, config, options.user ?? config.user, { forExec: true });
  const capabilities = chooseCapabilities({
    privileged: config.privileged || options.privileged === true,
    add: config.capAdd,
    drop: config.capDrop,
    available: runtime.capabilities,
  });
  const added = new Set(options.env.map((entry) => entry.split("=", 1)[0]));
  const base = containerEnv(record, user.home).filter((entry) => !added.has(entry.split("=", 1)[0]) && (options.terminal || !entry.startsWith("TERM=")));
  return {
    terminal: options.terminal,
    user: { uid: user.uid, gid: user.gid, ...(runtime.singleId ? {} : { additionalGids: user.additionalGids }) },
    args: options.args,
    env: [...base, ...(options.terminal && !base.some((entry) => entry.startsWith("TERM=")) && !added.has("TERM") ? ["TERM=xterm"] : []), ...options.env],
    cwd: options.cwd ?? (config.cwd === "" ? "/" : config.cwd),
    capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
    ...(parseSecurityOptions(config.securityOptions).noNewPrivileges ? { noNewPrivileges: true } : {}),
  };
}
