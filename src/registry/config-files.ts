/** How configuration is read: behind this port, so that what is decided from it can be tested without a disk. */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { SlipwayError, errnoOf } from "../base/errors.ts";

export interface ConfigFiles {
  /** the file's text, or undefined where there is none or it may not be read */
  readText(path: string): string | undefined;
  /** the names in a directory, sorted; empty where there is none */
  list(path: string): readonly string[];
}

export type Env = Readonly<Record<string, string | undefined>>;

const maxConfigBytes = 1024 * 1024;
const unreachable = new Set(["ENOENT", "ENOTDIR", "EACCES", "EISDIR", "ELOOP", "ENAMETOOLONG"]);

function orWhenUnreachable<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (unreachable.has(errnoOf(error) ?? "")) return otherwise;
    throw error;
  }
}

function readBounded(path: string): string | undefined {
  const fd = openSync(path, "r");
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(maxConfigBytes + 1);
    let length = 0;
    for (let n = -1; n !== 0 && length < bytes.length; length += n) n = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > maxConfigBytes) {
      throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${path} is larger than ${maxConfigBytes} bytes`, { path, limit: maxConfigBytes });
    }
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}

/** The disk. A file larger than 1 MiB fails with DOCUMENT_TOO_LARGE (resource_exhausted). */
export const diskConfigFiles: ConfigFiles = {
  readText: (path) => orWhenUnreachable(() => readBounded(path), undefined),
  list: (path) => orWhenUnreachable(() => readdirSync(path).sort(), []),
};
