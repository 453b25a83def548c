/** A directory on disk as a FileView. */
import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { joinPath, type FileNode, type FileView } from "./file-view.ts";
import { nodeTypeOf } from "./node-type.ts";
import { lGetXattr, lListXattr } from "./syscalls.ts";

/** Sockets give undefined, for no archive can hold one; in a build context Docker makes empty files of them. */
export function nodeFromStat(path: string, stat: BigIntStats, sockets?: "empty files"): FileNode | undefined {
  const type = nodeTypeOf(Number(stat.mode)) ?? (sockets === undefined ? undefined : "file");
  if (type === undefined) return undefined;
  const rdev = Number(stat.rdev);
  return {
    type,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    size: type === "file" ? Number(stat.size) : 0,
    mtimeNs: stat.mtimeNs,
    linkname: type === "symlink" ? readlinkSync(path) : "",
    // Linux's 64-bit dev_t: 12 bits of major in the middle, minor around it.
    devmajor: type === "char" || type === "block" ? (rdev >>> 8) & 0xfff : 0,
    devminor: type === "char" || type === "block" ? (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) : 0,
    inode: type === "file" && stat.nlink > 1n ? `${stat.dev}:${stat.ino}` : "",
    stamp: `${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.ino}`,
    diskPath: path,
  };
}

function missing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === "ENOENT" || errno === "ENOTDIR" || errno === "ENAMETOOLONG";
}

/** lstat, or undefined when nothing is there. Unreadable directories fail with PERMISSION_DENIED. */
export function nodeAt(path: string, sockets?: "empty files"): FileNode | undefined {
  let stat: BigIntStats | undefined;
  try {
    stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (missing(error)) return undefined;
    throw denied(error, path);
  }
  return stat === undefined ? undefined : nodeFromStat(path, stat, sockets);
}

function denied(error: unknown, path: string): unknown {
  const errno = errnoOf(error);
  if (errno !== "EACCES" && errno !== "EPERM") return error;
  return new SlipwayError("denied", "PERMISSION_DENIED", `open ${path}: permission denied`, { path, errno }, error);
}

export class DirectoryView implements FileView {
  readonly root: string;
  readonly #excluded: ((path: string, node: FileNode) => boolean) | undefined;

  /** `excluded` hides entries (a `.dockerignore`); a hidden directory hides nothing below it by itself. */
  constructor(root: string, excluded?: (path: string, node: FileNode) => boolean) {
    this.root = root;
    this.#excluded = excluded;
  }

  lookup(path: string): FileNode | undefined {
    // A symlink on the way is not followed: what lies behind it is not part of this tree at that path.
    if (path !== "" && !this.#reachable(path)) return undefined;
    const node = nodeAt(path === "" ? this.root : `${this.root}/${path}`, "empty files");
    if (node === undefined || path === "") return node;
    return this.#excluded?.(path, node) === true ? undefined : node;
  }

  readonly #directories = new Map<string, boolean>();

  #reachable(path: string): boolean {
    const slash = path.lastIndexOf("/");
    if (slash < 0) return true;
    const parent = path.slice(0, slash);
    const known = this.#directories.get(parent);
    if (known !== undefined) return known;
    const is = this.#reachable(parent) && nodeAt(`${this.root}/${parent}`)?.type === "directory";
    this.#directories.set(parent, is);
    return is;
  }

  list(path: string): readonly string[] {
    let names: string[];
    const directory = path === "" ? this.root : `${this.root}/${path}`;
    try {
      names = readdirSync(directory);
    } catch (error) {
      if (missing(error)) return [];
      throw denied(error, directory);
    }
    if (this.#excluded !== undefined) names = names.filter((name) => name.includes("\ufffd") || this.lookup(joinPath(path, name)) !== undefined);
    return names.sort();
  }

  xattrs(path: string): ReadonlyMap<string, Uint8Array> {
    return readXattrs(path === "" ? this.root : `${this.root}/${path}`);
  }
}

/** What a layer carries of a file's extended attributes: everything but overlay's own marks. */
export function readXattrs(path: string): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const name of lListXattr(path).sort()) {
    if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) continue;
    const value = lGetXattr(path, name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}
