/**
 * gzip on all cores whose output depends on the input and the level alone: the input is cut into blocks of a fixed size, each is
 * deflated by itself on libuv's pool (with the 32 KiB before it as dictionary) up to a byte boundary, and all are joined to one member.
 * @see RFC 1951 (deflate), RFC 1952 (gzip)
 */
import type * as Zlib from "node:zlib";
import { mapBlocks } from "./block-parallel.ts";

export interface GzipOptions {
  /** 1 (fast) to 9 (small). Default 6. */
  readonly level?: number;
  readonly signal?: AbortSignal;
}

const windowSize = 32 * 1024;

/** No name, no time, "unknown" operating system. */
const memberHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);

/** An empty final block in fixed Huffman codes: ends a deflate stream whose blocks all said that more follows. */
const lastBlock = Buffer.from([0x03, 0x00]);

const sampleSize = 4 * 1024;

/** Archives and pictures, by three samples: deflating them costs as much as anything else and gains nothing. */
export function isIncompressible(block: Buffer, zlib: typeof Zlib): boolean {
  if (block.length < 16 * sampleSize) return false;
  const middle = Math.floor(block.length / 2);
  const sample = Buffer.concat([block.subarray(0, sampleSize), block.subarray(middle, middle + sampleSize), block.subarray(-sampleSize)]);
  return zlib.deflateRawSync(sample, { level: 1 }).length > sample.length * 0.98;
}

/** Fails with what the source throws. How the source cuts its bytes into chunks does not matter to the output. */
export async function* compressGzip(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options: GzipOptions = {}): AsyncGenerator<Buffer> {
  const zlib = process.getBuiltinModule("node:zlib");
  const level = options.level ?? 6;
  let window: Buffer = Buffer.alloc(0);
  let crc = 0;
  let size = 0;
  const deflate = (block: Buffer): Promise<Buffer> => {
    crc = zlib.crc32(block, crc);
    size += block.length;
    const dictionary = window;
    window = block.subarray(-windowSize);
    return new Promise((resolve, reject) => {
      const settings = {
        level: isIncompressible(block, zlib) ? 0 : level,
        chunkSize: windowSize * 8,
        finishFlush: zlib.constants.Z_SYNC_FLUSH,
        ...(dictionary.length > 0 && { dictionary }),
      };
      zlib.deflateRaw(block, settings, (error, result) => (error ? reject(error) : resolve(result)));
    });
  };
  yield memberHeader;
  yield* mapBlocks(source, deflate, options.signal);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield Buffer.concat([lastBlock, trailer]);
}
