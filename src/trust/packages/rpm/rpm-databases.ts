/** The three files in which rpm has kept its packages: an SQLite database, its own "ndb", and Berkeley's hash. */
import { isSlipwayError, SlipwayError } from "../../../base/errors.ts";
import { blobsOfSqlite } from "../../../store/foreign-database.ts";
import type { FoundPackage } from "../package.ts";
import { bounded, type FileFacts, type PackageReader } from "../package-reader.ts";
import { parseRpmHeader, type RpmHeader } from "./rpm-header.ts";

const maxHeaderBytes = 64 * 2 ** 20;

function damaged(why: string): SlipwayError {
  return new SlipwayError("data_loss", "ARCHIVE_CORRUPT", `rpm database: ${why}`, { reason: why });
}

/** Slots of sixteen bytes that say where a package's blob is. @see rpm's lib/backend/ndb/rpmpkg.c */
function* headersOfNdb(bytes: Buffer): Generator<Buffer> {
  if (bytes.length < 4096 || bytes.toString("latin1", 0, 4) !== "RpmP") throw damaged("it is no ndb");
  const end = Math.min(bytes.length, bytes.readUInt32LE(12) * 4096);
  for (let slot = 32; slot + 16 <= end; slot += 16) {
    if (bytes.toString("latin1", slot, slot + 4) !== "Slot") throw damaged("a slot is damaged");
    if (bytes.readUInt32LE(slot + 4) === 0) continue;
    const at = bytes.readUInt32LE(slot + 8) * 16;
    if (at + 16 > bytes.length || bytes.toString("latin1", at, at + 4) !== "BlbS") throw damaged("a package is not where its slot says");
    yield bytes.subarray(at + 16, at + 16 + bytes.readUInt32LE(at + 12));
  }
}

const [hashPage, unsortedHashPage, overflowPage] = [13, 2, 7];
const [onPage, offPage] = [1, 3];

/** rpm's own counter is a value too. */
const counterBytes = 16;

/** Values on their page, or on a chain of others. @see Berkeley DB's dbinc/db_page.h */
function* headersOfBdb(bytes: Buffer): Generator<Buffer> {
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
  for (let page = 1; page < pages; page++) {
    const at = page * pageSize;
    if (bytes[at + 25] !== hashPage && bytes[at + 25] !== unsortedHashPage) continue;
    // keys and values take turns, from the page's end upward
    for (let entry = 1; entry < Math.min(u16(at + 20), (pageSize - 26) / 2); entry += 2) {
      const [start, end] = [u16(at + 26 + entry * 2), u16(at + 26 + (entry - 1) * 2)];
      const value = at + start;
      if (value + 12 > bytes.length) continue;
      if (bytes[value] === onPage && end - start > counterBytes) yield bytes.subarray(value + 1, at + end);
      if (bytes[value] !== offPage) continue;
      const length = u32(value + 8);
      if (length > maxHeaderBytes) throw damaged("a package's header is too large");
      yield overflow(u32(value + 4), length);
    }
  }
}

/** A package's header has at least so many bytes. */
const leastHeader = 512;

/** Packages that lie upon each other are more than the file: a small one would keep its reader busy for days. */
function* within(headers: Iterable<Buffer>, size: number): Generator<Buffer> {
  let left = 2 * size;
  for (const header of headers) {
    left -= Math.max(header.length, leastHeader);
    if (left < 0) throw damaged("its packages are larger than itself");
    yield header;
  }
}

/** As many as a layer's are known. */
const maxPaths = 1_500_000;

/** A package that is damaged does not hide the others. */
function readPackages(headers: Iterable<Buffer>): FileFacts {
  const owned: { readonly owner: string; readonly paths: readonly string[] }[] = [];
  let [bad, count] = [0, 0];
  const found = function* (): Generator<FoundPackage> {
    for (const bytes of headers) {
      const parsed = attempted(bytes);
      if (parsed === "damaged") bad++;
      if (parsed === undefined || parsed === "damaged") continue;
      count += parsed.paths.length;
      if (count <= maxPaths) owned.push({ owner: parsed.found.name, paths: parsed.paths });
      yield parsed.found;
    }
  };
  const packages = bounded(found());
  return { packages, owned, ...(bad === 0 ? {} : { omitted: [`${bad} of its packages are damaged`] }) };
}

function attempted(bytes: Buffer): RpmHeader | "damaged" | undefined {
  try {
    return parseRpmHeader(bytes);
  } catch (error) {
    if (isSlipwayError(error, "ARCHIVE_CORRUPT")) return "damaged";
    throw error;
  }
}

const reader = (name: string, headersOf: (bytes: Buffer) => Iterable<Buffer>): PackageReader => ({
  names: [name],
  wants: (path) => /^(?:var\/lib\/rpm|usr\/lib\/sysimage\/rpm|usr\/share\/rpm)\/[^/]+$/.test(path),
  maxBytes: 256 * 2 ** 20,
  read: (bytes) => readPackages(within(headersOf(bytes), bytes.length)),
});

export const rpmReaders: readonly PackageReader[] = [
  reader("rpmdb.sqlite", (bytes) => blobsOfSqlite(bytes, "Packages", "blob")),
  reader("Packages.db", headersOfNdb),
  reader("Packages", headersOfBdb),
];
