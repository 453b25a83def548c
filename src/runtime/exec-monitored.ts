/**
 * A further process in a container under a monitor of its own: with a terminal, which its user may leave and which then goes on, or in the
 * background. The monitor clears the session's directory away once nobody reads in it any more.
 */
import { readFileSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { readPidFile, startConmon, type ConmonPlan } from "./conmon.ts";
import { attachToMonitor, type Attachment } from "./container-attach.ts";
import type { ExecCall, ExecResult } from "./container-exec.ts";
import { monitorEnv, writeTerminalSize } from "./container-launch.ts";
import { holdAsReader } from "./container-lock.ts";
import { isMonitored, readExit } from "./container-state.ts";
import { shellCommand } from "./death-watch.ts";
import { execFailed } from "./exec-pipes.ts";
import { runtimeCall } from "./oci-runtime.ts";
import { requireProgram } from "./programs.ts";
import { startFailureOf } from "./runtime-errors.ts";

const killedCode = 137;

export interface MonitoredExec extends ExecCall {
  readonly session: string;
  /** a shell line that is run when it has ended */
  readonly endCommand: string;
  /** from now on the monitor clears the directory away */
  readonly onStarted: () => void;
}

/** CANCELED after an abort, which kills the process. */
export async function runExecUnderMonitor(exec: MonitoredExec): Promise<ExecResult> {
  const { directory, options } = exec;
  const conmon = requireProgram("conmon", options.terminal ? "a terminal in a container" : "a process in the background");
  using _ = holdAsReader(directory);
  const answer = await startConmon(conmon, planOf(exec), monitorEnv(process.env));
  if (answer.pid <= 0) return startFailure(exec, answer.message);
  exec.onStarted();
  if (options.background === true) return { exitCode: undefined };
  if (options.size !== undefined) writeTerminalSize({ bundle: directory }, options.size);
  const undoResize = options.onResize?.((rows, columns) => writeTerminalSize({ bundle: directory }, { rows, columns }));
  try {
    return await carry(exec, `${directory}/${exec.record.id}`);
  } finally {
    undoResize?.();
  }
}

async function carry({ directory, options }: MonitoredExec, exitFile: string): Promise<ExecResult> {
  const attachment = attachToMonitor({
    log: `${directory}/log`,
    from: 0,
    isRunning: () => readExit({ exitFile }) === undefined && isMonitored({ conmonPid: `${directory}/conmon.pid` }),
    inputDirectory: options.stdin === "none" ? undefined : directory,
    readersDirectory: directory,
  });
  const leave = (): void => attachment.detach();
  const kill = (): void => endProcess(`${directory}/pid`);
  options.detach?.addEventListener("abort", leave, { once: true });
  options.signal?.addEventListener("abort", kill, { once: true });
  if (options.stdin !== "none") feed(attachment, options.stdin).catch(() => undefined);
  try {
    for await (const { stream, data } of attachment.output) await options.onOutput?.(stream, data);
    if (options.signal?.aborted === true) throw new SlipwayError("canceled", "CANCELED", "canceled", {}, options.signal.reason);
    if (options.detach?.aborted === true) return { exitCode: undefined };
    // without a word of the monitor: the container was ended, and with it the process
    return { exitCode: readExit({ exitFile })?.exitCode ?? killedCode };
  } finally {
    attachment.detach();
    options.detach?.removeEventListener("abort", leave);
    options.signal?.removeEventListener("abort", kill);
  }
}

async function feed(attachment: Attachment, source: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of source) await attachment.write(chunk);
  attachment.closeStdin();
}

function endProcess(pidFile: string): void {
  const pid = readPidFile(pidFile);
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // gone already
  }
}

function planOf({ record, runtime, files, directory, options, session, endCommand }: MonitoredExec): ConmonPlan {
  const clear = `${shellCommand(["flock", "--timeout", "60", `${directory}/readers`, "true"])}; ${shellCommand(["rm", "-rf", directory, `${files.sockets}/${session}`])}`;
  return {
    id: record.id,
    session,
    name: record.name,
    files: {
      bundle: directory,
      persistDirectory: directory,
      containerPid: `${directory}/pid`,
      conmonPid: `${directory}/conmon.pid`,
      exitDirectory: directory,
      sockets: files.sockets,
      log: options.background === true ? "" : `${directory}/log`,
    },
    runtime,
    runtimeOptions: runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true, log: `${directory}/runtime.log` }, []).args,
    execSpec: `${directory}/process.json`,
    terminal: options.terminal,
    openStdin: options.stdin !== "none",
    keepStdin: true,
    exitScript: `{ ${endCommand}; ${clear}; } >/dev/null 2>&1`,
  };
}

/** In the background Docker tells it as any other failure; else as the process's own, with the code that a shell would give. */
function startFailure({ directory, options }: MonitoredExec, message: string): ExecResult {
  const failure = startFailureOf(readText(`${directory}/runtime.log`), options.args);
  return { exitCode: failure?.exitCode ?? 126, startError: execFailed(failure?.message ?? message) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
