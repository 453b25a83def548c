/**
 * eStargz: gzip whose members begin where files do, with a table of contents at the end, so that lazy pullers fetch single files and
 * everybody else sees an ordinary layer. The tar's bytes are kept; the table is one more entry behind their end, which the diffID counts.
 * @see stargz-snapshotter, docs/estargz.md
 */
import { createHash, type Hash } from "node:crypto";
import { SlipwayError } from "../base/errors.ts";
import { mapInOrder } from "./block-parallel.ts";
import { paddingLength } from "./block.ts";
import type { EntryType, TarEntry } from "./entry.ts";
import { isIncompressible, type GzipOptions } from "./gzip.ts";
import { TarReader, type TarSink } from "./reader.ts";
import { createEntry, encodeHeader, endOfArchive } from "./writer.ts";

export interface EstargzResult {
  /** of the table of contents, for the annotation that clients check it by */
  readonly tocDigest: string;
  /** of all that is decompressed: a config that lists the layer names this */
  readonly diffId: string;
  readonly uncompressedSize: number;
}

export const tocName = "stargz.index.json";
/** A file's content is cut into pieces of this size, each with its digest. */
const contentChunkBytes = 4 * 1024 * 1024;
/** Headers without content between them make members of about this size. */
const maxSegmentBytes = 2 * contentChunkBytes;

const typeNames: Readonly<Record<EntryType, string>> = {
  file: "reg",
  directory: "dir",
  symlink: "symlink",
  hardlink: "hardlink",
  char: "char",
  block: "block",
  fifo: "fifo",
};

interface TocEntry {
  name: string;
  type: string;
  size?: number;
  digest?: string;
  chunkOffset?: number;
  chunkSize?: number;
  chunkDigest?: string;
  /** the member that the content begins with, before its offset is known */
  segment?: number;
  readonly [field: string]: unknown;
}

/** Fails with TAR_CORRUPT (data_loss), TAR_UNSUPPORTED_TYPE and ESTARGZ_SPARSE (unsupported), and with what the source throws. */
export async function* compressEstargz(source: AsyncIterable<Uint8Array>, options: GzipOptions = {}): AsyncGenerator<Buffer, EstargzResult> {
  const zlib = process.getBuiltinModule("node:zlib");
  const level = options.level ?? 6;
  const gzip = (bytes: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) =>
      zlib.gzip(bytes, { level: isIncompressible(bytes, zlib) ? 0 : level }, (error, result) => (error ? reject(error) : resolve(result))),
    );
  const cutter = new Cutter();
  const offsets: number[] = [];
  let offset = 0;
  for await (const member of mapInOrder(cutter.segments(source), gzip, options.signal)) {
    offsets.push(offset);
    offset += member.length;
    yield member;
  }
  const toc = Buffer.from(JSON.stringify({ version: 1, entries: cutter.toc.map(({ segment, ...entry }) => withOffset(entry, segment, offsets)) }));
  const tail = tocEntry(toc);
  cutter.hash.update(tail);
  yield await gzip(tail);
  yield footer(offset);
  return {
    tocDigest: `sha256:${createHash("sha256").update(toc).digest("hex")}`,
    diffId: `sha256:${cutter.hash.digest("hex")}`,
    uncompressedSize: cutter.position + tail.length,
  };
}

function withOffset(entry: Omit<TocEntry, "segment">, segment: number | undefined, offsets: readonly number[]): Omit<TocEntry, "segment"> {
  return segment === undefined ? entry : { ...entry, offset: offsets[segment] };
}

function tocEntry(toc: Buffer): Buffer {
  const header = encodeHeader(createEntry({ type: "file", path: tocName, mode: 0o444, size: toc.length }));
  return Buffer.concat([header, toc, Buffer.alloc(paddingLength(toc.length)), endOfArchive]);
}

/** An empty gzip member of 51 bytes whose extra field says where the table begins. */
function footer(tocOffset: number): Buffer {
  const extra = Buffer.from(`SG\u0016\u0000${tocOffset.toString(16).padStart(16, "0")}STARGZ`, "latin1");
  const header = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, extra.length, 0]);
  return Buffer.concat([header, extra, Buffer.from([1, 0, 0, 0xff, 0xff]), Buffer.alloc(8)]);
}

/** Cuts the tar where contents begin and writes down what is where. */
class Cutter implements TarSink {
  readonly toc: TocEntry[] = [];
  readonly hash: Hash = createHash("sha256");
  /** bytes of the tar before the chunk that is being read */
  position = 0;
  readonly #reader = new TarReader(this);
  #chunk: Buffer = Buffer.alloc(0);
  /** positions in the chunk where a new member begins */
  #cuts: number[] = [];
  #segment = 0;
  /** where the segment began, in the tar */
  #segmentStart = 0;
  #pieces: Buffer[] = [];
  #size = 0;
  #file: TocEntry | undefined;
  #part: TocEntry | undefined;
  #written = 0;
  #whole: Hash | undefined;
  #piece: Hash | undefined;

