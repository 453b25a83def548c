/** ADD's remote sources as trees: a repository's work tree, a downloaded file. */
import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { GitOp, HttpOp } from "../../graph/op.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { gitKey, httpKey } from "../../solver/buildkit-keys/source-keys.ts";
import { FileDigests } from "../../solver/file-digests.ts";
import type { Result } from "../../solver/results.ts";
import type { Store } from "../../store/index.ts";
import { lutimesNs } from "../../store/syscalls.ts";
import { commitDigest, type SourceRevisions } from "../provenance/build-facts.ts";
import { ContextView, type SettledFiles } from "./context-view.ts";
import { downloadFile } from "./download.ts";
import { cloneRepository } from "./git-source.ts";
import type { Settling } from "./settling.ts";

type Tree = Extract<Result, { kind: "tree" }>;

function treeOf(root: string, key: string | undefined, files?: SettledFiles): Tree {
  const view = new ContextView(root, undefined, files);
  return { kind: "tree", root, tree: { view, digests: new FileDigests(), origin: { kind: "remote", key }, settled: view.keyed } };
}

/** What remote sources have to be, whatever their addresses have now. */
export interface SourcePins {
  /** `sha256:…`, or "" */
  readonly checksum: (op: HttpOp) => string;
  /** the whole commit, or "" */
  readonly commit: (op: GitOp) => string;
  /** the failure to throw where a source is something else */
  readonly differs: (op: GitOp | HttpOp, failure: SlipwayError) => SlipwayError;
}

async function asPinned<T>(op: GitOp | HttpOp, pins: SourcePins | undefined, fetched: Promise<T>): Promise<T> {
  try {
    return await fetched;
  } catch (error) {
    const isOther = isSlipwayError(error, "CHECKSUM_MISMATCH") || isSlipwayError(error, "GIT_CHECKSUM_MISMATCH") || isSlipwayError(error, "GIT_REF_NOT_FOUND");
    throw pins !== undefined && isOther ? pins.differs(op, error) : error;
  }
}

export interface FetchOptions {
  readonly signal: AbortSignal;
  readonly pins?: SourcePins | undefined;
  readonly settling: Settling;
  /** receives what the source is */
  readonly revisions: SourceRevisions;
}

export async function gitTree(store: Store, vertex: Vertex, { signal, pins, settling, revisions }: FetchOptions): Promise<Tree> {
  if (vertex.op.type !== "git") throw new SlipwayError("internal", "INTERNAL", "not a git source");
  const directory = store.layers.workDirectory("git");
  const { op } = vertex;
  const pinned = pins?.commit(op) ?? "";
  const request = pinned === "" ? op : { ...op, ref: pinned, checksum: pinned };
  const { path, commit, timestamp } = await beforeKey(asPinned(op, pinned === "" ? undefined : pins, cloneRepository({ ...request, directory, signal })));
  revisions.note(vertex, commitDigest(commit));
  return treeOf(path, gitKey(op, commit), await settling.fetched(timestamp));
}

const codesBeforeKey: ReadonlySet<string> = new Set([
  "DOWNLOAD_FAILED",
  "GIT_FAILED",
  "GIT_REF_NOT_FOUND",
  "GIT_REF_MALFORMED",
  "GIT_CHECKSUM_MALFORMED",
  "GIT_CHECKSUM_MISMATCH",
]);

/** Docker asks for what identifies a remote source before it fetches any, and its words tell which of the two failed. */
export async function beforeKey<T>(fetched: Promise<T>): Promise<T> {
  try {
    return await fetched;
  } catch (error) {
    if (!(error instanceof SlipwayError) || !codesBeforeKey.has(error.code)) throw error;
    // a whole commit is the key, and found wrong when it is checked out
    if (error.code === "GIT_CHECKSUM_MISMATCH" && String(error.details["expected"]).length >= 40) throw error;
    throw new SlipwayError(error.kind, error.code, `failed to load cache key: ${error.message}`, error.details, error);
  }
}

/** The file has mode 0600 and the time of Last-Modified, or the epoch. */
export async function httpTree(store: Store, vertex: Vertex, { signal, pins, revisions }: Omit<FetchOptions, "settling">): Promise<Tree> {
  if (vertex.op.type !== "http") throw new SlipwayError("internal", "INTERNAL", "not an http source");
  const directory = store.layers.workDirectory("http");
  const { url, fileName, checksum } = vertex.op;
  // The name comes from the URL: only its last part may count.
  const name = fileName.includes("/") || fileName === "." || fileName === ".." ? createHash("sha256").update(url).digest("hex") : fileName;
  const path = join(directory, name);
  const pinned = pins?.checksum(vertex.op) ?? "";
  const { modifiedMs, lastModified, sha256 } = await beforeKey(
    asPinned(vertex.op, pinned === "" ? undefined : pins, downloadFile({ url, path, checksum: checksum || pinned, signal })),
  );
  revisions.note(vertex, { sha256 });
  chmodSync(path, 0o600);
  const modifiedNs = BigInt(modifiedMs ?? 0) * 1_000_000n;
  lutimesNs(path, modifiedNs, modifiedNs);
  return treeOf(directory, httpKey(fileName, sha256, checksum === "" ? lastModified : ""));
}
