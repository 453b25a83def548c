/** The files of a layout in a directory. */
import { createReadStream, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import type { LayoutFiles } from "./layout-source.ts";
import { notInPlace } from "./image-source.ts";

/** Fails with IMAGE_NOT_IN_PLACE (not_found) where the directory is no layout. */
export function directoryFiles(directory: string): LayoutFiles {
  const sizeOf = (path: string): number | undefined => {
    const stat = statSync(join(directory, path), { throwIfNoEntry: false });
    return stat?.isFile() === true ? stat.size : undefined;
  };
  if (sizeOf("index.json") === undefined) throw notInPlace(directory, "it is no OCI layout: there is no index.json in it");
  return {
    size: sizeOf,
    read: async (path, limitBytes) => readBounded(path, sizeOf(path) ?? 0, limitBytes, () => readFileSync(join(directory, path))),
    stream: (path) => createReadStream(join(directory, path), { highWaterMark: 256 * 1024 }),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Fails with DOCUMENT_TOO_LARGE (resource_exhausted). */
export function readBounded<Bytes>(path: string, size: number, limitBytes: number, read: () => Bytes): Bytes {
  if (size <= limitBytes) return read();
  throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${path} is ${size} bytes: at most ${limitBytes} are read`, { path, size });
}
