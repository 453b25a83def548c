/** What pax records and GNU's long names say about the entry that follows, and how it overrides the header. */
import type { TarEntry } from "./entry.ts";
import { tarCorrupt } from "./block.ts";
import { entryTypeOf, type Header } from "./header.ts";
import { type ArchiveName, nameFromBytes } from "./name.ts";
import { parsePaxRecords, paxInteger, type PaxRecords, paxTimeNs } from "./pax.ts";
import { type SparsePart, sparsePartsOfRecords } from "./sparse.ts";

export interface Extension {
  readonly longName?: ArchiveName;
  readonly longLink?: ArchiveName;
  readonly size?: number;
  readonly records: PaxRecords;
  readonly sparseNumbers: readonly number[];
}

export const emptyExtension: Extension = { records: new Map(), sparseNumbers: [] };

const xattrPrefix = "SCHILY.xattr.";

/** The data is copied: it may lie in a buffer that is used again. */
export function parseExtension(data: Buffer): Pick<Extension, "records" | "sparseNumbers"> & { size?: number } {
  const sparseNumbers: number[] = [];
  const records = parsePaxRecords(Buffer.from(data), (key, value) => {
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") sparseNumbers.push(paxInteger(value, key));
  });
  const size = records.get("size");
  return { records, sparseNumbers, ...(size !== undefined && size.length > 0 && { size: paxInteger(size, "size") }) };
}

/** A global header adds to the earlier ones; names and sizes in it can only be a mistake and are ignored. */
export function addGlobalRecords(former: Extension, added: Pick<Extension, "records">): Extension {
  const records = new Map([...former.records, ...added.records]);
  for (const [key, value] of records) if (value.length === 0 || key === "path" || key === "linkpath" || key === "size") records.delete(key);
  return { records, sparseNumbers: [] };
}

export interface Sparse {
  readonly realSize: number;
  readonly storedSize: number;
  /** undefined: the map is at the start of the content (format 1.0) */
  readonly parts: SparsePart[] | undefined;
}

/** undefined when the records do not speak of a sparse file. */
export function sparseOf(extension: Extension, headerSize: number): Sparse | undefined {
  const { records } = extension;
  const storedSize = extension.size ?? headerSize;
  if (records.get("GNU.sparse.major")?.toString("latin1") === "1") {
    return { realSize: sparseSize(records, "GNU.sparse.realsize"), storedSize, parts: undefined };
  }
  const parts = sparsePartsOfRecords(records, extension.sparseNumbers);
  return parts && { realSize: sparseSize(records, "GNU.sparse.size"), storedSize, parts };
}

function sparseSize(records: PaxRecords, key: string): number {
  const value = records.get(key);
  if (value === undefined) throw tarCorrupt(`sparse file without ${key}`);
  return paxInteger(value, key);
}

/** The entry that a header and what preceded it describe together. `realSize`: of a sparse file, holes included. */
export function composeEntry(header: Header, extension: Extension, globals: Extension, realSize: number | undefined): TarEntry {
  const record = (key: string): Buffer | undefined => {
    const value = extension.records.get(key) ?? globals.records.get(key);
    return value === undefined || value.length === 0 ? undefined : value;
  };
  const name = pathOf(record("GNU.sparse.name") ?? record("path")) ?? extension.longName ?? header.name;
  const type = entryTypeOf({ ...header, name });
  const link = pathOf(record("linkpath")) ?? extension.longLink ?? header.linkname;
  const uid = record("uid");
  const gid = record("gid");
  const mtime = record("mtime");
  return {
    type,
    path: withoutTrailingSlash(name.text),
    rawName: name.raw,
    linkname: type === "symlink" || type === "hardlink" ? link.text : "",
    rawLinkname: (type === "symlink" || type === "hardlink") && link.raw,
    mode: header.mode,
    uid: positive(uid ? paxInteger(uid, "uid") : header.uid),
    gid: positive(gid ? paxInteger(gid, "gid") : header.gid),
    uname: record("uname")?.toString("utf8") ?? header.uname,
    gname: record("gname")?.toString("utf8") ?? header.gname,
    size: type === "file" ? (realSize ?? extension.size ?? header.size) : 0,
    mtimeNs: mtime ? paxTimeNs(mtime, "mtime") : BigInt(header.mtimeSeconds) * 1_000_000_000n,
    devmajor: type === "char" || type === "block" ? header.devmajor : 0,
    devminor: type === "char" || type === "block" ? header.devminor : 0,
    xattrs: xattrsOf(globals.records, extension.records),
  };
}

function pathOf(value: Buffer | undefined): ArchiveName | undefined {
  return value && nameFromBytes(value);
}

function withoutTrailingSlash(path: string): string {
  return path.endsWith("/") ? path.replace(/\/+$/, "") : path;
}

function positive(id: number): number {
  if (id < 0) throw tarCorrupt("negative owner");
  return id;
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

function xattrsOf(globals: PaxRecords, locals: PaxRecords): ReadonlyMap<string, Uint8Array> {
  if (globals.size === 0 && locals.size === 0) return noXattrs;
  const xattrs = new Map<string, Uint8Array>();
  for (const records of [globals, locals]) {
    for (const [key, value] of records) if (key.startsWith(xattrPrefix)) xattrs.set(key.slice(xattrPrefix.length), value);
  }
  return xattrs.size === 0 ? noXattrs : xattrs;
}
