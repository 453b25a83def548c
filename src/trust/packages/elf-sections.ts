/** Named sections of an ELF file. Every offset is checked: the file is a stranger's. Of a large program little is read. */

import { SlipwayError } from "../../base/errors.ts";

/** A file that is read in pieces: as many bytes from there as there are. */
export interface PieceReader {
  readonly size: number;
  readonly read: (start: number, length: number) => Buffer;
}

export function piecesOf(bytes: Buffer): PieceReader {
  return { size: bytes.length, read: (start, length) => bytes.subarray(start, start + length) };
}

const headerBytes = 64;
const maxNameBytes = 64;
/** The names of all sections are some hundred bytes. */
const maxNamesBytes = 2 ** 20;
/** Lists of modules are some hundred kilobytes. */
const maxSectionBytes = 32 * 2 ** 20;
const empty = Buffer.alloc(0);

/**
 * Those of `names` that are there with content; empty where it is no ELF file, or one without section names. Fails with DOCUMENT_TOO_LARGE
 * (resource_exhausted).
 */
export function readElfSections({ size: fileSize, read }: PieceReader, names: readonly string[]): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  const header = read(0, headerBytes);
  if (header.length < headerBytes || header.readUInt32BE(0) !== 0x7f454c46) return found;
  const wide = header[4] === 2;
  const big = header[5] === 2;
  const u16 = (bytes: Buffer, at: number): number => (big ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at));
  const u32 = (bytes: Buffer, at: number): number => (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const word = (bytes: Buffer, at: number): number => (wide ? Number(big ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at)) : u32(bytes, at));
  const [size, count, nameIndex] = wide ? [u16(header, 58), u16(header, 60), u16(header, 62)] : [u16(header, 46), u16(header, 48), u16(header, 50)];
  const offset = word(header, wide ? 40 : 32);
  if (size < (wide ? 64 : 40) || offset + size * count > fileSize || nameIndex >= count) return found;
  const table = read(offset, size * count);
  const section = (index: number, most: number): Buffer => {
    const at = index * size;
    const [start, length] = wide ? [word(table, at + 24), word(table, at + 32)] : [u32(table, at + 16), u32(table, at + 20)];
    // a section without content in the file: .bss
    if (u32(table, at + 4) === 8 || start + length > fileSize) return empty;
    if (length > most)
      throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `a section of ${length} bytes: at most ${most} are read`, { limit: most });
    return read(start, length);
  };
  const text = section(nameIndex, maxNamesBytes);
  for (let index = 0; index < count; index++) {
    const at = u32(table, index * size);
    const start = text.subarray(at, at + maxNameBytes);
    const name = start.toString("latin1", 0, Math.max(0, start.indexOf(0)));
    // of several the first: each may be the whole file
    if (names.includes(name) && !found.has(name)) found.set(name, section(index, maxSectionBytes));
  }
  return found;
}
