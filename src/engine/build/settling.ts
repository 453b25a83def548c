/** What two checkouts of one commit have in common: the commit's time and the modes that git knows, where the clock and the umask had been. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import type { BuildOptions } from "../api.ts";
import type { SettledFiles } from "./context-view.ts";
import type { OpenedContext } from "./open-context.ts";

/** How a build treats the files of its contexts. */
export interface Settling {
  /** a layer that has them at other times is another one */
  readonly inKeys: boolean;
  /** of a directory of this machine; undefined: all its files stay as they are */
  readonly of: (directory: string) => Promise<SettledFiles | undefined>;
  /** of a repository that was fetched, by its commit's time in seconds */
  readonly fetched: (commitTime: string) => SettledFiles;
}

/**
 * - `--reproducible`: all files, at SOURCE_DATE_EPOCH, which is the commit's time unless it is given.
 * - SOURCE_DATE_EPOCH alone: what git tracks, at that time; other files of a folder stay as they lie there.
 * - else what was fetched from repositories, at the time of its commit: when it was fetched is nobody's concern.
 *
 * `checkout`: where git is asked, if not in the context itself. Fails with NO_COMMIT_TIME where the context is no checkout and nobody says a time.
 */
export async function settle(
  options: BuildOptions,
  context: OpenedContext,
  signal: AbortSignal,
  checkout = context.directory,
): Promise<{ readonly options: BuildOptions; readonly settling: Settling }> {
  const given = options.buildArgs?.["SOURCE_DATE_EPOCH"] ?? "";
  if (options.reproducible === true) {
    const epoch = given === "" ? await commitTimeOf(options, context.commitTime, checkout, signal) : given;
    const all = { seconds: Number(epoch) };
    const timed = { ...options, buildArgs: { ...options.buildArgs, SOURCE_DATE_EPOCH: epoch } };
    return { options: timed, settling: { inKeys: true, of: async () => all, fetched: () => all } };
  }
  const { commitTime } = context;
  const inKeys = /^\d+$/.test(given);
  const fetched = (time: string): SettledFiles => ({ seconds: Number(inKeys ? given : time) });
  const of = async (directory: string): Promise<SettledFiles | undefined> => {
    const isContext = directory === context.directory;
    if (isContext && commitTime !== undefined) return fetched(commitTime);
    const tracked = inKeys ? await trackedFiles(isContext ? checkout : directory, signal) : undefined;
    return tracked === undefined ? undefined : { seconds: Number(given), tracked };
  };
  return { options, settling: { inKeys, of, fetched } };
}

async function commitTimeOf({ context }: BuildOptions, known: string | undefined, checkout: string, signal: AbortSignal): Promise<string> {
  if (known !== undefined) return known;
  const told = context.kind === "directory" ? await ask(checkout, ["rev-list", "--max-count=1", "--timestamp", "HEAD"], signal) : undefined;
  const seconds = /^(\d+) [0-9a-f]+$/m.exec(told ?? "")?.[1];
  if (seconds !== undefined) return seconds;
  throw new SlipwayError(
    "failed_precondition",
    "NO_COMMIT_TIME",
    "--reproducible: the context is no checkout of a git repository with a commit, so nothing says which time to take",
    { remedy: "set SOURCE_DATE_EPOCH, in seconds since 1970" },
  );
}

/** The files and their directories, relative; undefined where the directory is in no work tree, or git is not there to tell. */
async function trackedFiles(directory: string, signal: AbortSignal): Promise<ReadonlySet<string> | undefined> {
  if (!isInCheckout(directory)) return undefined;
  const told = await ask(directory, ["ls-files", "-z", "--recurse-submodules"], signal);
  if (told === undefined) return undefined;
  const tracked = new Set([""]);
  for (const file of told.split("\0")) {
    for (let path = file; path !== "." && !tracked.has(path); path = dirname(path)) tracked.add(path);
  }
  return tracked.size === 1 ? undefined : tracked;
}

function isInCheckout(directory: string): boolean {
  for (let at = directory; ; at = dirname(at)) {
    if (existsSync(join(at, ".git"))) return true;
    if (at === dirname(at)) return false;
  }
}

async function ask(directory: string, words: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  return await (await import("./ask-git.ts")).askGit(directory, words, { anybodys: true, signal });
}
