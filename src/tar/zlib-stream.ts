/** Decompression by node:zlib, with failures in the project's words. */
import type { Readable, Transform } from "node:stream";
import { SlipwayError } from "../base/errors.ts";
import { zstdFrames } from "./zstd-frames.ts";

export const chunkSizeBytes = 256 * 1024;

/** gzip members, one or several. */
export function gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  return throughZlib(source, process.getBuiltinModule("node:zlib").createGunzip({ chunkSize: chunkSizeBytes }), "gzip");
}

/** Frames that say they are no longer than this are decompressed at once: archives made of many small ones exist. */
const smallFrameSize = 4 * 1024 * 1024;

export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const zlib = process.getBuiltinModule("node:zlib");
  let any = false;
  for await (const { contentSize, pieces } of zstdFrames(source)) {
    any = true;
    if (contentSize !== undefined && contentSize <= smallFrameSize) yield await wholeFrame(pieces, contentSize);
    else yield* throughZlib(pieces, zlib.createZstdDecompress({ chunkSize: chunkSizeBytes }), "zstd");
  }
  if (!any) throw new SlipwayError("data_loss", "COMPRESSION_TRUNCATED", "zstd: unexpected EOF", { kind: "zstd" });
}

async function wholeFrame(pieces: AsyncIterable<Buffer>, contentSize: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const piece of pieces) {
    size += piece.length;
    if (size > 2 * smallFrameSize) throw new SlipwayError("data_loss", "COMPRESSION_CORRUPT", "zstd: frame far longer than its content", { kind: "zstd" });
    parts.push(piece);
  }
  if (contentSize === 0) return Buffer.alloc(0);
  const { zstdDecompress } = process.getBuiltinModule("node:zlib");
  return await new Promise((resolve, reject) => {
    zstdDecompress(Buffer.concat(parts), { maxOutputLength: contentSize, chunkSize: Math.max(64, contentSize) }, (error, content) =>
      error ? reject(asCompressionError(error, "zstd") as Error) : resolve(content),
    );
  });
}

async function* throughZlib(source: AsyncIterable<Uint8Array>, transform: Transform, kind: "gzip" | "zstd"): AsyncGenerator<Buffer> {
  const { Readable: Source } = process.getBuiltinModule("node:stream");
  const input: Readable = Source.from(source, { objectMode: false, highWaterMark: chunkSizeBytes });
  let sourceError: unknown;
  input.once("error", (error) => {
    sourceError = error;
    transform.destroy(error);
  });
  try {
    for await (const chunk of input.pipe(transform)) yield chunk as Buffer;
  } catch (error) {
    throw sourceError ?? asCompressionError(error, kind);
  } finally {
    input.destroy();
    transform.destroy();
  }
}

function asCompressionError(error: unknown, kind: "gzip" | "zstd"): unknown {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return error;
  const { code } = error;
  if (code === "Z_BUF_ERROR") return new SlipwayError("data_loss", "COMPRESSION_TRUNCATED", `${kind}: unexpected EOF`, { kind }, error);
  if (/^(?:Z_|ZSTD_)/.test(code) || code === "ERR_BUFFER_TOO_LARGE") {
    return new SlipwayError("data_loss", "COMPRESSION_CORRUPT", `${kind}: ${error.message}`, { kind }, error);
  }
  return error;
}
