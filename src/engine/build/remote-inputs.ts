/** ADD's remote sources as trees: a repository's work tree, a downloaded file. */
import { createHash } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { gitKey, httpKey } from "../../solver/buildkit-keys/source-keys.ts";
import { FileDigests } from "../../solver/file-digests.ts";
import type { Result } from "../../solver/results.ts";
import type { Store } from "../../store/index.ts";
import { lutimesNs } from "../../store/syscalls.ts";
import { ContextView } from "./context-view.ts";
import { downloadFile } from "./download.ts";
import { cloneRepository } from "./git-source.ts";

type Tree = Extract<Result, { kind: "tree" }>;

function treeOf(root: string, key: string | undefined): Tree {
  return { kind: "tree", root, tree: { view: new ContextView(root, undefined), digests: new FileDigests(), origin: { kind: "remote", key } } };
}

export async function gitTree(store: Store, vertex: Vertex, signal: AbortSignal): Promise<Tree> {
  if (vertex.op.type !== "git") throw new SlipwayError("internal", "INTERNAL", "not a git source");
  const directory = store.layers.workDirectory("git");
  const { op } = vertex;
  const { path, commit } = await beforeKey(cloneRepository({ ...op, directory, signal }));
  return treeOf(path, gitKey(op, commit));
}

const codesBeforeKey: ReadonlySet<string> = new Set(["DOWNLOAD_FAILED", "GIT_FAILED", "GIT_REF_NOT_FOUND", "GIT_CHECKSUM_MALFORMED"]);

/** Docker asks for what identifies a remote source before it fetches any, and its words tell which of the two failed. */
async function beforeKey<T>(fetched: Promise<T>): Promise<T> {
  try {
    return await fetched;
  } catch (error) {
    if (!(error instanceof SlipwayError) || !codesBeforeKey.has(error.code)) throw error;
    throw new SlipwayError(error.kind, error.code, `failed to load cache key: ${error.message}`, error.details, error);
  }
}

/** The file has mode 0600 and the time of Last-Modified, or the epoch. */
export async function httpTree(store: Store, vertex: Vertex, signal: AbortSignal): Promise<Tree> {
  if (vertex.op.type !== "http") throw new SlipwayError("internal", "INTERNAL", "not an http source");
  const directory = store.layers.workDirectory("http");
  const { url, fileName, checksum } = vertex.op;
  // The name comes from the URL: only its last part may count.
  const name = fileName.includes("/") || fileName === "." || fileName === ".." ? createHash("sha256").update(url).digest("hex") : fileName;
  const path = join(directory, name);
  const { modifiedMs, lastModified, sha256 } = await beforeKey(downloadFile({ url, path, checksum, signal }));
  chmodSync(path, 0o600);
  const modifiedNs = BigInt(modifiedMs ?? 0) * 1_000_000n;
  lutimesNs(path, modifiedNs, modifiedNs);
  return treeOf(directory, httpKey(fileName, sha256, checksum === "" ? lastModified : ""));
}
