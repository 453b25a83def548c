/** When each file of a checkout was changed last, in the history that leads to its commit. */
import { spawn } from "node:child_process";
import { gitCall } from "./ask-git.ts";

export interface HistoryRequest {
  readonly directory: string;
  /** the commit that is asked of */
  readonly head: string;
  /** the clone is shallow: its oldest commits have what was there before them, too */
  readonly shallow: boolean;
  /** a commit that this was asked of before: no farther, if it is on the way */
  readonly until: string | undefined;
  readonly signal: AbortSignal;
}

export interface History {
  /** seconds since 1970 by path, relative to the directory */
  readonly times: ReadonlyMap<string, number>;
  /** what is missing is as it was at `until` */
  readonly isContinued: boolean;
}

// Every commit of the line, also those that change nothing here: one of them may be where an earlier answer begins.
const logWords = [
  "log",
  "--first-parent",
  "-m",
  "--sparse",
  "--no-renames",
  "--no-ext-diff",
  "--name-only",
  "-z",
  "--relative",
  "--format=format:%x01%H %ct %P",
];

/** A commit's line stands before its first file, parted from it by a line's end. */
const commitPattern = /^\n?\u0001([0-9a-f]+) (\d+) ?([0-9a-f ]*)(?:\n|$)/;

/** A merge counts as one change of all that it brings: the first parents' line is what was checked out over time. undefined: git does not tell. */
export async function askHistory({ directory, head, shallow, until, signal }: HistoryRequest): Promise<History | undefined> {
  const { args, env } = gitCall(directory, [...logWords, head, "--", "."], true);
  const git = spawn("git", args, { env, stdio: ["ignore", "pipe", "ignore"], signal });
  const ended = new Promise<boolean>((resolve) => {
    git.on("error", () => resolve(false));
    git.on("close", (code) => resolve(code === 0));
  });
  const times = new Map<string, number>();
  let seconds: number | undefined;
  /** false: what comes now is known */
  const take = (token: string): boolean => {
    const commit = commitPattern.exec(token);
    const file = commit === null ? token : token.slice(commit[0].length);
    if (commit !== null && commit[1] === until) return false;
    if (commit !== null) seconds = shallow && commit[3] === "" ? undefined : Number(commit[2]);
    if (file !== "" && seconds !== undefined && !times.has(file)) times.set(file, seconds);
    return true;
  };
  let rest = "";
  try {
    for await (const chunk of git.stdout.setEncoding("utf8")) {
      const tokens = (rest + String(chunk)).split("\0");
      rest = tokens.pop() ?? "";
      if (!tokens.every(take)) {
        git.kill();
        return { times, isContinued: true };
      }
    }
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
  const isContinued = !take(rest);
  return (await ended) ? { times, isContinued } : undefined;
}
