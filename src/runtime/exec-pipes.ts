/** A further process in a container on plain pipes: what it prints comes as it is, and it ends with its caller. */
import { closeSync } from "node:fs";
import { SlipwayError } from "../base/errors.ts";
import { readPidFile } from "./conmon.ts";
import type { ExecCall, ExecResult } from "./container-exec.ts";
import { runtimeCall } from "./oci-runtime.ts";
import { StartFailureFilter } from "./start-failure-filter.ts";
import { createInputPipe, createOutputPipe } from "./step-pipes.ts";

/** CANCELED after an abort, which kills the process. */
export async function runExecOnPipes({ record, runtime, files, directory, options }: ExecCall): Promise<ExecResult> {
  const log = `${directory}/runtime.log`;
  const pidFile = `${directory}/pid`;
  const args = ["exec", "--process", `${directory}/process.json`, "--pid-file", pidFile, record.id];
  const call = runtimeCall(runtime, { root: files.runtimeRoot, cgroups: true, log }, args);
  const [out, err] = [createOutputPipe(directory, "out"), createOutputPipe(directory, "err")];
  const input = options.stdin === "none" ? undefined : createInputPipe(directory, "in");
  const { spawn } = process.getBuiltinModule("node:child_process");
  const child = spawn(call.file, [...call.args], { cwd: "/", stdio: [input?.readFd ?? "ignore", out.writeFd, err.writeFd] });
  for (const fd of [input?.readFd, out.writeFd, err.writeFd]) if (fd !== undefined) closeSync(fd);
  const onAbort = (): void => killExec(child, pidFile);
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const code = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (exitCode) => resolve(exitCode ?? 137));
  });
  if (options.stdin !== "none") void input?.pump(options.stdin);
  const filter = new StartFailureFilter(log, (data) => options.onOutput?.(2, data));
  try {
    const [exitCode] = await Promise.all([code, pump(out.chunks, (data) => options.onOutput?.(1, data)), pump(err.chunks, (data) => filter.write(data))]);
    await filter.finish();
    if (options.signal?.aborted === true) throw new SlipwayError("canceled", "CANCELED", "canceled", {}, options.signal.reason);
    const failure = filter.failureOf(exitCode, options.args);
    return failure === undefined ? { exitCode } : { exitCode: failure.exitCode, startError: execFailed(failure.message) };
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
  }
}

export function execFailed(message: string): string {
  return `OCI runtime exec failed: exec failed: ${message}`;
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
