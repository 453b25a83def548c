/** Questions to the system's git about a directory. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

const timeoutMs = 30_000;
const maxAnswerBytes = 1 << 28;

/** `anybodys`: another user's repository answers too; nothing that its settings name is run, and nothing is fetched. */
export interface GitQuestion {
  readonly anybodys?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A hook is called with these: the directory that is asked of may lie in another repository. */
const ofARepository = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_PREFIX",
  "GIT_SHALLOW_FILE",
  "GIT_GRAFT_FILE",
];

/** This process's, for a git that asks nobody and speaks English. */
export function gitEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, GIT_TERMINAL_PROMPT: "0", LC_ALL: "C" };
  for (const name of ofARepository) delete env[name];
  return env;
}

/** What git is called with. */
export interface GitCall {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export function gitCall(directory: string, words: readonly string[], anybodys = false): GitCall {
  const careful = anybodys ? ["-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false"] : [];
  const own = anybodys ? { GIT_CONFIG_NOSYSTEM: "1", GIT_ALLOW_PROTOCOL: "none", GIT_NO_REPLACE_OBJECTS: "1" } : {};
  const env = { ...gitEnvironment(), ...own, GIT_OPTIONAL_LOCKS: "0" };
  return { args: [...careful, "-C", directory, ...words], env };
}

/** What it prints, without the last line's end; undefined where it fails, whyever: no git, no repository, no such thing in it. */
export async function askGit(directory: string, words: readonly string[], { anybodys = false, signal }: GitQuestion = {}): Promise<string | undefined> {
  const { args, env } = gitCall(directory, words, anybodys);
  try {
    const asked = promisify(execFile)("git", args, { env, signal, timeout: timeoutMs, maxBuffer: maxAnswerBytes });
    return (await asked).stdout.replace(/\n$/, "");
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
