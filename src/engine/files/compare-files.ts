/** `diff`: what one file system has that another has not, path by path, as `docker diff` says it. */
import { joinPath, type FileNode, type FileView } from "../../store/index.ts";
import type { FileChange } from "../transfer-api.ts";

function sameXattrs(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  return a.size === b.size && [...a].every(([name, value]) => Buffer.from(value).equals(Buffer.from(b.get(name) ?? [])) && b.has(name));
}

/** By what layers say of files: a file of the same size, time, mode and owner is the same. A directory's time does not count. */
function sameNode(a: FileNode, b: FileNode): boolean {
  const timed = a.type === "directory" || a.mtimeNs / 1_000_000_000n === b.mtimeNs / 1_000_000_000n;
  const words = ["type", "mode", "uid", "gid", "size", "linkname", "devmajor", "devminor"] as const;
  return timed && words.every((word) => a[word] === b[word]);
}

/**
 * Sorted by path. Of what was removed only the top is told; a directory counts as changed when something in it did, as in Docker's list.
 */
export function compareFiles(before: FileView, after: FileView): readonly FileChange[] {
  const changes: FileChange[] = [];
  compareDirectory(before, after, "", changes);
  return changes;
}

function compareDirectory(before: FileView, after: FileView, directory: string, changes: FileChange[]): void {
  for (const name of [...new Set([...before.list(directory), ...after.list(directory)])].sort()) {
    compareNode(before, after, joinPath(directory, name), changes);
  }
}

function compareNode(before: FileView, after: FileView, path: string, changes: FileChange[]): void {
  const [old, now] = [before.lookup(path), after.lookup(path)];
  if (now === undefined) {
    if (old !== undefined) changes.push({ kind: "removed", path: `/${path}`, sizeBytes: 0, beforeBytes: sizeOf(before, path, old) });
    return;
  }
  const nested: FileChange[] = [];
  if (now.type === "directory") compareDirectory(old?.type === "directory" ? before : nothing, after, path, nested);
  const own = old === undefined || !sameNode(old, now) || !sameXattrs(before.xattrs(path), after.xattrs(path));
  if (!own && nested.length === 0) return;
  changes.push({ kind: old === undefined ? "added" : "changed", path: `/${path}`, sizeBytes: now.size, beforeBytes: old?.size ?? 0 }, ...nested);
}

const nothing: FileView = { lookup: () => undefined, list: () => [], xattrs: () => new Map() };

function sizeOf(view: FileView, path: string, node: FileNode): number {
  if (node.type !== "directory") return node.size;
  return view.list(path).reduce((sum, name) => {
    const inner = view.lookup(joinPath(path, name));
    return inner === undefined ? sum : sum + sizeOf(view, joinPath(path, name), inner);
  }, 0);
}
