/**
 * A read-only file tree, wherever it comes from: a directory on disk, the merged layers of an image, the index of a layer
 * that was never unpacked. Paths are relative to the tree's root, `/`-separated, "" is the root; symlinks are never followed.
 */
export interface FileNode {
  readonly type: "file" | "directory" | "symlink" | "char" | "block" | "fifo";
  /** permission bits with setuid, setgid, sticky */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** bytes; 0 for everything but files */
  readonly size: number;
  readonly mtimeNs: bigint;
  /** of a symlink, "" otherwise */
  readonly linkname: string;
  readonly devmajor: number;
  readonly devminor: number;
  /** equal for names of one inode, "" for files with one name */
  readonly inode: string;
  /** changes whenever the file may have changed: size, mtime, ctime, inode; "" where the tree cannot tell */
  readonly stamp: string;
  /** absolute path of the content on disk; undefined when the tree is only an index */
  readonly diskPath: string | undefined;
}

export interface FileView {
  /** The node itself, symlinks not followed; undefined when there is none, also below files and symlinks. */
  lookup(path: string): FileNode | undefined;
  /** Names in a directory, sorted by their UTF-16 order; empty for anything else. */
  list(path: string): readonly string[];
  /** Extended attributes of the node at `path` that a layer carries. */
  xattrs(path: string): ReadonlyMap<string, Uint8Array>;
}

export const emptyView: FileView = {
  lookup: (path) => (path === "" ? rootNode : undefined),
  list: () => [],
  xattrs: () => new Map(),
};

/** The root of a tree that has none of its own: 0755 root. */
export const rootNode: FileNode = {
  type: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  size: 0,
  mtimeNs: 0n,
  linkname: "",
  devmajor: 0,
  devminor: 0,
  inode: "",
  stamp: "",
  diskPath: undefined,
};

/** A directory that an archive leaves out though it has files in it: its attributes are those of the layers below, where they have it. */
export const impliedDirectory: FileNode = { ...rootNode };

export function joinPath(directory: string, name: string): string {
  return directory === "" ? name : `${directory}/${name}`;
}

export function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
