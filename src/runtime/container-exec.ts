/** A further process in a running container. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { notRunning, pausedForExec, requireContainer } from "./container-errors.ts";
import { tellCommand, tellExec } from "./container-events.ts";
import { containerFiles, type ContainerFiles, type ContainerHost } from "./container-host.ts";
import type { ContainerRecord } from "./container-records.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { runExecUnderMonitor } from "./exec-monitored.ts";
import { execProcess } from "./exec-process.ts";
import { runExecOnPipes } from "./exec-pipes.ts";
import { runtimeOf, type OciRuntime } from "./oci-runtime.ts";

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
    const { end } = tellExec(host, record, options.args);
    if (monitored) {
      // it may go on without us
      const endCommand = tellCommand(host, end, `$(cat '${directory}/${record.id}')`);
      return await runExecUnderMonitor({ ...exec, session, endCommand, onStarted: () => (monitorClears = true) });
    }
    const result = await runExecOnPipes(exec);
    if (result.startError === undefined && result.exitCode !== undefined) host.journal?.append([end(String(result.exitCode))]);
    return result;
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