  async *segments(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
    for await (const bytes of source) {
      this.#chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#cuts = [];
      this.hash.update(bytes);
      this.#reader.push(this.#chunk);
      let from = 0;
      for (const cut of this.#cuts) {
        this.#add(this.#chunk.subarray(from, cut));
        yield this.#take();
        from = cut;
      }
      this.#add(this.#chunk.subarray(from));
      this.position += bytes.length;
      if (this.#size >= maxSegmentBytes) {
        this.#segment++;
        this.#segmentStart = this.position;
        yield this.#take();
      }
    }
    this.#reader.finish();
    if (this.#size > 0) yield this.#take();
  }

  #add(bytes: Buffer): void {
    if (bytes.length === 0) return;
    // the source may use its buffer again
    this.#pieces.push(Buffer.from(bytes));
    this.#size += bytes.length;
  }

  #take(): Buffer {
    const bytes = Buffer.concat(this.#pieces, this.#size);
    this.#pieces = [];
    this.#size = 0;
    return bytes;
  }

  entry(entry: TarEntry): void {
    const toc = tocFields(entry);
    this.toc.push(toc);
    this.#written = 0;
    this.#file = entry.type === "file" ? toc : undefined;
    this.#part = undefined;
    this.#whole = entry.type === "file" && entry.size > contentChunkBytes ? createHash("sha256") : undefined;
  }

  data(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#written % contentChunkBytes === 0) this.#begin(bytes.byteOffset + at - this.#chunk.byteOffset);
      const piece = bytes.subarray(at, at + contentChunkBytes - (this.#written % contentChunkBytes));
      this.#piece?.update(piece);
      this.#whole?.update(piece);
      this.#written += piece.length;
      at += piece.length;
    }
  }

  hole(): void {
    throw new SlipwayError(
      "unsupported",
      "ESTARGZ_SPARSE",
      `${String(this.#file?.name)} is stored as a sparse file, which eStargz cannot tell: use gzip or zstd`,
    );
  }

  entryEnd(): void {
    this.#endPart();
    if (this.#file === undefined) return;
    this.#file.digest = `sha256:${this.#whole?.digest("hex") ?? hexOfWhole(this.#file)}`;
    this.#file = undefined;
  }

  #begin(at: number): void {
    this.#endPart();
    const file = this.#file as TocEntry;
    const size = file.size ?? 0;
    if (this.#written === 0) this.#part = file;
    else this.toc.push((this.#part = { name: file.name, type: "chunk", chunkOffset: this.#written }));
    const left = size - this.#written;
    if (left > contentChunkBytes || (left === contentChunkBytes && this.#written > 0)) this.#part.chunkSize = contentChunkBytes;
    if (this.position + at !== this.#segmentStart) {
      this.#cuts.push(at);
      this.#segment++;
      this.#segmentStart = this.position + at;
    }
    this.#part.segment = this.#segment;
    this.#piece = createHash("sha256");
  }

  #endPart(): void {
    if (this.#part === undefined || this.#piece === undefined) return;
    this.#part.chunkDigest = `sha256:${this.#piece.digest("hex")}`;
    this.#piece = undefined;
  }
}

const emptySha256 = createHash("sha256").digest("hex");

/** A file of one piece has the piece's digest. */
function hexOfWhole(file: TocEntry): string {
  return file.chunkDigest?.slice("sha256:".length) ?? emptySha256;
}

function tocFields(entry: TarEntry): TocEntry {
  const { type, mtimeNs, xattrs } = entry;
  const seconds = mtimeNs / 1_000_000_000n;
  return {
    name: type === "directory" ? `${entry.path}/` : entry.path,
    type: typeNames[type],
    ...(type === "file" && entry.size > 0 && { size: entry.size }),
    ...(seconds !== 0n && { modtime: `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}Z` }),
    ...(entry.linkname !== "" && { linkName: entry.linkname }),
    ...(entry.mode !== 0 && { mode: entry.mode }),
    ...(entry.uid !== 0 && { uid: entry.uid }),
    ...(entry.gid !== 0 && { gid: entry.gid }),
    ...(entry.uname !== "" && { userName: entry.uname }),
    ...(entry.gname !== "" && { groupName: entry.gname }),
    ...(entry.devmajor !== 0 && { devMajor: entry.devmajor }),
    ...(entry.devminor !== 0 && { devMinor: entry.devminor }),
    NumLink: 0,
    ...(xattrs.size > 0 && { xattrs: Object.fromEntries([...xattrs].map(([name, value]) => [name, Buffer.from(value).toString("base64")])) }),
  };
}
