/** Runs a short program of the system to its end, with bounded output and a deadline. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

export interface ProgramOptions {
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Its stdout. PROGRAM_FAILED (internal) with what it said on stderr when it does not exit with 0; details.exitCode has the code. */
export function runProgram(file: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { execFile } = process.getBuiltinModule("node:child_process");
  const settings = {
    cwd: "/",
    timeout: options.timeoutMs ?? 30_000,
    maxBuffer: 1 << 20,
    killSignal: "SIGKILL" as const,
    ...(options.env === undefined ? {} : { env: { ...process.env, ...options.env } }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  return new Promise((resolve, reject) => {
    execFile(file, [...args], settings, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const words = printable(stderr.trim() === "" ? error.message : stderr.trim());
      return reject(new SlipwayError("internal", "PROGRAM_FAILED", words, { program: file, exitCode: error.code ?? -1 }, error));
    });
  });
}
