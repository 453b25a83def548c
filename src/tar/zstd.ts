/** Zstandard on all cores: one frame for each block of the input, so that the output depends on the input and the level alone. */
import { mapBlocks } from "./block-parallel.ts";

export interface ZstdOptions {
  /** 1 to 22. Default 3. */
  readonly level?: number;
  readonly signal?: AbortSignal;
}

/** Larger than gzip's: frames share nothing with the ones before them. */
const zstdBlockSize = 4 * 1024 * 1024;

/** Frames with a checksum each, one at least. Fails with what the source throws. */
export async function* compressZstd(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, options: ZstdOptions = {}): AsyncGenerator<Buffer> {
  const zlib = process.getBuiltinModule("node:zlib");
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: options.level ?? 3, [zlib.constants.ZSTD_c_checksumFlag]: 1 };
  const compress = (block: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => zlib.zstdCompress(block, { params }, (error, result) => (error ? reject(error) : resolve(result))));
  let empty = true;
  for await (const frame of mapBlocks(source, compress, options.signal, zstdBlockSize)) {
    empty = false;
    yield frame;
  }
  if (empty) yield await compress(Buffer.alloc(0));
}
