/** One member of an ADDed archive put into the draft, as Docker's extraction confined to the destination does it. */
import { goQuote } from "../base/go-text.ts";
import { posix } from "node:path";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { joinPath, parentOf, type FileNode, type FileView } from "../store/index.ts";
import { nodeFromEntry } from "../store/entry-node.ts";
import { sanitizeEntryPath } from "../store/unpack.ts";
import type { TarEntry } from "../tar/entry.ts";
import { directoryNode, makeDirectories, type Placement } from "./apply-copy.ts";
import { imageXattrs } from "./image-xattrs.ts";
import type { LayerDraft } from "./layer-draft.ts";
import { resolveInTree } from "./resolve-path.ts";
import { wholeSeconds } from "./whole-seconds.ts";

export interface Extraction {
  readonly draft: LayerDraft;
  /** what lies below the draft, contents on disk; undefined: no hard link asks for it */
  readonly base: FileView | undefined;
  /** path of the directory that the archive's names count from */
  readonly destination: string;
  readonly placement: Placement;
  /** path of the uncompressed archive */
  readonly spool: string;
}

/** `offset`: where the content lies in the archive. Fails with TAR_PATH_ESCAPES, NOT_A_DIRECTORY, TOO_MANY_LINKS, BROKEN_HARDLINK. */
export function extractEntry(extraction: Extraction, entry: TarEntry, offset: number): void {
  const { draft, destination, placement, spool } = extraction;
  const name = entryPath(entry.path, "entry name");
  if (name === "") return;
  const directory = makeParents(extraction, entry, name);
  const path = joinPath(directory, name.slice(name.lastIndexOf("/") + 1));
  const node: FileNode = {
    ...nodeFromEntry(entry),
    mode: entry.type === "symlink" ? 0o777 : entry.mode,
    ...placement.owner,
    mtimeNs: entry.mtimeNs < 0n ? 0n : wholeSeconds(entry.mtimeNs),
  };
  if (entry.type === "hardlink") {
    const target = resolveBelow(draft, destination, entryPath(entry.linkname, "hardlink target"), false);
    return placeHardlink(extraction, node, path, target, `linkat ${entry.linkname} ${entry.path}`);
  }
  const existing = draft.lookup(path);
  if (existing?.type === "directory" && node.type !== "directory") draft.remove(path);
  draft.put(path, node, { xattrs: imageXattrs(entry.xattrs), ...(entry.type === "file" ? { content: { kind: "slice", path: spool, offset } } : {}) });
}

/** Clean, below the destination. Fails with TAR_PATH_ESCAPES in the words of Docker's ADD. */
function entryPath(name: string, what: string): string {
  try {
    return sanitizeEntryPath(name);
  } catch (error) {
    if (!isSlipwayError(error, "TAR_PATH_ESCAPES")) throw error;
    throw new SlipwayError(error.kind, error.code, `invalid ${what} ${goQuote(name)}`, error.details, error);
  }
}

/** The directory that the entry goes into; what the archive leaves out is 0755 root, whatever `--chown` says. */
function makeParents({ draft, destination, placement }: Extraction, entry: TarEntry, name: string): string {
  const parent = parentOf(name);
  const directory = resolveBelow(draft, destination, parent, true);
  const existing = draft.lookup(directory);
  if (existing !== undefined && existing.type !== "directory") throw notDirectory(failedCall(entry, name), directory);
  makeDirectories(draft, directory, { owner: undefined, mode: undefined, directoryMode: directoryNode.mode, createdNs: placement.createdNs });
  return directory;
}

function notDirectory(call: string, path: string): SlipwayError {
  return new SlipwayError("invalid_argument", "NOT_A_DIRECTORY", `${call}: not a directory`, { path: `/${path}` });
}

/** The system call in which Docker finds that the entry's directory is none. */
function failedCall(entry: TarEntry, name: string): string {
  switch (entry.type) {
    case "directory":
      return `mkdirat ${name}`;
    case "symlink":
      return `symlinkat ${entry.linkname} ${name}`;
    case "hardlink":
      return `linkat ${entry.linkname} ${name}`;
    case "file":
      return `openat ${name}`;
    default:
      return `openat ${parentOf(name)}`;
  }
}

/** Absolute symlinks count from the destination; a relative one that climbs out of it fails, even if it comes back. */
function resolveBelow(draft: LayerDraft, destination: string, relative: string, followLast: boolean): string {
  const below = {
    lookup: (path: string) => draft.lookup(path === "" ? destination : joinPath(destination, path)),
    list: () => [],
    xattrs: () => new Map<string, Uint8Array>(),
  };
  const pass = (node: FileNode, at: string, next: string | undefined): void => {
    if (node.type === "symlink" && climbs(at, node.linkname)) {
      const message = `statat ${relative}: path escapes from parent`;
      throw new SlipwayError("invalid_argument", "TAR_PATH_ESCAPES", message, { path: relative, link: at, target: node.linkname });
    }
    if (next !== undefined && node.type !== "directory" && node.type !== "symlink") throw notDirectory(`statat ${relative}`, joinPath(destination, at));
  };
  try {
    const resolved = resolveInTree(below, relative, { followLast, pass });
    return resolved === "" ? destination : joinPath(destination, resolved);
  } catch (error) {
    if (!isSlipwayError(error, "TOO_MANY_LINKS")) throw error;
    throw new SlipwayError(error.kind, error.code, `statat ${relative}: too many levels of symbolic links`, error.details, error);
  }
}

function climbs(at: string, linkname: string): boolean {
  const target = posix.join(parentOf(at), linkname);
  return !linkname.startsWith("/") && (target === ".." || target.startsWith("../"));
}

/** The link's header is applied to the file, which has all its names in common; of a symlink only the owner. */
function placeHardlink({ draft, base, placement }: Extraction, header: FileNode, path: string, target: string, call: string): void {
  const found = draft.lookup(target);
  const linked = found === undefined ? undefined : { ...found, mtimeNs: wholeSeconds(found.mtimeNs) };
  if (linked === undefined || target === path) throw brokenHardlink(`${call}: no such file or directory`, path, target);
  if (linked.type === "directory") throw brokenHardlink(`${call}: operation not permitted`, path, target);
  const { uid, gid, mode, mtimeNs } = header;
  const node = linked.type === "symlink" ? { ...linked, uid, gid } : { ...linked, uid, gid, mode, mtimeNs };
  if (draft.lookup(path)?.type === "directory") draft.remove(path);
  if (draft.has(target)) return draft.link(path, target, node);
  const own: FileNode = { ...node, inode: "", diskPath: undefined };
  const content = linked.type === "file" ? ({ kind: "disk", path: base?.lookup(target)?.diskPath ?? "", known: undefined } as const) : undefined;
  const parts = { xattrs: draft.xattrs(target), ...(content === undefined ? {} : { content }) };
  // A file of a lower layer that stays as it is does not come into this one: its new name is a file of its own.
  const isChanged = linked.uid !== uid || linked.gid !== gid || linked.mode !== node.mode || linked.mtimeNs !== node.mtimeNs;
  if (!isChanged) return draft.put(path, own, parts);
  makeDirectories(draft, parentOf(target), placement);
  draft.put(target, own, parts);
  draft.link(path, target, own);
}

function brokenHardlink(message: string, path: string, target: string): SlipwayError {
  return new SlipwayError("invalid_argument", "BROKEN_HARDLINK", message, { path, target });
}
