/** A program that the user's configuration names, for what it prints. */
import type { Env } from "../config-files.ts";

const timeoutMs = 60_000;
const maxOutputBytes = 256 * 1024;

/** Runs the line in a shell, as AWS's own tools do; undefined where it fails, takes longer than a minute or prints too much. */
export function createCommandRunner(env: Env): (command: string) => Promise<string | undefined> {
  return (command) =>
    new Promise((resolve) => {
      const { execFile } = process.getBuiltinModule("node:child_process");
      const options = { env: env as NodeJS.ProcessEnv, timeout: timeoutMs, maxBuffer: maxOutputBytes, killSignal: "SIGKILL" } as const;
      execFile("/bin/sh", ["-c", command], options, (error, stdout) => resolve(error === null ? stdout : undefined));
    });
}
