/** One header block → its fields, whatever dialect wrote it: v7, ustar, GNU, star. Pax records and long names come later. */
import { SlipwayError } from "../base/errors.ts";
import type { EntryType } from "./entry.ts";
import { field, type Field, hasValidChecksum, readNumber, tarCorrupt, typeFlagOffset } from "./block.ts";
import { type ArchiveName, nameFromBytes } from "./name.ts";

export interface Header {
  /** one character; NUL is given as "0" */
  readonly typeFlag: string;
  readonly name: ArchiveName;
  readonly linkname: ArchiveName;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  readonly size: number;
  readonly mtimeSeconds: number;
  readonly devmajor: number;
  readonly devminor: number;
}

type Dialect = "v7" | "ustar" | "gnu" | "star";

/** Fails with TAR_CORRUPT when the checksum or a number is wrong. */
export function decodeHeader(block: Buffer): Header {
  if (!hasValidChecksum(block)) throw tarCorrupt("wrong checksum");
  const dialect = dialectOf(block);
  const size = readNumber(block, field.size);
  const extended = dialect !== "v7";
  if (size < 0) throw tarCorrupt("negative size");
  return {
    typeFlag: block[typeFlagOffset] === 0 ? "0" : block.toString("latin1", typeFlagOffset, typeFlagOffset + 1),
    name: fullName(block, dialect),
    linkname: readName(block, field.linkname),
    mode: readNumber(block, field.mode) & 0o7777,
    uid: readNumber(block, field.uid),
    gid: readNumber(block, field.gid),
    uname: extended ? readName(block, field.uname).text : "",
    gname: extended ? readName(block, field.gname).text : "",
    size,
    mtimeSeconds: readNumber(block, field.mtime),
    devmajor: extended ? readNumber(block, field.devmajor) : 0,
    devminor: extended ? readNumber(block, field.devminor) : 0,
  };
}

function dialectOf(block: Buffer): Dialect {
  const magic = block.toString("latin1", 257, 265);
  if (magic === "ustar  \0") return "gnu";
  if (magic.startsWith("ustar\0")) return block.toString("latin1", 508, 512) === "tar\0" ? "star" : "ustar";
  return "v7";
}

function readName(block: Buffer, [offset, length]: Field): ArchiveName {
  const end = endOfText(block, offset, length);
  const text = block.toString("latin1", offset, end);
  // eslint-disable-next-line no-control-regex -- any byte above ASCII
  return /^[\u0000-\u007f]*$/.test(text) ? { text, raw: false } : nameFromBytes(block.subarray(offset, end));
}

function endOfText(block: Buffer, offset: number, length: number): number {
  for (let at = offset; at < offset + length; at++) if (block[at] === 0) return at;
  return offset + length;
}

function fullName(block: Buffer, dialect: Dialect): ArchiveName {
  const [prefixOffset, ustarLength] = field.prefix;
  const hasPrefix = block[prefixOffset] !== 0 && (dialect === "ustar" || dialect === "star" || (dialect === "gnu" && isTextual(block, prefixOffset)));
  if (!hasPrefix) return readName(block, field.name);
  const prefixLength = dialect === "star" ? 131 : ustarLength;
  const prefix = block.subarray(prefixOffset, endOfText(block, prefixOffset, prefixLength));
  const name = block.subarray(field.name[0], endOfText(block, ...field.name));
  return nameFromBytes(Buffer.concat([prefix, Buffer.from("/"), name]));
}

/** Old Go programs wrote a ustar prefix into GNU headers, where access time (octal or base-256) should be. */
function isTextual(block: Buffer, offset: number): boolean {
  const first = block[offset] ?? 0;
  return first < 0x80 && first !== 0x20 && (first < 0x30 || first > 0x37);
}

/** What the type flag stands for; undefined for headers about other entries and for what has no content and no file. */
export function entryTypeOf(header: Header): EntryType {
  switch (header.typeFlag) {
    case "0":
      return header.name.text.endsWith("/") ? "directory" : "file";
    case "S":
      return "file";
    case "1":
      return "hardlink";
    case "2":
      return "symlink";
    case "3":
      return "char";
    case "4":
      return "block";
    case "5":
    case "D":
      return "directory";
    case "6":
      return "fifo";
    default:
      throw new SlipwayError("unsupported", "TAR_UNSUPPORTED_TYPE", `unhandled tar header type ${header.typeFlag.charCodeAt(0)}`, {
        path: header.name.text,
      });
  }
}
