/** ADD of local archives: told by content, extracted into the layer's draft; whatever is no archive stays a file. */
import { closeSync, openSync, createReadStream, readSync, writeSync } from "node:fs";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { joinPath, parentOf, type FileNode, type FileView, type Store } from "../store/index.ts";
import { nodeFromEntry } from "../store/entry-node.ts";
import { sanitizeEntryPath } from "../store/unpack.ts";
import { decompress, detectCompression, isTarHeader, probeSizeBytes } from "../tar/compression.ts";
import type { TarEntry } from "../tar/entry.ts";
import { TarReader } from "../tar/reader.ts";
import { directoryNode, makeDirectories, resolveDestination, type Placement } from "./apply-copy.ts";
import { wholeSeconds } from "./whole-seconds.ts";
import { sameAttributes, type Content, type LayerDraft } from "./layer-draft.ts";
import { resolveInTree } from "./resolve-path.ts";
import type { SelectedSource, SourceTree } from "./selection.ts";
import type { CopyAction } from "../graph/op.ts";

interface Copy {
  readonly action: CopyAction;
  readonly tree: SourceTree;
  readonly selection: readonly SelectedSource[];
}

interface Surroundings {
  readonly signal: AbortSignal | undefined;
  /** the layers below with their contents at hand: asked for when a hard link leads there */
  readonly below: () => Promise<FileView>;
}

/** Content of all files in one archive at most. */
const maxArchiveBytes = 2 ** 40;

/** Extracts the sources that are archives and answers the others. Entries keep the archive's owners unless `--chown` says otherwise. */
export async function unpackArchives(
  store: Store,
  draft: LayerDraft,
  copy: Copy,
  placement: Placement,
  { signal, below }: Surroundings,
): Promise<readonly SelectedSource[]> {
  const rest: SelectedSource[] = [];
  for (const source of copy.selection) {
    const root = source.files[0]?.node;
    const spool = root?.type === "file" && root.diskPath !== undefined ? await spoolArchive(store, root.diskPath, signal) : undefined;
    if (spool === undefined) {
      rest.push(source);
      continue;
    }
    // The archive names everything below the destination, which is a directory whatever it looks like.
    const destination = resolveDestination(draft, `${copy.action.destination.replace(/\/+$/, "")}/`, { ...placement, directoryMode: directoryNode.mode });
    extract(draft, spool, destination, placement, linksOutward(spool) ? await below() : undefined);
  }
  return rest;
}

function linksOutward({ entries }: Spool): boolean {
  const own = new Set(entries.map(({ entry }) => entryPath(entry.path)));
  return entries.some(({ entry }) => entry.type === "hardlink" && !own.has(sanitizeEntryPath(entry.linkname)));
}

interface SpooledEntry {
  readonly entry: TarEntry;
  readonly offset: number;
}

interface Spool {
  readonly path: string;
  readonly entries: readonly SpooledEntry[];
}

/** Decompresses into a temporary file with the entries' places noted; undefined when the bytes are no (whole) archive. */
async function spoolArchive(store: Store, path: string, signal: AbortSignal | undefined): Promise<Spool | undefined> {
  const head = firstBytes(path);
  const kind = detectCompression(head);
  if (kind === "none" && !isTarHeader(head)) return undefined;
  const spoolPath = store.lease().temporaryPath("archive");
  const fd = openSync(spoolPath, "wx", 0o600);
  const entries: SpooledEntry[] = [];
  let offset = 0;
  const append = (bytes: Uint8Array): void => {
    writeSync(fd, bytes);
    offset += bytes.length;
  };
  const reader = new TarReader({
    entry: (entry) => entries.push({ entry, offset }),
    data: append,
    hole: (length) => {
      for (let left = length; left > 0; left -= zeros.length) append(zeros.subarray(0, Math.min(left, zeros.length)));
    },
    entryEnd: () => {},
  });
  try {
    for await (const chunk of decompress(createReadStream(path, { highWaterMark: 256 * 1024 }), kind, {
      maxBytes: maxArchiveBytes,
      ...(signal === undefined ? {} : { signal }),
    }))
      reader.push(chunk);
    reader.finish();
  } catch (error) {
    signal?.throwIfAborted();
    // Compressed bytes that hold no tar, or half of one, are a file like any other. A plain tar with a fault is an error.
    if (kind !== "none" && error instanceof SlipwayError && error.kind === "data_loss") return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
  return entries.length === 0 && kind !== "none" ? undefined : { path: spoolPath, entries };
}

const zeros = Buffer.alloc(64 * 1024);

function firstBytes(path: string): Buffer {
  const buffer = Buffer.alloc(probeSizeBytes);
  const fd = openSync(path, "r");
  try {
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, 0));
  } finally {
    closeSync(fd);
  }
}

