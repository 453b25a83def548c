/** An archive's member as a node of a tree. The content stays in the archive. */
import type { TarEntry } from "../tar/entry.ts";
import type { FileNode } from "./file-view.ts";

/** A hardlink counts as a file: what it links to is the caller's to know. */
export function nodeFromEntry(entry: TarEntry): FileNode {
  return {
    type: entry.type === "hardlink" ? "file" : entry.type,
    mode: entry.mode,
    uid: entry.uid,
    gid: entry.gid,
    size: entry.size,
    mtimeNs: entry.mtimeNs,
    linkname: entry.type === "symlink" ? entry.linkname : "",
    devmajor: entry.devmajor,
    devminor: entry.devminor,
    inode: "",
    stamp: "",
    diskPath: undefined,
  };
}
