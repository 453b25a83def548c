/** The files of a tar archive where they lie: one pass finds their places, then each is read from there. A compressed archive is unpacked beside first. */
import { createReadStream, mkdtempSync, readSync, openSync, closeSync, rmSync, statSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SlipwayError, asSlipwayError, errnoOf } from "../../base/errors.ts";
import { sanitizeEntryPath } from "../../store/unpack.ts";
import { decompress, detectCompression, probeSizeBytes, TarReader, type TarEntry } from "../../tar/index.ts";
import { invalidArchive } from "../archive/archive-members.ts";
import { readBounded } from "./directory-files.ts";
import { notInPlace } from "./image-source.ts";
import type { LayoutFiles } from "./layout-source.ts";

type Place = { readonly offset: number; readonly size: number } | { readonly target: string };

const chunkBytes = 1024 * 1024;
const maxMembers = 20_000;
const maxLinkHops = 16;
const maxArchiveBytes = 2 ** 41;

function linkTarget(path: string, { type, linkname }: TarEntry): string {
  const directory = type === "hardlink" || linkname.startsWith("/") ? "" : path.slice(0, path.lastIndexOf("/") + 1);
  return sanitizeEntryPath(directory + linkname);
}

/** Where each file's bytes begin. Sparse files, which no image archive has, are refused. */
function findPlaces(fd: number): ReadonlyMap<string, Place> {
  const places = new Map<string, Place>();
  const buffer = Buffer.alloc(chunkBytes);
  let chunkOffset = 0;
  let path = "";
  let size = 0;
  let offset: number | undefined;
  const reader = new TarReader({
    entry: (entry) => {
      if (places.size >= maxMembers) throw invalidArchive(`it holds more than ${maxMembers} files`);
      path = sanitizeEntryPath(entry.path);
      // what is twice here is the one to some readers and the other to others; blobs are what their names say
      if (places.has(path) && !path.startsWith("blobs/")) throw invalidArchive(`it holds ${JSON.stringify(path)} twice`, { path });
      size = entry.type === "file" ? entry.size : 0;
      offset = undefined;
      if (entry.type === "file" && size === 0) places.set(path, { offset: 0, size: 0 });
      if (entry.type === "symlink" || entry.type === "hardlink") places.set(path, { target: linkTarget(path, entry) });
    },
    data: (bytes) => {
      if (offset !== undefined) return;
      offset = chunkOffset + bytes.byteOffset - buffer.byteOffset;
      places.set(path, { offset, size });
    },
    hole: () => {
      throw invalidArchive(`its file ${JSON.stringify(path)} is sparse`);
    },
    entryEnd: () => {},
  });
  for (;;) {
    const read = readSync(fd, buffer, 0, chunkBytes, chunkOffset);
    if (read === 0) break;
    reader.push(buffer.subarray(0, read));
    chunkOffset += read;
    if (reader.ended) break;
  }
  reader.finish();
  return places;
}

async function unpackedBeside(file: string, head: Buffer, signal: AbortSignal | undefined): Promise<{ readonly path: string; readonly directory: string }> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-archive-"));
  const path = join(directory, "archive.tar");
  const fd = openSync(path, "wx", 0o600);
  try {
    const options = { maxBytes: maxArchiveBytes, ...(signal === undefined ? {} : { signal }) };
    for await (const chunk of decompress(createReadStream(file), detectCompression(head), options)) writeSync(fd, chunk);
    return { path, directory };
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function headOf(fd: number): Buffer {
  const head = Buffer.alloc(probeSizeBytes);
  return head.subarray(0, readSync(fd, head, 0, head.length, 0));
}

function openArchive(file: string): number {
  try {
    const found = statSync(file);
    if (found.isDirectory()) throw notInPlace(file, "it is a directory, not an archive");
    if (!found.isFile()) throw notInPlace(file, "it is no regular file: an archive is read from where it lies, not as it comes");
    return openSync(file, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") throw notInPlace(file, "no such file or directory");
    throw error instanceof SlipwayError ? error : asSlipwayError(error, "denied", "PERMISSION_DENIED");
  }
}

/** Fails with IMAGE_NOT_IN_PLACE (not_found), ARCHIVE_INVALID and the codes of the tar reader. The file is open until the end. */
export async function archiveFiles(file: string, signal?: AbortSignal): Promise<LayoutFiles> {
  let fd = openArchive(file);
  let directory: string | undefined;
  const close = async (): Promise<void> => {
    closeSync(fd);
    if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  };
  try {
    const head = headOf(fd);
    if (detectCompression(head) !== "none") {
      const unpacked = await unpackedBeside(file, head, signal);
      directory = unpacked.directory;
      closeSync(fd);
      fd = openSync(unpacked.path, "r");
    }
    return filesAt(fd, findPlaces(fd), close);
  } catch (error) {
    await close();
    throw error;
  }
}

function filesAt(fd: number, places: ReadonlyMap<string, Place>, close: () => Promise<void>): LayoutFiles {
  const resolve = (path: string): { readonly offset: number; readonly size: number } | undefined => {
    let place = places.get(path);
    for (let hop = 0; place !== undefined && "target" in place; hop++) place = hop === maxLinkHops ? undefined : places.get(place.target);
    return place;
  };
  async function* stream(path: string): AsyncGenerator<Uint8Array> {
    const place = resolve(path);
    if (place === undefined) throw invalidArchive(`${path} is missing`, { path });
    for (let at = 0; at < place.size;) {
      const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, place.size - at));
      const read = readSync(fd, buffer, 0, buffer.length, place.offset + at);
      if (read === 0) throw new SlipwayError("conflict", "FILE_CHANGED", `${path} of the archive shrank while it was read`, { path });
      yield buffer.subarray(0, read);
      at += read;
    }
  }
  return {
    size: (path) => resolve(path)?.size,
    stream,
    read: async (path, limitBytes) =>
      await readBounded(path, resolve(path)?.size ?? 0, limitBytes, async () => Buffer.concat(await Array.fromAsync(stream(path)))),
    [Symbol.asyncDispose]: close,
  };
}
