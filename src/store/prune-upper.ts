/**
 * An overlay copies a file up when it is opened for writing, linked or given the attributes it has already, and a directory when
 * something below it changes. What is in the upper just as it is below was not changed by the step: Docker's layers leave it
 * out, so that a `chown -R` which changes nothing costs nothing and a new name for a lower file is a file of its own.
 */
import { closeSync, lstatSync, openSync, readdirSync, readSync, rmdirSync, unlinkSync } from "node:fs";
import type { FileNode } from "./file-view.ts";
import { nodeFromStat, readXattrs } from "./directory-view.ts";
import type { MergedView } from "./merged-view.ts";
import { lGetXattr, lutimesNs } from "./syscalls.ts";

/** Removes it. `below`: the layers under the upper, as directories. To be called when nothing is mounted on the upper any more. */
export function pruneUpper(upper: string, below: MergedView): void {
  pruneDirectory(upper, "", below);
}

/** Answers whether the directory is empty now. */
function pruneDirectory(directory: string, path: string, below: MergedView): boolean {
  const { atimeNs, mtimeNs } = lstatSync(directory, { bigint: true });
  const names = readdirSync(directory);
  let left = names.length;
  for (const name of names) {
    // not UTF-8: no view can look for it below
    if (name.includes("\ufffd")) continue;
    const onDisk = `${directory}/${name}`;
    const inTree = path === "" ? name : `${path}/${name}`;
    const node = nodeFromStat(onDisk, lstatSync(onDisk, { bigint: true }));
    const former = node === undefined ? undefined : below.lookup(inTree);
    if (node === undefined || former === undefined || former.type !== node.type) continue;
    if (node.type === "directory") {
      if (isOpaque(onDisk) || !pruneDirectory(onDisk, inTree, below) || !sameAttributes(node, former)) continue;
      if (!sameXattrs(onDisk, inTree, below)) continue;
      rmdirSync(onDisk);
    } else {
      if (!sameAttributes(node, former) || !sameXattrs(onDisk, inTree, below) || !sameFile(node, former)) continue;
      unlinkSync(onDisk);
    }
    left--;
  }
  if (left < names.length) lutimesNs(directory, atimeNs, mtimeNs);
  return left === 0;
}

function isOpaque(path: string): boolean {
  return ["trusted.overlay.opaque", "user.overlay.opaque"].some((name) => lGetXattr(path, name) !== undefined);
}

function sameAttributes(a: FileNode, b: FileNode): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.devmajor === b.devmajor && a.devminor === b.devminor;
}

function sameXattrs(onDisk: string, path: string, below: MergedView): boolean {
  const own = readXattrs(onDisk);
  const former = below.xattrs(path);
  return own.size === former.size && [...own].every(([name, value]) => Buffer.compare(value, former.get(name) ?? Buffer.alloc(0)) === 0);
}

/** Of directories the time does not count, of anything else it does. */
function sameFile(a: FileNode, b: FileNode): boolean {
  if (a.mtimeNs !== b.mtimeNs || a.size !== b.size || a.linkname !== b.linkname) return false;
  return a.type !== "file" || a.size === 0 || (a.diskPath !== undefined && b.diskPath !== undefined && sameContent(a.diskPath, b.diskPath));
}

const chunkBytes = 128 * 1024;

function sameContent(a: string, b: string): boolean {
  const first = openSync(a, "r");
  try {
    const second = openSync(b, "r");
    try {
      return sameBytes(first, second);
    } finally {
      closeSync(second);
    }
  } finally {
    closeSync(first);
  }
}

function sameBytes(a: number, b: number): boolean {
  const left = Buffer.allocUnsafe(chunkBytes);
  const right = Buffer.allocUnsafe(chunkBytes);
  for (;;) {
    const length = readSync(a, left, 0, chunkBytes, null);
    if (readSync(b, right, 0, chunkBytes, null) !== length || left.compare(right, 0, length, 0, length) !== 0) return false;
    if (length === 0) return true;
  }
}
