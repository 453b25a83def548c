/**
 * The 512-byte header block: where its fields lie and how numbers are written in them.
 * @see POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format"
 */
import { SlipwayError } from "../base/errors.ts";

export const blockSize = 512;

/** [offset, length] of each field. */
export const field = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  linkname: [157, 100],
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
} as const satisfies Record<string, readonly [number, number]>;

export type Field = readonly [offset: number, length: number];

export const typeFlagOffset = 156;

export function tarCorrupt(what: string, details: Record<string, unknown> = {}): SlipwayError {
  return new SlipwayError("data_loss", "TAR_CORRUPT", `archive/tar: invalid tar header: ${what}`, details);
}

/** Octal digits with any padding of spaces and NULs, or GNU's base-256 when the first bit is set. An empty field is 0. */
export function readNumber(block: Uint8Array, [offset, length]: Field): number {
  const first = block[offset] ?? 0;
  if (first & 0x80) {
    const value = readBase256(block, offset, length);
    if (value > BigInt(Number.MAX_SAFE_INTEGER) || value < BigInt(Number.MIN_SAFE_INTEGER)) throw tarCorrupt(`number out of range: ${value}`);
    return Number(value);
  }
  let at = offset;
  const end = offset + length;
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++;
  let value = 0;
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; at < end; at++) if (block[at] !== 0x20 && block[at] !== 0) throw tarCorrupt("number with a character that is no octal digit");
  return value;
}

function readBase256(block: Uint8Array, offset: number, length: number): bigint {
  const first = block[offset] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = BigInt(negative ? first | ~0xff : first & 0x7f);
  for (let at = offset + 1; at < offset + length; at++) value = (value << 8n) | BigInt(block[at] ?? 0);
  return value;
}

export function fitsOctal(value: number, [, length]: Field): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < 8 ** (length - 1);
}

/** Zero-padded octal digits that end with NUL; the caller made sure that they fit. */
export function writeOctal(block: Uint8Array, value: number, [offset, length]: Field): void {
  let rest = value;
  for (let at = offset + length - 2; at >= offset; at--) {
    block[at] = 0x30 + (rest % 8);
    rest = Math.floor(rest / 8);
  }
}

/** The sum of all bytes with the checksum field as spaces; `signed` as some old writers counted. */
export function checksumOf(block: Uint8Array, signed = false): number {
  const [start, length] = field.checksum;
  let sum = length * 0x20;
  for (let at = 0; at < blockSize; at++) {
    if (at === start) at += length;
    const byte = block[at] ?? 0;
    sum += signed && byte > 127 ? byte - 256 : byte;
  }
  return sum;
}

export function hasValidChecksum(block: Uint8Array): boolean {
  const stored = readNumber(block, field.checksum);
  return stored === checksumOf(block) || stored === checksumOf(block, true);
}

export function isZeroBlock(block: Buffer): boolean {
  for (let at = 0; at < blockSize; at += 8) {
    if (block[at] !== 0) return false;
  }
  return block.every((byte) => byte === 0);
}

/** Bytes that fill the last block of `size` bytes of content. */
export function paddingLength(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}
