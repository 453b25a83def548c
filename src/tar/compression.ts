/** Which compression bytes are in, and their decompression as a bounded stream. Compressing: gzip.ts, zstd.ts. */
import { SlipwayError } from "../base/errors.ts";
import { decompressWithProgram } from "./program.ts";
import { hasValidChecksum } from "./block.ts";
import { gunzip, unzstd } from "./zlib-stream.ts";

export type Compression = "none" | "gzip" | "bzip2" | "xz" | "zstd";

/** Enough of a stream's start for detectCompression and isTarHeader. */
export const probeSizeBytes = 512;

const magics: readonly (readonly [Exclude<Compression, "none">, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b, 0x08]],
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
];

/** By the first bytes; "none" for everything that carries no known mark, tar or not. */
export function detectCompression(head: Uint8Array): Compression {
  const found = magics.find(([, magic]) => magic.every((byte, at) => head[at] === byte));
  if (found) return found[0];
  // Zstandard streams may begin with a skippable frame: 0x184D2A50 to 0x184D2A5F, little-endian.
  const skippable = ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
  return skippable ? "zstd" : "none";
}

/** Whether uncompressed bytes begin with a tar header: at least 512 bytes with a right checksum. */
export function isTarHeader(head: Uint8Array): boolean {
  if (head.length < probeSizeBytes || head[0] === 0) return false;
  try {
    return hasValidChecksum(head);
  } catch {
    return false;
  }
}

export interface DecompressOptions {
  /** More output than this fails with DECOMPRESSION_LIMIT. Default: no bound, for callers that have their own. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * The decompressed bytes. gzip members and zstd frames may follow each other; bzip2 and xz go through the system's programs.
 * Fails with COMPRESSION_CORRUPT or COMPRESSION_TRUNCATED (data_loss), DECOMPRESSION_LIMIT (resource_exhausted),
 * PROGRAM_MISSING (failed_precondition) without bzip2 or xz on the PATH, and with what the source throws.
 */
export async function* decompress(source: AsyncIterable<Uint8Array>, kind: Compression, options: DecompressOptions = {}): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of open(source, kind, options.signal)) {
    options.signal?.throwIfAborted();
    size += chunk.length;
    if (size > (options.maxBytes ?? Number.POSITIVE_INFINITY)) {
      throw new SlipwayError("resource_exhausted", "DECOMPRESSION_LIMIT", `decompressed content exceeds the limit of ${options.maxBytes} bytes`, {
        limit: options.maxBytes,
        kind,
      });
    }
    yield Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }
}

export interface Detected {
  readonly kind: Compression;
  /** Decompressed, from the first byte on. */
  readonly bytes: AsyncGenerator<Buffer>;
}

/** Looks at the first bytes of a stream and decompresses it accordingly; see decompress() for the failures. */
export async function decompressDetected(source: AsyncIterable<Uint8Array>, options: DecompressOptions = {}): Promise<Detected> {
  const { head, rest } = await peek(source, probeSizeBytes);
  const kind = detectCompression(head);
  return { kind, bytes: decompress(rest, kind, options) };
}

/** The first `size` bytes (fewer if the source is shorter) and the whole stream, those included. The source is closed with `rest`. */
export async function peek(source: AsyncIterable<Uint8Array>, size: number): Promise<{ head: Buffer; rest: AsyncGenerator<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let have = 0;
  while (have < size) {
    const next = await iterator.next();
    if (next.done) break;
    first.push(next.value);
    have += next.value.length;
  }
  return { head: Buffer.concat(first).subarray(0, size), rest: resume(first, iterator) };
}

async function* resume(first: readonly Uint8Array[], iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* first;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  } finally {
    await iterator.return?.();
  }
}

function open(source: AsyncIterable<Uint8Array>, kind: Compression, signal: AbortSignal | undefined): AsyncIterable<Uint8Array> {
  switch (kind) {
    case "none":
      return source;
    case "gzip":
      return gunzip(source);
    case "zstd":
      return unzstd(source);
    case "bzip2":
    case "xz":
      return decompressWithProgram(source, kind, signal);
  }
}