function extract(draft: LayerDraft, spool: Spool, destination: string, placement: Placement, base: FileView | undefined): void {
  const plain: Placement = { owner: placement.owner, mode: undefined, directoryMode: directoryNode.mode, createdNs: placement.createdNs };
  for (const { entry, offset } of spool.entries) {
    const relative = entryPath(entry.path);
    if (relative === "") continue;
    const directory = resolveBelow(draft, destination, parentOf(relative));
    makeDirectories(draft, directory, plain);
    const path = joinPath(directory, relative.slice(relative.lastIndexOf("/") + 1));
    place(draft, entry, path, destination, placement, { kind: "slice", path: spool.path, offset }, base);
  }
}

/** Fails with TAR_PATH_ESCAPES in the words of Docker's ADD. */
function entryPath(name: string): string {
  try {
    return sanitizeEntryPath(name);
  } catch (error) {
    if (!isSlipwayError(error, "TAR_PATH_ESCAPES")) throw error;
    throw new SlipwayError(error.kind, error.code, `invalid entry name ${JSON.stringify(name)}`, error.details, error);
  }
}

/** Symlinks on the way count from the destination directory, never from outside it. */
function resolveBelow(draft: LayerDraft, destination: string, relative: string): string {
  const below = {
    lookup: (path: string) => draft.lookup(joinPath(destination, path)),
    list: () => [],
    xattrs: () => new Map<string, Uint8Array>(),
  };
  const resolved = resolveInTree(below, relative);
  return resolved === "" ? destination : joinPath(destination, resolved);
}

function place(
  draft: LayerDraft,
  entry: TarEntry,
  path: string,
  destination: string,
  placement: Placement,
  content: { readonly kind: "slice"; readonly path: string; readonly offset: number },
  base: FileView | undefined,
): void {
  const existing = draft.lookup(path);
  const node: FileNode = {
    ...nodeFromEntry(entry),
    mode: entry.type === "symlink" ? 0o777 : entry.mode,
    ...placement.owner,
    mtimeNs: wholeSeconds(entry.mtimeNs),
  };
  if (existing !== undefined && existing.type === "directory" && node.type !== "directory") draft.remove(path);
  if (entry.type !== "hardlink") {
    draft.put(path, node, { xattrs: entry.xattrs, ...(entry.type === "file" ? { content } : {}) });
    return;
  }
  const target = linkTarget(draft, destination, entry.linkname);
  const linked = draft.lookup(target);
  if (linked === undefined || linked.type === "directory") {
    throw new SlipwayError("invalid_argument", "BROKEN_HARDLINK", `linkat ${entry.linkname} ${entry.path}: no such file or directory`, {
      path: entry.path,
      target: entry.linkname,
    });
  }
  if (draft.has(target)) {
    if (target !== path) draft.link(path, target, node);
    return;
  }
  const below = { ...linked, mtimeNs: wholeSeconds(linked.mtimeNs), inode: "", diskPath: undefined };
  const parts = { ...contentBelow(base?.lookup(target)), xattrs: base?.xattrs(target) ?? new Map<string, Uint8Array>() };
  // what the link does not change below stays there, and its second name is a file of its own, as in a layer of Docker's
  if (linked.type === "symlink") return draft.put(path, { ...below, uid: node.uid, gid: node.gid }, parts);
  if (sameAttributes(below, node)) return draft.put(path, below, parts);
  copyUpAll(draft, parentOf(target));
  draft.put(target, below, parts);
  draft.link(path, target, node);
}

function contentBelow(node: FileNode | undefined): { readonly content?: Content } {
  return node?.type === "file" && node.diskPath !== undefined ? { content: { kind: "disk", path: node.diskPath, known: undefined } } : {};
}

/** The name itself is what is linked, also a symlink's. */
function linkTarget(draft: LayerDraft, destination: string, linkname: string): string {
  const relative = sanitizeEntryPath(linkname);
  return joinPath(resolveBelow(draft, destination, parentOf(relative)), relative.slice(relative.lastIndexOf("/") + 1));
}

/** The directories that lead to a file of below, which the layer has to hold with it. */
function copyUpAll(draft: LayerDraft, directory: string): void {
  if (directory === "") return;
  copyUpAll(draft, parentOf(directory));
  draft.copyUp(directory);
}
