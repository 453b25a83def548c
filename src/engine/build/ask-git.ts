/** Questions to the system's git about a directory. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const timeoutMs = 30_000;
const maxAnswerBytes = 1 << 28;

/** `anybodys`: another user's repository answers too; nothing that its settings name is run. */
export interface GitQuestion {
  readonly anybodys?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** What it prints, without the last line's end; undefined where it fails, whyever: no git, no repository, no such thing in it. */
export async function askGit(directory: string, words: readonly string[], { anybodys = false, signal }: GitQuestion = {}): Promise<string | undefined> {
  const careful = anybodys ? ["-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"] : [];
  const own = anybodys ? { GIT_CONFIG_NOSYSTEM: "1" } : {};
  const env = { ...process.env, ...own, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  try {
    const asked = promisify(execFile)("git", [...careful, "-C", directory, ...words], { env, signal, timeout: timeoutMs, maxBuffer: maxAnswerBytes });
    return (await asked).stdout.replace(/\n$/, "");
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
