/**
 * Reads small files inside a root file system without ever leaving it: `..` and absolute symlinks stay inside.
 * Synchronous, because only this thread is sure to see our mounts.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { openInRoot } from "../store/syscalls.ts";
import { resolveUser, type ResolvedUser, type UserPurpose } from "./user.ts";

const openAttempts = 100;
const absent = new Set(["ENOENT", "ENOTDIR", "ELOOP"]);

/** Undefined when the file is not there or is no regular file. FILE_TOO_LARGE beyond the bound (default 1 MiB). */
export function readRootfsFile(rootfs: string, path: string, maxBytes = 1 << 20): Buffer | undefined {
  const root = openSync(rootfs, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    // O_NONBLOCK: a fifo put in the file's place must not hang the open
    const fd = openPatiently(root, path.replace(/^\/+/, ""), constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      return fstatSync(fd).isFile() ? readBounded(fd, path, maxBytes) : undefined;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (absent.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  } finally {
    closeSync(root);
  }
}

/** The kernel gives up on a path with ".." when something anywhere was renamed or mounted meanwhile, and asks to be called again. */
function openPatiently(root: number, path: string, flags: number): number {
  for (let attempt = 0; ; attempt++) {
    try {
      return openInRoot(root, path, flags);
    } catch (error) {
      if (errnoOf(error) !== "EAGAIN" || attempt === openAttempts) throw error;
    }
  }
}

/** resolveUser() with the root file system's own files. */
export function resolveUserIn(rootfs: string, spec: string, purpose: UserPurpose): ResolvedUser {
  const text = (path: string): string => readRootfsFile(rootfs, path)?.toString("utf8") ?? "";
  return resolveUser(spec, text("/etc/passwd"), text("/etc/group"), purpose);
}

function readBounded(fd: number, path: string, maxBytes: number): Buffer {
  const chunks: Buffer[] = [];
  for (let total = 0; ;) {
    const chunk = Buffer.allocUnsafe(16_384);
    const length = readSync(fd, chunk);
    if (length === 0) return Buffer.concat(chunks);
    total += length;
    if (total > maxBytes)
      throw new SlipwayError("invalid_argument", "FILE_TOO_LARGE", `${path} in the image is larger than ${maxBytes} bytes`, { path, maxBytes });
    chunks.push(chunk.subarray(0, length));
  }
}
