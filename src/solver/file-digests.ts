/**
 * Digests of file contents by what tells a changed file from an unchanged one: path, size, mtime, ctime and inode. Kept for
 * context directories between builds, so that an unchanged file is never read again. A file that changed in the last
 * moments before it was read is not kept: its clock could stand still for a second change.
 */
import { createHash } from "node:crypto";
import { closeSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Breath } from "../base/breath.ts";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import type { FileNode } from "../store/index.ts";

/** Kernel clocks of file times may lag by a tick; some file systems only keep whole seconds. */
const settledNs = 2_000_000_000n;

interface Known {
  readonly stamp: string;
  readonly digest: string;
}

export class FileDigests {
  readonly #known = new Map<string, Known>();
  readonly #unsettled = new Set<string>();
  #changed = false;

  get(node: FileNode): string | undefined {
    if (node.type === "file" && node.size === 0) return emptyDigest;
    if (node.diskPath === undefined || node.stamp === "") return undefined;
    const known = this.#known.get(node.diskPath);
    return known?.stamp === node.stamp ? known.digest : undefined;
  }

  set(node: FileNode, digest: string, nowNs = BigInt(Date.now()) * 1_000_000n): void {
    if (node.diskPath === undefined || node.stamp === "") return;
    this.#known.set(node.diskPath, { stamp: node.stamp, digest });
    const ctime = BigInt(node.stamp.split(":")[2] ?? "0");
    if (nowNs - ctime < settledNs) this.#unsettled.add(node.diskPath);
    else this.#unsettled.delete(node.diskPath);
    this.#changed = true;
  }

  /** Reads what an earlier build wrote; anything unreadable or of another version counts as nothing known. */
  load(path: string): void {
    let text: string;
    try {
      text = readFileSync(path, "utf8");
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    if (!text.startsWith(header)) return;
    let start = header.length;
    while (start < text.length) {
      const end = text.indexOf("\n", start);
      if (end < 0) return;
      const first = text.indexOf(" ", start);
      const second = text.indexOf(" ", first + 1);
      this.#known.set(text.slice(second + 1, end), { digest: text.slice(start, first), stamp: text.slice(first + 1, second) });
      start = end + 1;
    }
  }

  /** Replaces the file at once; readers see the old index or the new one. */
  save(path: string, temporaryPath: () => string): void {
    if (!this.#changed) return;
    const temporary = temporaryPath();
    const lines = [header.trimEnd()];
    for (const [file, { stamp, digest }] of this.#known) if (!this.#unsettled.has(file) && !file.includes("\n")) lines.push(`${digest} ${stamp} ${file}`);
    writeFileSync(temporary, `${lines.join("\n")}\n`);
    renameSync(temporary, path);
    this.#changed = false;
  }
}

const emptyDigest = createHash("sha256").digest("hex");

const header = "slipway-context 1\n";

const buffer = Buffer.allocUnsafe(128 * 1024);

/**
 * A file piece by piece (the buffer is used again for the next one, also by others), checked to have the size it was listed with. An empty one is
 * not opened: it may be a socket.
 * Fails with FILE_CHANGED (conflict), PERMISSION_DENIED.
 */
export function* readContent(path: string, size: number): Generator<Buffer, void> {
  if (size === 0) return;
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "EACCES") throw new SlipwayError("denied", "PERMISSION_DENIED", `open ${path}: permission denied`, { path }, error);
    if (errnoOf(error) === "ENOENT") throw new SlipwayError("conflict", "FILE_CHANGED", `${path} vanished while it was read`, { path }, error);
    throw error;
  }
  try {
    let remaining = size;
    while (remaining > 0) {
      const read = readSync(fd, buffer, 0, Math.min(buffer.length, remaining), null);
      if (read === 0) throw new SlipwayError("conflict", "FILE_CHANGED", `${path} shrank while it was read`, { path, size });
      yield buffer.subarray(0, read);
      remaining -= read;
    }
  } finally {
    closeSync(fd);
  }
}

export async function digestFile(node: FileNode, breath: Breath): Promise<string> {
  const hash = createHash("sha256");
  for (const chunk of readContent(node.diskPath ?? "", node.size)) {
    hash.update(chunk);
    if (breath.isDue) await breath.take();
  }
  return hash.digest("hex");
}

export function contextIndexPath(contexts: string, root: string): string {
  return join(contexts, createHash("sha256").update(root).digest("hex"));
}
