/** What git knows of a directory: which of its files are as the commit has them, and when each was changed last. */
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { isSlipwayError } from "../../base/errors.ts";
import { readContent } from "../../solver/file-digests.ts";
import { parentOf, rootNode, type FileNode } from "../../store/index.ts";
import { askGit } from "./ask-git.ts";
import { formatFacts, parseFacts, readRecord, writeRecord, type CheckoutRecord, type FileFacts, type StagedFile } from "./checkout-record.ts";
import { askHistory } from "./commit-times.ts";
import type { SettledFiles } from "./context-view.ts";

export interface CheckoutRequest {
  readonly directory: string;
  /** where git is asked, if not there */
  readonly checkout: string;
  /** where the answers are kept, by the directory that git was asked in */
  readonly recordOf: (directory: string) => string;
  readonly temporaryPath: () => string;
  readonly signal: AbortSignal;
}

/**
 * undefined: no commit, none of its files below the directory, or git is not there to tell. Contents are compared by what git noted of them, and
 * read where that is not enough; nothing that converts contents is run for it, so what such a filter made counts as changed once it was touched.
 */
export async function readCheckout(request: CheckoutRequest): Promise<Checkout | undefined> {
  const { directory, checkout } = request;
  const asked = await ask(request, "rev-parse", "HEAD^{commit}", "--is-shallow-repository", "--absolute-git-dir");
  const [, head, shallow, gitDirectory = ""] = /^([0-9a-f]+)\n(true|false)\n([^]+)$/.exec(asked ?? "") ?? [];
  const stat = statSync(join(gitDirectory, "index"), { bigint: true, throwIfNoEntry: false });
  if (head === undefined || stat === undefined) return undefined;
  const index = `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`;
  const state = { head, shallow: shallow === "true", index };
  const record = request.recordOf(checkout);
  const kept = readRecord(record);
  const isKept = kept?.head === head && kept.index === index && kept.shallow === state.shallow;
  const files = isKept ? kept.files : await learn(request, state, kept, stat.mtimeNs);
  if (files === undefined || files.size === 0) return undefined;
  if (!isKept) writeRecord(record, request.temporaryPath(), { ...state, files });
  // made with the umask of the checkout; a copy was made under one of its own
  const umask = ~statSync(checkout === directory ? gitDirectory : directory).mode & 0o077;
  return new Checkout({ head, files, umask, submodules: await submodulesOf(request, files) });
}

