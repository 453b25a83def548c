/** Where a build's lock lies, and how it is read and written: a plain file, never through a link. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative } from "node:path";
import { errnoOf, SlipwayError } from "../../base/errors.ts";
import { userMode } from "../../base/umask.ts";
import type { DockerfileSource } from "../api.ts";
import { lockFileName, parseLock, type Lock } from "./lock-file.ts";

const maxLockBytes = 4 << 20;

export interface LockPlace {
  /** the context's directory, whole */
  readonly directory: string;
  readonly dockerfile: DockerfileSource | undefined;
  /** the user's own word */
  readonly lockFile: string | undefined;
}

/** Beside the Dockerfile, or in the context's directory: the first that is there, else beside the Dockerfile. */
export function lockPath({ directory, dockerfile, lockFile }: LockPlace): string {
  if (lockFile !== undefined) return lockFile;
  const beside = join(dockerfile?.kind === "path" ? dirname(dockerfilePath(directory, dockerfile.path)) : directory, lockFileName);
  const general = join(directory, lockFileName);
  return lstatSync(beside, { throwIfNoEntry: false }) === undefined && lstatSync(general, { throwIfNoEntry: false }) !== undefined ? general : beside;
}

function dockerfilePath(directory: string, path: string): string {
  return isAbsolute(path) ? path : join(directory, path);
}

/** How the lock calls a Dockerfile. */
export function dockerfileInLock(directory: string, dockerfile: DockerfileSource | undefined, lock: string): string {
  if (dockerfile?.kind === "text") return "-";
  if (dockerfile?.kind === "url") return dockerfile.url;
  return relative(dirname(lock), dockerfilePath(directory, dockerfile?.path ?? "Dockerfile"));
}

/** undefined where there is none. Fails with LOCK_INVALID, also for a link: a context from elsewhere must not point at this machine's files. */
export function readLock(path: string): Lock | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return undefined;
    if (errno === "ELOOP") throw notPlain(path, "is a symbolic link");
    throw error;
  }
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw notPlain(path, "is no regular file");
    if (stat.size > maxLockBytes) throw notPlain(path, `is longer than ${maxLockBytes} bytes`);
    const bytes = Buffer.alloc(stat.size);
    const read = readSync(fd, bytes);
    return parseLock(bytes.subarray(0, read).toString(), path);
  } finally {
    closeSync(fd);
  }
}

function notPlain(path: string, why: string): SlipwayError {
  return new SlipwayError("invalid_argument", "LOCK_INVALID", `${path} ${why}: a lock has to be a plain file`, { path });
}

/** Whoever reads meanwhile sees the old one or the new one. */
export function writeLock(path: string, text: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false) throw notPlain(path, "is no regular file");
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: userMode("file"), flag: "wx" });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
