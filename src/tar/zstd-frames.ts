/**
 * Zstandard frames in a row. Node's decompressor stops after the first one without a word, so the stream is cut into frames
 * here (their block headers say how long they are) and each gets a decompressor of its own.
 * @see RFC 8878, sections 3.1.1 (frames) and 3.1.2 (skippable frames)
 */
import { SlipwayError } from "../base/errors.ts";
import { ByteCursor } from "./byte-cursor.ts";

export interface ZstdFrame {
  /** What the frame says its content is long, if it says so. */
  readonly contentSize: number | undefined;
  /** Every byte of the frame, to be read before the next frame is asked for. */
  readonly pieces: AsyncIterable<Buffer>;
}

const frameMagic = 0xfd2fb528;
const skippableMagic = 0x184d2a50;
const maxBlockSize = 128 * 1024;

/** Skippable frames are left out. Fails with COMPRESSION_CORRUPT or COMPRESSION_TRUNCATED (data_loss). */
export async function* zstdFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<ZstdFrame> {
  const cursor = new ByteCursor(source, () => zstdError("COMPRESSION_TRUNCATED", "unexpected EOF"));
  try {
    while (!(await cursor.atEnd())) {
      const magic = await cursor.take(4);
      const number = magic.readUInt32LE(0);
      if ((number & 0xfffffff0) >>> 0 === skippableMagic) {
        await cursor.skip((await cursor.take(4)).readUInt32LE(0));
        continue;
      }
      if (number !== frameMagic) throw zstdError("COMPRESSION_CORRUPT", "no frame where one should begin");
      const header = await readFrameHeader(cursor);
      yield { contentSize: header.contentSize, pieces: framePieces(cursor, Buffer.concat([magic, header.bytes]), header.hasChecksum) };
    }
  } finally {
    await cursor.close();
  }
}

interface FrameHeader {
  readonly bytes: Buffer;
  readonly contentSize: number | undefined;
  readonly hasChecksum: boolean;
}

async function readFrameHeader(cursor: ByteCursor): Promise<FrameHeader> {
  const descriptor = await cursor.take(1);
  const bits = descriptor[0] ?? 0;
  const isSingleSegment = (bits & 0x20) !== 0;
  const windowLength = isSingleSegment ? 0 : 1;
  const dictionaryLength = [0, 1, 2, 4][bits & 3] ?? 0;
  const sizeLength = [isSingleSegment ? 1 : 0, 2, 4, 8][bits >> 6] ?? 0;
  const rest = await cursor.take(windowLength + dictionaryLength + sizeLength);
  return {
    bytes: Buffer.concat([descriptor, rest]),
    contentSize: contentSizeOf(rest.subarray(windowLength + dictionaryLength)),
    hasChecksum: (bits & 4) !== 0,
  };
}

function contentSizeOf(bytes: Buffer): number | undefined {
  switch (bytes.length) {
    case 0:
      return undefined;
    case 1:
      return bytes[0];
    // A size of two bytes counts from 256 on.
    case 2:
      return bytes.readUInt16LE(0) + 256;
    case 4:
      return bytes.readUInt32LE(0);
    default:
      return Number(bytes.readBigUInt64LE(0));
  }
}

async function* framePieces(cursor: ByteCursor, start: Buffer, hasChecksum: boolean): AsyncGenerator<Buffer> {
  yield start;
  for (;;) {
    const header = await cursor.take(3);
    const bits = header.readUIntLE(0, 3);
    const size = bits >> 3;
    const type = (bits >> 1) & 3;
    // A run (type 1) stores its one byte only; type 3 does not exist.
    if (type === 3 || (type !== 1 && size > maxBlockSize)) throw zstdError("COMPRESSION_CORRUPT", "impossible block");
    yield header;
    const stored = type === 1 ? 1 : size;
    if (stored > 0) yield await cursor.take(stored);
    if (bits & 1) break;
  }
  if (hasChecksum) yield await cursor.take(4);
}

export function zstdError(code: "COMPRESSION_CORRUPT" | "COMPRESSION_TRUNCATED", what: string): SlipwayError {
  return new SlipwayError("data_loss", code, `zstd: ${what}`, { kind: "zstd" });
}
