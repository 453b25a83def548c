/** The three files in which rpm has kept its packages: an SQLite database, its own "ndb", and Berkeley's hash. */
import { SlipwayError } from "../../../base/errors.ts";
import { blobsOfSqlite } from "../../../store/foreign-database.ts";
import type { PackageReader } from "../package-reader.ts";
import { parseRpmHeader, type RpmHeader } from "./rpm-header.ts";

const maxHeaderBytes = 64 * 2 ** 20;

function damaged(why: string): SlipwayError {
  return new SlipwayError("data_loss", "ARCHIVE_CORRUPT", `rpm database: ${why}`, { reason: why });
}

/** Slots of sixteen bytes that say where a package's blob is. @see rpm's lib/backend/ndb/rpmpkg.c */
export function headersOfNdb(bytes: Buffer): readonly Buffer[] {
  if (bytes.length < 4096 || bytes.toString("latin1", 0, 4) !== "RpmP") throw damaged("it is no ndb");
  const end = Math.min(bytes.length, bytes.readUInt32LE(12) * 4096);
  const headers: Buffer[] = [];
  for (let slot = 32; slot + 16 <= end; slot += 16) {
    if (bytes.toString("latin1", slot, slot + 4) !== "Slot") throw damaged("a slot is damaged");
    if (bytes.readUInt32LE(slot + 4) === 0) continue;
    const at = bytes.readUInt32LE(slot + 8) * 16;
    if (at + 16 > bytes.length || bytes.toString("latin1", at, at + 4) !== "BlbS") throw damaged("a package is not where its slot says");
    headers.push(bytes.subarray(at + 16, at + 16 + bytes.readUInt32LE(at + 12)));
  }
  return headers;
}

const [hashPage, unsortedHashPage, overflowPage] = [13, 2, 7];
const [onPage, offPage] = [1, 3];

/** rpm's own counter is a value too. */
const counterBytes = 16;

/** Values on their page, or on a chain of others. @see Berkeley DB's dbinc/db_page.h */
export function headersOfBdb(bytes: Buffer): readonly Buffer[] {
  const isLittle = bytes.length >= 512 && bytes.readUInt32LE(12) === 0x061561;
  if (!isLittle && (bytes.length < 512 || bytes.readUInt32BE(12) !== 0x061561)) throw damaged("it is no Berkeley hash");
  const u32 = (at: number): number => (isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
  const u16 = (at: number): number => (isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
  const pageSize = u32(20);
  if (pageSize < 512 || pageSize > 65_536) throw damaged("its pages have no valid size");
  const pages = Math.floor(bytes.length / pageSize);
  const overflow = (first: number, length: number): Buffer => {
    const parts: Buffer[] = [];
    let [page, got] = [first, 0];
    for (let hops = 0; page !== 0 && got < length; hops++) {
      const at = page * pageSize;
      if (page >= pages || hops > pages || bytes[at + 25] !== overflowPage) throw damaged("a chain of pages is broken");
      const part = bytes.subarray(at + 26, at + 26 + Math.min(u16(at + 22), pageSize - 26));
      parts.push(part);
      got += part.length;
      page = u32(at + 16);
    }
    return Buffer.concat(parts).subarray(0, length);
  };
  const headers: Buffer[] = [];
  for (let page = 1; page < pages; page++) {
    const at = page * pageSize;
    if (bytes[at + 25] !== hashPage && bytes[at + 25] !== unsortedHashPage) continue;
    // keys and values take turns, from the page's end upward
    for (let entry = 1; entry < Math.min(u16(at + 20), (pageSize - 26) / 2); entry += 2) {
      const [start, end] = [u16(at + 26 + entry * 2), u16(at + 26 + (entry - 1) * 2)];
      const value = at + start;
      if (value + 12 > bytes.length) continue;
      if (bytes[value] === onPage && end - start > counterBytes) headers.push(bytes.subarray(value + 1, at + end));
      if (bytes[value] !== offPage) continue;
      const length = u32(value + 8);
      if (length > maxHeaderBytes) throw damaged("a package's header is too large");
      headers.push(overflow(u32(value + 4), length));
    }
  }
  return headers;
}

const reader = (name: string, headersOf: (bytes: Buffer) => Iterable<Buffer>): PackageReader => ({
  names: [name],
  wants: (path) => /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm|usr\/share\/rpm)\/[^/]+$/.test(path),
  maxBytes: 256 * 2 ** 20,
  read: (bytes) => {
    const packages: RpmHeader[] = [];
    for (const header of headersOf(bytes)) {
      const parsed = parseRpmHeader(header);
      if (parsed !== undefined) packages.push(parsed);
    }
    return { packages: packages.map(({ found }) => found), owned: packages.map(({ found, paths }) => ({ owner: found.name, paths })) };
  },
});

export const rpmReaders: readonly PackageReader[] = [
  reader("rpmdb.sqlite", (bytes) => blobsOfSqlite(bytes, "SELECT blob FROM Packages ORDER BY hnum")),
  reader("Packages.db", headersOfNdb),
  reader("Packages", headersOfBdb),
];
