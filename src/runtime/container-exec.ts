/** A further process in a running container. */
import { closeSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { SlipwayError } from "../base/errors.ts";
import { notRunning, requireContainer } from "./container-errors.ts";
import { containerFiles, type ContainerFiles, type ContainerHost } from "./container-host.ts";
import type { ContainerRecord } from "./container-records.ts";
import { containerEnv, parseSecurityOptions } from "./container-spec.ts";
import { containerState } from "./container-state.ts";
import { chooseCapabilities } from "./capabilities.ts";
import { readPidFile } from "./conmon.ts";
import { runtimeCall, runtimeOf, type OciRuntime } from "./oci-runtime.ts";
import type { OciProcess } from "./oci-spec.ts";
import { resolveUserIn } from "./rootfs-files.ts";
import { StartFailureFilter } from "./start-failure-filter.ts";
import { createInputPipe, createOutputPipe } from "./step-pipes.ts";

export interface ExecOptions {
  readonly args: readonly string[];
  /** added to the container's own */
  readonly env: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
  readonly privileged?: boolean;
  /** needs stdin "inherit" */
  readonly terminal: boolean;
  /** "inherit": this process's own stdin, stdout and stderr; "none": no stdin, output to onOutput */
  readonly stdin: AsyncIterable<Uint8Array> | "inherit" | "none";
  readonly onOutput?: (stream: 1 | 2, data: Uint8Array) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface ExecResult {
  readonly exitCode: number;
  /** why nothing was started, in Docker's words; exitCode is 126 or 127 then */
  readonly startError?: string;
}

/** Fails with CONTAINER_NOT_FOUND, CONTAINER_NOT_RUNNING, USER_NOT_FOUND; CANCELED after an abort, which kills the process. */
export async function execInContainer(host: ContainerHost, nameOrId: string, options: ExecOptions): Promise<ExecResult> {
  const record = requireContainer(host.records, nameOrId);
  const state = containerState(host, record);
  if (state.status !== "running") throw notRunning(record);
  const runtime = runtimeOf(record);
  const directory = `${containerFiles(host, record).run}/exec-${randomBytes(6).toString("hex")}`;
  mkdirSync(directory, { mode: 0o700 });
  try {
    writeFileSync(`${directory}/process.json`, JSON.stringify(execProcess(record, runtime, options, `/proc/${state.pid}/root`)), { mode: 0o600 });
    return await runExec(record, runtime, { files: containerFiles(host, record), directory, options });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The user's name is looked up in the container as it is now. */
function execProcess(record: ContainerRecord, runtime: OciRuntime, options: ExecOptions, rootfs: string): OciProcess {
  const { config } = record;
  const user = resolveUserIn(rootfs, options.user ?? config.user, { forExec: true });
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

async function runExec(
  record: ContainerRecord,
  runtime: OciRuntime,
  { files, directory, options }: { readonly files: ContainerFiles; readonly directory: string; readonly options: ExecOptions },
): Promise<ExecResult> {
  const inherit = options.stdin === "inherit";
  const log = `${directory}/runtime.log`;
  const pidFile = `${directory}/pid`;
  const args = ["exec", "--process", `${directory}/process.json`, "--pid-file", pidFile, ...(options.terminal ? ["--tty"] : []), record.id];
  const call = runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true, log }, args);
  const output = inherit ? undefined : ([createOutputPipe(directory, "out"), createOutputPipe(directory, "err")] as const);
  const input = typeof options.stdin === "string" ? undefined : createInputPipe(directory, "in");
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn(call.file, [...call.args], {
    cwd: "/",
    stdio: output === undefined ? "inherit" : [input?.readFd ?? "ignore", output[0].writeFd, output[1].writeFd],
  });
  for (const fd of [input?.readFd, output?.[0].writeFd, output?.[1].writeFd]) if (fd !== undefined) closeSync(fd);
  const stopFollowing = options.terminal ? followTerminalSize(pidFile) : undefined;
  const onAbort = (): void => killExec(child, pidFile);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const code = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode) => resolve(exitCode ?? 137));
  });
  if (typeof options.stdin !== "string") void input?.pump(options.stdin);
  const filter = new StartFailureFilter(log, (data) => options.onOutput?.(2, data));
  try {
    const [exitCode] = await Promise.all([
      code,
      ...(output === undefined ? [] : [pump(output[0].chunks, (data) => options.onOutput?.(1, data)), pump(output[1].chunks, (data) => filter.write(data))]),
    ]);
    await filter.finish();
    if (options.signal?.aborted === true) throw new SlipwayError("canceled", "CANCELED", "canceled", {}, options.signal.reason);
    const failure = filter.failureOf(exitCode, options.args);
    return failure === undefined ? { exitCode } : { exitCode: failure.exitCode, startError: `OCI runtime exec failed: exec failed: ${failure.message}` };
  } finally {
    stopFollowing?.();
    options.signal?.removeEventListener("abort", onAbort);
  }
}

/** The runtime copies our terminal's size only when it begins (crun 1.8). The answer ends it. */
function followTerminalSize(pidFile: string): () => void {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const script = 'set -- $(stty size) && exec stty -F "/proc/$0/fd/0" rows "$1" cols "$2"';
  const onResize = (): void => {
    const pid = readPidFile(pidFile);
    if (pid !== undefined) spawn("/bin/sh", ["-c", script, String(pid)], { stdio: ["inherit", "ignore", "ignore"] }).on("error", () => undefined);
  };
  process.on("SIGWINCH", onResize);
  return () => process.off("SIGWINCH", onResize);
}

function killExec(child: { kill(signal: NodeJS.Signals): boolean }, pidFile: string): void {
  const pid = readPidFile(pidFile);
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // gone already
  }
  child.kill("SIGKILL");
}

async function pump(chunks: AsyncIterable<Uint8Array>, sink: (data: Uint8Array) => void | Promise<void>): Promise<void> {
  for await (const chunk of chunks) await sink(chunk);
}
