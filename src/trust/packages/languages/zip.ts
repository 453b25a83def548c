/** Reads members of zip archives that lie in memory. Sizes are believed only as far as the bytes that come agree with them. */
import { inflateRawSync } from "node:zlib";
import { SlipwayError } from "../../../base/errors.ts";

export interface ZipMember {
  readonly name: string;
  readonly size: number;
  /** as the directory says */
  readonly crc: number;
  readonly method: number;
  /** of the local header */
  readonly offset: number;
  readonly packedSize: number;
}

const defaultMaxMembers = 200_000;

function damaged(why: string): SlipwayError {
  return new SlipwayError("data_loss", "ARCHIVE_CORRUPT", `zip archive: ${why}`, { reason: why });
}

/** Looked for from the end: a comment of 64 KiB may follow it. */
function endRecord(bytes: Buffer): number {
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 22 - 65_535); at--) if (bytes.readUInt32LE(at) === 0x06054b50) return at;
  throw damaged("it has no directory");
}

interface Directory {
  readonly count: number;
  readonly offset: number;
  /** what stands before the archive (a launcher's script) shifts all offsets */
  readonly shift: number;
}

/** Of more than 65,535 members the older record only says that there is a longer one. */
function directoryOf(bytes: Buffer): Directory {
  const end = endRecord(bytes);
  const [count, size, offset] = [bytes.readUInt16LE(end + 10), bytes.readUInt32LE(end + 12), bytes.readUInt32LE(end + 16)];
  const locator = end - 20;
  if (locator >= 0 && bytes.readUInt32LE(locator) === 0x07064b50) {
    const record = Number(bytes.readBigUInt64LE(locator + 8));
    if (record + 56 > bytes.length || bytes.readUInt32LE(record) !== 0x06064b50) throw damaged("its long directory is not where it says");
    return { count: Number(bytes.readBigUInt64LE(record + 32)), offset: Number(bytes.readBigUInt64LE(record + 48)), shift: 0 };
  }
  const shift = Math.max(0, end - size - offset);
  return { count, offset: offset + shift, shift };
}

/**
 * The directory's members. Fails with ARCHIVE_CORRUPT (data_loss), and for more than so many with ARCHIVE_LIMIT (resource_exhausted). Members
 * beyond 4 GiB are not read.
 */
export function listZip(bytes: Buffer, maxMembers = defaultMaxMembers): readonly ZipMember[] {
  const { count, offset, shift } = directoryOf(bytes);
  if (count > maxMembers) {
    throw new SlipwayError("resource_exhausted", "ARCHIVE_LIMIT", `zip archive: it has ${count} members, more than ${maxMembers}`, {
      count,
      limit: maxMembers,
    });
  }
  const members: ZipMember[] = [];
  let at = offset;
  while (members.length < Math.max(count, 1) && at + 46 <= bytes.length && bytes.readUInt32LE(at) === 0x02014b50) {
    const [nameLength, extra, comment] = [bytes.readUInt16LE(at + 28), bytes.readUInt16LE(at + 30), bytes.readUInt16LE(at + 32)];
    members.push({
      name: bytes.toString("utf8", at + 46, at + 46 + nameLength),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packedSize: bytes.readUInt32LE(at + 20),
      size: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42) + shift,
    });
    at += 46 + nameLength + extra + comment;
  }
  if (count > 0 && members.length === 0) throw damaged("its directory is unreadable");
  return members;
}

/** Fails with ARCHIVE_CORRUPT (data_loss), and for more than `maxBytes` with ARCHIVE_LIMIT (resource_exhausted). */
export function readZipMember(bytes: Buffer, { name, method, offset, packedSize, size }: ZipMember, maxBytes: number): Buffer {
  if (size > maxBytes) throw tooLarge(name, maxBytes);
  if (offset + 30 > bytes.length || bytes.readUInt32LE(offset) !== 0x04034b50) throw damaged(`${JSON.stringify(name)} is not where the directory says`);
  const start = offset + 30 + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  const packed = bytes.subarray(start, start + packedSize);
  if (method === 0) return packed.subarray(0, maxBytes);
  if (method !== 8) throw damaged(`${JSON.stringify(name)} is packed by method ${method}`);
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, maxBytes), chunkSize: chunkSizeOf(packed.length, size, maxBytes) });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(name, maxBytes);
    throw damaged(`${JSON.stringify(name)} cannot be unpacked`);
  }
}

const leastChunk = 65_536;
/** No byte unpacks to more. */
export const mostByByte = 1032;

/** One piece for what is as large as it says, a byte more to see its end: no copy is made of pieces. */
function chunkSizeOf(packedSize: number, size: number, maxBytes: number): number {
  return Math.max(leastChunk, Math.min(size, packedSize * mostByByte, maxBytes) + 1);
}

function tooLarge(name: string, limit: number): SlipwayError {
  return new SlipwayError("resource_exhausted", "ARCHIVE_LIMIT", `zip archive: ${JSON.stringify(name)} unpacks to more than ${limit} bytes`, { name, limit });
}
