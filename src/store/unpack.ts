/** A layer's tar → a directory, overlay-ready or applied onto what is there. Synchronous; hostile archives are refused. */
import { readSync } from "node:fs";
import path from "node:path";
import { asSlipwayError, errnoOf, SlipwayError } from "../base/errors.ts";
import { TarReader } from "../tar/reader.ts";
import { EntryUnpacker } from "./unpack-entry.ts";
import type { UnpackOptions, UnpackResult } from "./unpack-options.ts";

export { sanitizeEntryPath } from "./entry-path.ts";
export type { IdRange, Owners } from "./unpack-attributes.ts";
export type { UnpackLimits, UnpackOptions, UnpackResult } from "./unpack-options.ts";
export type { LowerParent } from "./unpack-tree.ts";

/** For sources that arrive in pieces: push() every chunk of the uncompressed tar, then finish(). Both are synchronous. */
export interface LayerUnpacker {
  push(chunk: Uint8Array): void;
  /** Sets the directories' attributes and times. Fails with TAR_TRUNCATED when the archive is not complete. */
  finish(): UnpackResult;
}

/**
 * Parents are resolved inside `directory` (a symlink to /etc means the layer's own), later entries replace earlier ones.
 * Fails with TAR_PATH_ESCAPES, TAR_PARENT_NOT_DIRECTORY, TAR_SYMLINK_LOOP, HARDLINK_TARGET_MISSING, INVALID_WHITEOUT (invalid_argument),
 * TAR_NAME_TOO_LONG (invalid_argument), TAR_CORRUPT, TAR_TRUNCATED (data_loss), UNPACK_LIMIT (resource_exhausted), UNMAPPED_ID (failed_precondition), NO_SPACE and others
 * of the system. What was created by then stays: the caller removes the directory.
 */
export function createUnpacker(options: UnpackOptions): LayerUnpacker {
  const sink = new EntryUnpacker(options);
  const reader = new TarReader(sink);
  const guarded = <T>(step: () => T): T => {
    try {
      return step();
    } catch (error) {
      sink.abandon();
      throw nameTooLong(error, options.directory) ?? asSlipwayError(error, "internal", "UNPACK_FAILED");
    }
  };
  return {
    push: (chunk) => guarded(() => reader.push(chunk)),
    finish: () =>
      guarded(() => {
        reader.finish();
        return sink.finish();
      }),
  };
}

/** Docker's words, with the archive's name for the file. */
function nameTooLong(error: unknown, directory: string): SlipwayError | undefined {
  if (errnoOf(error) !== "ENAMETOOLONG" || !(error instanceof Error)) return undefined;
  const place = "path" in error && typeof error.path === "string" ? path.relative(directory, error.path) : "";
  return new SlipwayError("invalid_argument", "TAR_NAME_TOO_LONG", `openat ${place}: file name too long`, { path: place }, error);
}

const readSizeBytes = 256 * 1024;

/** `source`: chunks, or a file descriptor that is read to its end (it stays open). Fails as createUnpacker() says. */
export function unpackLayer(options: UnpackOptions & { readonly source: Iterable<Uint8Array> | number }): UnpackResult {
  const unpacker = createUnpacker(options);
  const { source } = options;
  for (const chunk of typeof source === "number" ? chunksOf(source) : source) unpacker.push(chunk);
  return unpacker.finish();
}

/** Each chunk is valid until the next one is read. */
function* chunksOf(fd: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(readSizeBytes);
  for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer)) yield buffer.subarray(0, length);
}
