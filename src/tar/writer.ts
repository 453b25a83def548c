/**
 * TarEntry → header bytes: plain ustar when everything fits, otherwise a pax header before it. The same entry always gives
 * the same bytes, because a layer's diffID depends on them: changing anything here makes every cached diffID another one.
 */
import { isAscii } from "node:buffer";
import type { EntryType, TarEntry } from "./entry.ts";
import { SlipwayError } from "../base/errors.ts";
import { blockSize, checksumOf, field, type Field, fitsOctal, paddingLength, typeFlagOffset, writeOctal } from "./block.ts";
import { bytesOfName } from "./name.ts";
import { encodePaxRecords, formatPaxTime } from "./pax.ts";

/** Two blocks of zeros. */
export const endOfArchive: Buffer = Buffer.alloc(2 * blockSize);

const typeFlags: Readonly<Record<EntryType, string>> = {
  file: "0",
  hardlink: "1",
  symlink: "2",
  char: "3",
  block: "4",
  directory: "5",
  fifo: "6",
};

/** An entry from the parts that matter; the rest as for a file of root's from the epoch. */
export function createEntry(parts: Partial<TarEntry> & Pick<TarEntry, "type" | "path">): TarEntry {
  return { ...blankEntry, mode: parts.type === "directory" ? 0o755 : 0o644, ...parts };
}

const blankEntry = {
  rawName: false,
  linkname: "",
  rawLinkname: false,
  uid: 0,
  gid: 0,
  uname: "",
  gname: "",
  size: 0,
  mtimeNs: 0n,
  devmajor: 0,
  devminor: 0,
  xattrs: new Map<string, Uint8Array>() as ReadonlyMap<string, Uint8Array>,
};

/**
 * The header blocks that precede the entry's content (and its padding to whole blocks: see paddingLength).
 * Fails with TAR_UNENCODABLE (invalid_argument) for a name that is empty or holds NUL, and for numbers no header can hold.
 */
export function encodeHeader(entry: TarEntry): Buffer {
  if (entry.path === "" || entry.path === "/") throw unencodable(`name ${JSON.stringify(entry.path)}`);
  const path = checkedName(entry.type === "directory" ? `${entry.path}/` : entry.path, entry.rawName);
  const linkname = entry.linkname === "" ? noBytes : checkedName(entry.linkname, entry.rawLinkname);
  checkNumbers(entry);
  const records = new Map<string, Uint8Array>();
  const header = Buffer.alloc(blockSize);
  putName(header, path, records);
  putText(header, linkname, field.linkname, "linkpath", records);
  writeOctal(header, entry.mode & 0o7777, field.mode);
  putNumber(header, entry.uid, field.uid, "uid", records);
  putNumber(header, entry.gid, field.gid, "gid", records);
  putNumber(header, entry.type === "file" ? entry.size : 0, field.size, "size", records);
  putTime(header, entry.mtimeNs, records);
  putText(header, Buffer.from(entry.uname), field.uname, "uname", records);
  putText(header, Buffer.from(entry.gname), field.gname, "gname", records);
  if (entry.type === "char" || entry.type === "block") {
    writeOctal(header, entry.devmajor, field.devmajor);
    writeOctal(header, entry.devminor, field.devminor);
  }
  for (const [name, value] of entry.xattrs) records.set(`SCHILY.xattr.${name}`, value);
  seal(header, typeFlags[entry.type]);
  return records.size === 0 ? header : Buffer.concat([encodePaxHeader(records), header]);
}

const noBytes = Buffer.alloc(0);

function checkedName(text: string, raw: boolean): Buffer {
  if (text.includes("\0")) throw unencodable(`name ${JSON.stringify(text)}`);
  return bytesOfName(text, raw);
}

function checkNumbers(entry: TarEntry): void {
  for (const key of ["uid", "gid", "size"] as const) {
    if (!Number.isSafeInteger(entry[key]) || entry[key] < 0) throw unencodable(`${key} ${entry[key]}`);
  }
  if (!fitsOctal(entry.devmajor, field.devmajor) || !fitsOctal(entry.devminor, field.devminor)) {
    throw unencodable(`device ${entry.devmajor}:${entry.devminor}`);
  }
  for (const name of entry.xattrs.keys()) if (name === "" || name.includes("=")) throw unencodable(`attribute name ${JSON.stringify(name)}`);
}

function unencodable(what: string): SlipwayError {
  return new SlipwayError("invalid_argument", "TAR_UNENCODABLE", `a tar archive cannot hold the ${what}`);
}

function putName(header: Buffer, path: Buffer, records: Map<string, Uint8Array>): void {
  const [nameOffset, nameLength] = field.name;
  const [prefixOffset, prefixLength] = field.prefix;
  // Non-ASCII names get a record too: ustar does not say which encoding its bytes are in.
  const plain = isAscii(path);
  if (plain && path.length <= nameLength) {
    path.copy(header, nameOffset);
    return;
  }
  // The first slash that leaves a short enough name; it must not be the last byte, which would leave none.
  const slash = plain ? path.indexOf(0x2f, path.length - nameLength - 1) : -1;
  if (slash > 0 && slash <= prefixLength && slash < path.length - 1) {
    path.copy(header, prefixOffset, 0, slash);
    path.copy(header, nameOffset, slash + 1);
    return;
  }
  records.set("path", path);
  path.copy(header, nameOffset, 0, nameLength);
}

function putText(header: Buffer, bytes: Buffer, [offset, length]: Field, key: string, records: Map<string, Uint8Array>): void {
  if (bytes.length > length || !isAscii(bytes)) records.set(key, bytes);
  bytes.copy(header, offset, 0, Math.min(length, bytes.length));
}

function putNumber(header: Buffer, value: number, where: Field, key: string, records: Map<string, Uint8Array>): void {
  const fits = fitsOctal(value, where);
  if (!fits) records.set(key, Buffer.from(String(value)));
  writeOctal(header, fits ? value : 0, where);
}

function putTime(header: Buffer, timeNs: bigint, records: Map<string, Uint8Array>): void {
  const seconds = Number(timeNs / 1_000_000_000n);
  const fits = fitsOctal(seconds, field.mtime);
  if (!fits || timeNs % 1_000_000_000n !== 0n) records.set("mtime", Buffer.from(formatPaxTime(timeNs)));
  writeOctal(header, fits ? seconds : 0, field.mtime);
}

function seal(header: Buffer, typeFlag: string): void {
  header.write(typeFlag, typeFlagOffset, "latin1");
  header.write("ustar\u000000", field.magic[0], "latin1");
  writeOctal(header, checksumOf(header), [field.checksum[0], 7]);
  header[field.checksum[0] + 7] = 0x20;
}

function encodePaxHeader(records: ReadonlyMap<string, Uint8Array>): Buffer {
  const content = encodePaxRecords(records);
  const header = Buffer.alloc(blockSize);
  header.write("PaxHeaders/entry", field.name[0], "latin1");
  writeOctal(header, 0o644, field.mode);
  for (const where of [field.uid, field.gid, field.mtime]) writeOctal(header, 0, where);
  writeOctal(header, content.length, field.size);
  seal(header, "x");
  return Buffer.concat([header, content, Buffer.alloc(paddingLength(content.length))]);
}
