/** What two checkouts of one commit have in common: times and modes that git knows, where the clock and the umask had been. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import type { IgnoreMatcher } from "../../dockerfile/ignore.ts";
import { contextIndexPath } from "../../solver/file-digests.ts";
import type { Store } from "../../store/index.ts";
import { nodeAt } from "../../store/directory-view.ts";
import type { BuildOptions } from "../api.ts";
import type { Checkout } from "./checkout.ts";
import { allSettled, type SettledFiles } from "./context-view.ts";
import type { OpenedContext } from "./open-context.ts";

/** How a build treats the files of its contexts. */
export interface Settling {
  /** of a directory of this machine; undefined: all its files stay as they are */
  readonly of: (directory: string, ignore?: IgnoreMatcher) => Promise<SettledFiles | undefined>;
  /** of a repository that was fetched, by its commit's time in seconds */
  readonly fetched: (commitTime: string) => Promise<SettledFiles>;
  /** each step has the time of what it is made of; undefined: time goes by as elsewhere */
  readonly clocks?: StepTimes | undefined;
}

/** Of a context that is a checkout. */
export interface StepTimes {
  /** false: it is none after all */
  readonly known: () => Promise<boolean>;
  /** seconds since 1970 of the Dockerfile's last change; undefined: no commit has it so */
  readonly definition: () => Promise<number | undefined>;
}

export interface SettleRequest {
  readonly options: BuildOptions;
  readonly context: OpenedContext;
  /** where the Dockerfile lies, if it is a file */
  readonly dockerfile: string | undefined;
  readonly store: Store;
  readonly signal: AbortSignal;
  /** where git is asked, if not in the context itself */
  readonly checkout?: string | undefined;
}

/**
 * - `--reproducible`: all files, at SOURCE_DATE_EPOCH, which is the commit's time unless it is given.
 * - SOURCE_DATE_EPOCH alone: what git tracks, at that time; other files of a folder stay as they lie there.
 * - else, in a checkout: what is as the commit has it, at the time of its last change, and steps that are made of nothing else at the newest of those
 *   (`--reproducible=false`: nothing of that).
 * - What was fetched from repositories is from the time of its commit in any case: when it was fetched is nobody's concern.
 *
 * Fails with NO_COMMIT_TIME where the context is no checkout and nobody says a time.
 */
export async function settle(request: SettleRequest): Promise<{ readonly options: BuildOptions; readonly settling: Settling }> {
  const { options, context, signal } = request;
  const given = options.buildArgs?.["SOURCE_DATE_EPOCH"] ?? "";
  if (options.reproducible === true) {
    const epoch = given === "" ? await commitTimeOf(options, context.commitTime, request.checkout ?? context.directory, signal) : given;
    const all = async (): Promise<SettledFiles> => allSettled(Number(epoch), true);
    const timed = { ...options, buildArgs: { ...options.buildArgs, SOURCE_DATE_EPOCH: epoch } };
    return { options: timed, settling: { of: all, fetched: all } };
  }
  if (/^\d+$/.test(given)) return { options, settling: settlingAt(Number(given), request) };
  const isCheckout = options.reproducible !== false && given === "" && !context.foreign;
  return { options, settling: isCheckout ? settlingByCommit(request) : unsettled(context) };
}

function unsettled({ directory, commitTime }: OpenedContext): Settling {
  return {
    of: async (asked) => (asked === directory && commitTime !== undefined ? allSettled(Number(commitTime), false) : undefined),
    fetched: async (time) => allSettled(Number(time), false),
  };
}

function settlingAt(seconds: number, { context, checkout, signal }: SettleRequest): Settling {
  const all = allSettled(seconds, true);
  const of = async (directory: string): Promise<SettledFiles | undefined> => {
    const isContext = directory === context.directory;
    if (isContext && context.commitTime !== undefined) return all;
    const tracked = await trackedFiles(isContext ? (checkout ?? directory) : directory, signal);
    return tracked === undefined ? undefined : { inKeys: true, secondsOf: (path) => (tracked.has(path) ? seconds : undefined) };
  };
  return { of, fetched: async () => all };
}

function settlingByCommit({ context, dockerfile, store, checkout, signal }: SettleRequest): Settling {
  const checkouts = new Map<string, Promise<Checkout | undefined>>();
  const checkoutOf = (directory: string): Promise<Checkout | undefined> => {
    const known = checkouts.get(directory) ?? openCheckout(directory);
    checkouts.set(directory, known);
    return known;
  };
  const openCheckout = async (directory: string): Promise<Checkout | undefined> => {
    const asked = directory === context.directory ? (checkout ?? directory) : directory;
    if (!isInCheckout(asked)) return undefined;
    const { readCheckout } = await import("./checkout.ts");
    const recordOf = (place: string): string => `${contextIndexPath(store.layout.contexts, place)}.checkout`;
    return await readCheckout({ directory, checkout: asked, recordOf, temporaryPath: () => store.lease().temporaryPath("checkout"), signal });
  };
  const of = async (directory: string, ignore?: IgnoreMatcher): Promise<SettledFiles | undefined> =>
    (await checkoutOf(directory))?.settled((path) => ignore?.matches(path) === true);
  const known = async (): Promise<boolean> => (await checkoutOf(context.directory)) !== undefined;
  const definitionSeconds = async (): Promise<number | undefined> => {
    if (dockerfile === undefined) return undefined;
    const real = realpathSync(dockerfile);
    const inContext = relative(context.directory, real);
    const directory = inContext.startsWith("../") ? dirname(real) : context.directory;
    const node = nodeAt(real);
    return node === undefined ? undefined : (await of(directory))?.secondsOf(relative(directory, real), node);
  };
  // git answers while the build begins; a Dockerfile that was removed since it was read is no commit's
  const definition = definitionSeconds().catch(() => undefined);
  return { of, fetched: async (time) => allSettled(Number(time), await known()), clocks: { known, definition: async () => await definition } };
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
