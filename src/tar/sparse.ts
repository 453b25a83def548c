/**
 * Files with holes, in GNU tar's four notations. A map lists the parts that have bytes in the archive; all else is zeros.
 * @see GNU tar manual, "Storing Sparse Files"
 */
import { type Field, readNumber, tarCorrupt } from "./block.ts";
import { paxInteger, type PaxRecords } from "./pax.ts";

export interface SparsePart {
  readonly offset: number;
  readonly length: number;
}

/** Bound of a map: more parts than any sane file has. */
const maxParts = 65_536;

/** Old GNU header: four parts in the header block itself; `more`: extension blocks follow. */
export function sparsePartsOfHeader(block: Buffer): { parts: SparsePart[]; more: boolean; realSize: number } {
  return { parts: readParts(block, 386, 4), more: block[482] !== 0, realSize: readNumber(block, [483, 12]) };
}

/** Extension block of an old GNU header. */
export function sparsePartsOfExtension(block: Buffer): { parts: SparsePart[]; more: boolean } {
  return { parts: readParts(block, 0, 21), more: block[504] !== 0 };
}

function readParts(block: Buffer, start: number, count: number): SparsePart[] {
  const parts: SparsePart[] = [];
  for (let at = start; at < start + count * 24; at += 24) {
    if (block[at] === 0) break;
    const where = (offset: number): Field => [at + offset, 12];
    parts.push({ offset: readNumber(block, where(0)), length: readNumber(block, where(12)) });
  }
  return parts;
}

/** Formats 0.0 (repeated records, given as they came) and 0.1 (one record). undefined: the records say nothing of holes. */
export function sparsePartsOfRecords(records: PaxRecords, repeated: readonly number[]): SparsePart[] | undefined {
  const map = records.get("GNU.sparse.map");
  if (map === undefined && repeated.length === 0) return undefined;
  const text = map?.toString("latin1") ?? "";
  const numbers = map === undefined ? repeated : text === "" ? [] : text.split(",").map(Number);
  return pairUp(numbers);
}

function pairUp(numbers: readonly number[]): SparsePart[] {
  if (numbers.length % 2 !== 0) throw tarCorrupt("sparse map with an odd count of numbers");
  const parts: SparsePart[] = [];
  for (let at = 0; at < numbers.length; at += 2) parts.push({ offset: numbers[at] ?? Number.NaN, length: numbers[at + 1] ?? Number.NaN });
  return parts;
}

/** Format 1.0: the map is text at the start of the content. undefined until `text`, of so many complete lines, holds all of it. */
export function sparsePartsOfContent(text: string, lineCount: number): SparsePart[] | undefined {
  if (lineCount === 0) return undefined;
  const count = lineNumber(text.slice(0, text.indexOf("\n")));
  if (count > maxParts) throw tarCorrupt("sparse map with too many parts");
  if (lineCount < 1 + 2 * count) return undefined;
  return pairUp(
    text
      .split("\n", 1 + 2 * count)
      .slice(1)
      .map(lineNumber),
  );
}

function lineNumber(line: string): number {
  return paxInteger(Buffer.from(line, "latin1"), "sparse map");
}

/** Fails with TAR_CORRUPT unless the parts are in order, inside the file, and as long together as the bytes that follow. */
export function checkSparseMap(parts: readonly SparsePart[], realSize: number, storedSize: number): void {
  let end = 0;
  let stored = 0;
  for (const { offset, length } of parts) {
    if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(length) || length < 0 || offset < end) throw tarCorrupt("sparse map out of order");
    end = offset + length;
    stored += length;
  }
  if (parts.length > maxParts || end > realSize || stored !== storedSize) throw tarCorrupt("sparse map that does not fit the file");
}