/** By path. One that is not at the commit that the index has, or not there at all, is none. */
async function submodulesOf(request: CheckoutRequest, files: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, Checkout | undefined>> {
  const submodules = new Map<string, Checkout | undefined>();
  for (const [path, facts] of files) {
    const { staged } = facts.includes(" submodule ") ? parseFacts(facts) : {};
    if (staged?.type !== "submodule") continue;
    const [directory, checkout] = [join(request.directory, path), join(request.checkout, path)];
    const isThere = existsSync(join(checkout, ".git"));
    const submodule = isThere ? await readCheckout({ ...request, directory, checkout }) : undefined;
    submodules.set(path, submodule?.head === staged.object ? submodule : undefined);
  }
  return submodules;
}

async function ask({ checkout, signal }: CheckoutRequest, ...words: readonly string[]): Promise<string | undefined> {
  return await askGit(checkout, words, { anybodys: true, signal });
}

type State = Omit<CheckoutRecord, "files">;

async function learn(
  request: CheckoutRequest,
  state: State,
  kept: CheckoutRecord | undefined,
  indexNs: bigint,
): Promise<ReadonlyMap<string, string> | undefined> {
  const [listed, staged, times] = await Promise.all([
    ask(request, "ls-files", "--stage", "--debug", "-z", "--", "."),
    ask(request, "diff-index", "--cached", "--name-only", "--relative", "-z", "HEAD", "--", "."),
    timesOf(request, state, kept),
  ]);
  if (listed === undefined || staged === undefined || times === undefined) return undefined;
  const files = new Map<string, string>();
  for (const [path, file] of parseIndex(listed, indexNs)) files.set(path, formatFacts({ seconds: times(path), staged: file }));
  for (const path of staged.split("\0")) if (path !== "") files.set(path, formatFacts({ seconds: times(path), staged: undefined }));
  return files;
}

async function timesOf(
  { checkout, signal }: CheckoutRequest,
  { head, shallow }: State,
  kept: CheckoutRecord | undefined,
): Promise<((path: string) => number | undefined) | undefined> {
  const known = kept?.shallow === shallow ? kept : undefined;
  const keptTime = (path: string): number | undefined => {
    const facts = known?.files.get(path);
    return facts === undefined ? undefined : parseFacts(facts).seconds;
  };
  if (known?.head === head) return keptTime;
  const history = await askHistory({ directory: checkout, head, shallow, until: known?.head, signal });
  if (history === undefined) return undefined;
  return (path) => history.times.get(path) ?? (history.isContinued ? keptTime(path) : undefined);
}

const entryPattern = /^(?:(?: {2}.*\n)*? {2}mtime: (\d+):(\d+)\n(?: {2}.*\n)*? {2}size: (\d+)\t.*\n)?(?:(\d{6}) ([0-9a-f]+) (\d)\t([^]*))?$/;

const types: Readonly<Record<string, StagedFile["type"]>> = { "100644": "file", "100755": "executable", "120000": "symlink", "160000": "submodule" };

/** Without what is in conflict. What is no older than the index may have changed after git looked. */
function* parseIndex(text: string, indexNs: bigint): Generator<readonly [string, StagedFile]> {
  let before: RegExpExecArray | undefined;
  for (const token of text === "" ? [] : `${text}\n`.split("\0")) {
    const found = entryPattern.exec(token) ?? undefined;
    const [, , , , mode = "", object = "", stage, path = ""] = before ?? [];
    const type = types[mode];
    if (found !== undefined && type !== undefined && stage === "0") {
      const [, seconds = "0", nanoseconds = "0", size = "0"] = found;
      const mtimeNs = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
      // a symlink has no size in a stamp, and a size above 2^32 is not noted whole
      const isSure = mtimeNs < indexNs && (type === "file" || type === "executable") && Number(size) > 0;
      yield [path, { type, object, seen: isSure ? `${size}:${mtimeNs}:` : "" }];
    }
    before = found;
  }
}

interface CheckoutState {
  readonly head: string;
  readonly files: ReadonlyMap<string, string>;
  readonly umask: number;
  readonly submodules: ReadonlyMap<string, Checkout | undefined>;
}

export class Checkout {
  /** the commit that it is of */
  readonly head: string;
  readonly #files: ReadonlyMap<string, string>;
  readonly #umask: number;
  readonly #submodules: ReadonlyMap<string, Checkout | undefined>;

  constructor({ head, files, umask, submodules }: CheckoutState) {
    this.head = head;
    this.#files = files;
    this.#umask = umask;
    this.#submodules = submodules;
  }

  /** Files that are as the commit has them, at the time of their last change; a directory is as old as the newest in it. `ignored` does not count. */
  settled(ignored: (path: string) => boolean): SettledFiles {
    let directories: ReadonlyMap<string, number> | undefined;
    const compared = new Map<string, boolean>();
    const submodules = Array.from(this.#submodules, ([place, submodule]) => [place, submodule?.settled((path) => ignored(`${place}/${path}`))] as const);
    const secondsOf = (path: string, node: FileNode): number | undefined => {
      const inside = submodules.find(([place]) => path === place || path.startsWith(`${place}/`));
      if (inside !== undefined) return secondsInside(inside[1], path.slice(inside[0].length + 1), node);
      if (node.type === "directory") return this.#hasMode(node, 0o777) ? (directories ??= this.directoryTimes(ignored)).get(path) : undefined;
      const { seconds, staged } = this.#factsOf(path);
      if (seconds === undefined || staged === undefined || !this.#isAlike(staged, node)) return undefined;
      let isSame = compared.get(path);
      if (isSame === undefined) compared.set(path, (isSame = hasContent(staged, node)));
      return isSame ? seconds : undefined;
    };
    return { inKeys: true, secondsOf };
  }

  #factsOf(path: string): FileFacts {
    return parseFacts(this.#files.get(path) ?? "-");
  }

  /** Submodules count with what is newest in them. */
  directoryTimes(ignored: (path: string) => boolean): ReadonlyMap<string, number> {
    const directories = new Map<string, number>();
    for (const [path, facts] of this.#files) {
      const submodule = this.#submodules.get(path);
      const inside = submodule?.directoryTimes((below) => ignored(`${path}/${below}`)).get("");
      const seconds = this.#submodules.has(path) ? inside : parseFacts(facts).seconds;
      if (seconds === undefined || ignored(path)) continue;
      for (let at = path; at !== "" && (directories.get(parentOf(at)) ?? -1) < seconds; at = parentOf(at)) directories.set(parentOf(at), seconds);
    }
    return directories;
  }

  #isAlike({ type }: StagedFile, node: FileNode): boolean {
    if (type === "symlink" || node.type === "symlink") return type === node.type;
    const isExecutable = (node.mode & 0o100) !== 0;
    return node.type === "file" && isExecutable === (type === "executable") && this.#hasMode(node, isExecutable ? 0o777 : 0o666);
  }

  /** What somebody has given a mode of their own is not what a checkout makes. */
  #hasMode({ mode }: FileNode, full: number): boolean {
    return mode === (full & ~this.#umask) || mode === (full & ~0o022);
  }
}

/** Every checkout of a submodule has the same `.git`: a file that leads to the one of the whole. */
function secondsInside(submodule: SettledFiles | undefined, path: string, node: FileNode): number | undefined {
  return path === ".git" && node.type === "file" ? submodule?.secondsOf("", rootNode) : submodule?.secondsOf(path, node);
}

/** What cannot be read is told of where it is copied. */
function hasContent({ object, seen }: StagedFile, node: FileNode): boolean {
  if (seen !== "" && node.stamp.startsWith(seen)) return true;
  try {
    return objectOf(node, object.length === 64 ? "sha256" : "sha1") === object;
  } catch (error) {
    if (isSlipwayError(error)) return false;
    throw error;
  }
}

/** A blob's name. @see https://git-scm.com/book/en/v2/Git-Internals-Git-Objects */
function objectOf(node: FileNode, algorithm: "sha1" | "sha256"): string {
  const hash = createHash(algorithm);
  if (node.type === "symlink") return hash.update(`blob ${Buffer.byteLength(node.linkname)}\0${node.linkname}`).digest("hex");
  hash.update(`blob ${node.size}\0`);
  for (const chunk of readContent(node.diskPath ?? "", node.size)) hash.update(chunk);
  return hash.digest("hex");
}
