/** The file types that an archive can hold, by the type bits of st_mode; a socket has none. */
import type { FileNode } from "./file-view.ts";

const typeMask = 0o170000;

const nodeTypes: Readonly<Record<number, FileNode["type"]>> = {
  0o100000: "file",
  0o040000: "directory",
  0o120000: "symlink",
  0o020000: "char",
  0o060000: "block",
  0o010000: "fifo",
};

export function nodeTypeOf(mode: number): FileNode["type"] | undefined {
  return nodeTypes[mode & typeMask];
}
