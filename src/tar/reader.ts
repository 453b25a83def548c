/**
 * Tar bytes → entries and slices of their content, driven by push(): synchronous, without copying content, whatever the chunking.
 * Understands v7, ustar, GNU (long names, base-256, sparse) and pax (local, global, sparse) headers.
 */
import { SlipwayError } from "../base/errors.ts";
import { blockSize, isZeroBlock, paddingLength, tarCorrupt } from "./block.ts";
import type { TarEntry } from "./entry.ts";
import { decodeHeader, type Header } from "./header.ts";
import { addGlobalRecords, composeEntry, emptyExtension, type Extension, parseExtension, sparseOf } from "./extension.ts";
import { nameFromBytes } from "./name.ts";
import { checkSparseMap, type SparsePart, sparsePartsOfContent, sparsePartsOfExtension, sparsePartsOfHeader } from "./sparse.ts";

/** Receives an archive's members in order. Throwing ends the reading. */
export interface TarSink {
  entry(entry: TarEntry): void;
  /** Content of the last entry: a view of the chunk that was pushed, valid during the call only. */
  data(bytes: Buffer): void;
  /** `length` zeros of a sparse file. */
  hole(length: number): void;
  /** After the last byte of the last entry's content; called for entries of every type. */
  entryEnd(): void;
}

export interface TarLimits {
  /** Of one pax header, long name or sparse map. */
  readonly maxHeaderBytes: number;
  /** Of a path or link target. */
  readonly maxNameBytes: number;
}

const defaultLimits: TarLimits = { maxHeaderBytes: 1 << 20, maxNameBytes: 4096 };

type Expecting = "header" | "pax" | "globalPax" | "longName" | "longLink" | "sparseExtension" | "sparseMap" | "content" | "ignored" | "padding" | "nothing";

interface PendingSparse {
  readonly header: Header;
  readonly realSize: number;
  parts: SparsePart[];
  /** Map of format 1.0 as far as it was read, and the lines in it. */
  text: string;
  lines: number;
}

export class TarReader {
  readonly #sink: TarSink;
  readonly #limits: TarLimits;
  #expecting: Expecting = "header";
  /** Bytes of the next header, record or name including padding, or of content or padding that are still to come. */
  #wanted = blockSize;
  /** Bytes of it without the padding. */
  #payload = blockSize;
  #partial: Buffer | undefined;
  #filled = 0;
  #paddingAfter = 0;
  #extension: Extension = emptyExtension;
  #globals: Extension = emptyExtension;
  /** A header of GNU's sparse kind whose map is not complete. */
  #sparse: PendingSparse | undefined;
  /** Where the bytes of the content belong; `#part` is the next one. */
  #parts: readonly SparsePart[] = [];
  #part = 0;
  #position = 0;
  #realSize = 0;

  constructor(sink: TarSink, limits: Partial<TarLimits> = {}) {
    this.#sink = sink;
    this.#limits = { ...defaultLimits, ...limits };
  }

  /** True once the end mark was read; what follows it is ignored. */
  get ended(): boolean {
    return this.#expecting === "nothing";
  }

  /** Fails with TAR_CORRUPT (data_loss), TAR_UNSUPPORTED_TYPE (unsupported) or what the sink throws; the reader is useless then. */
  push(bytes: Uint8Array): void {
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    while (at < chunk.length && this.#expecting !== "nothing") {
      at = this.#isBlock() ? this.#collect(chunk, at) : this.#pass(chunk, at);
    }
  }

  /** Fails with TAR_TRUNCATED (data_loss) when an entry is incomplete. A missing end mark is not a fault. */
  finish(): void {
    const whole = this.#expecting === "nothing" || (this.#expecting === "header" && this.#filled === 0 && this.#extension === emptyExtension);
    // Some writers leave out the padding of the last file.
    const unpadded = this.#expecting === "padding" && this.#wanted === this.#paddingAfter;
    if (!whole && !unpadded) throw new SlipwayError("data_loss", "TAR_TRUNCATED", "archive/tar: unexpected EOF", { expecting: this.#expecting });
  }

  #isBlock(): boolean {
    return this.#expecting !== "content" && this.#expecting !== "padding" && this.#expecting !== "ignored";
  }

  #expect(expecting: Expecting, payload: number, padded = 0): void {
    this.#expecting = expecting;
    this.#payload = payload;
    this.#wanted = payload + padded;
  }

  /** Gathers one block (or record data) and acts on it; whole ones are not copied. */
  #collect(chunk: Buffer, at: number): number {
    const end = at + this.#wanted - this.#filled;
    if (this.#filled === 0 && end <= chunk.length) {
      this.#act(chunk.subarray(at, at + this.#payload));
      return end;
    }
    this.#partial ??= Buffer.allocUnsafe(this.#wanted);
    this.#filled += chunk.copy(this.#partial, this.#filled, at, Math.min(end, chunk.length));
    if (end > chunk.length) return chunk.length;
    const block = this.#partial.subarray(0, this.#payload);
    this.#partial = undefined;
    this.#filled = 0;
    this.#act(block);
    return end;
  }

  /** Hands on content, or skips what nobody wants. */
  #pass(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + this.#wanted);
    this.#wanted -= end - at;
    if (this.#expecting === "content") this.#emit(chunk.subarray(at, end));
    if (this.#wanted === 0) this.#afterPass();
    return end;
  }

  #afterPass(): void {
    if (this.#expecting === "padding") {
      this.#expect("header", blockSize);
      return;
    }
    if (this.#expecting === "content") this.#endContent();
    this.#expectPadding();
  }

  #expectPadding(): void {
    if (this.#paddingAfter === 0) this.#expect("header", blockSize);
    else this.#expect("padding", this.#paddingAfter);
  }

  #act(block: Buffer): void {
    switch (this.#expecting) {
      case "header":
        return this.#onHeader(block);
      case "pax":
        this.#extension = { ...this.#extension, ...parseExtension(block) };
        return this.#expect("header", blockSize);
      case "globalPax":
        this.#globals = addGlobalRecords(this.#globals, parseExtension(block));
        return this.#expect("header", blockSize);
      case "longName":
        this.#extension = { ...this.#extension, longName: untilNul(block) };
        return this.#expect("header", blockSize);
      case "longLink":
        this.#extension = { ...this.#extension, longLink: untilNul(block) };
        return this.#expect("header", blockSize);
      case "sparseExtension":
        return this.#onSparseExtension(block);
      case "sparseMap":
        return this.#onSparseMap(block);
      default:
        throw new Error(`no block is expected while ${this.#expecting}`);
    }
  }

  #onHeader(block: Buffer): void {
    if (block[0] === 0 && isZeroBlock(block)) {
      this.#expecting = "nothing";
      return;
    }
    const header = decodeHeader(block);
    const meta = metaHeaders[header.typeFlag];
    if (meta !== undefined) return this.#expectMeta(meta, header.size);
    if (header.typeFlag === "S") return this.#onSparseHeader(block, header);
    const sparse = sparseOf(this.#extension, header.size);
    if (sparse === undefined || header.typeFlag === "5") return this.#start(header, undefined);
    this.#sparse = { header, parts: [], realSize: sparse.realSize, text: "", lines: 0 };
    if (sparse.parts === undefined) return this.#expect("sparseMap", blockSize);
    this.#sparse.parts = sparse.parts;
    this.#startSparse(sparse.storedSize);
  }

  #expectMeta(expecting: Expecting, size: number): void {
    if (size > this.#limits.maxHeaderBytes) throw tarCorrupt(`extended header of ${size} bytes`, { size, limit: this.#limits.maxHeaderBytes });
    if (expecting === "ignored") {
      this.#paddingAfter = paddingLength(size);
      if (size === 0) this.#expectPadding();
      else this.#expect(expecting, size);
      return;
    }
    this.#expect(expecting, size, paddingLength(size));
    // An empty record block has nothing to collect.
    if (size === 0) this.#act(Buffer.alloc(0));
  }

  #onSparseHeader(block: Buffer, header: Header): void {
    const { parts, more, realSize } = sparsePartsOfHeader(block);
    this.#sparse = { header, parts, realSize, text: "", lines: 0 };
    if (more) this.#expect("sparseExtension", blockSize);
    else this.#startSparse(header.size);
  }

  #onSparseExtension(block: Buffer): void {
    const { parts, more } = sparsePartsOfExtension(block);
    const sparse = this.#needSparse();
    sparse.parts.push(...parts);
    if (sparse.parts.length * 24 > this.#limits.maxHeaderBytes) throw tarCorrupt("sparse map with too many parts");
    if (more) this.#expect("sparseExtension", blockSize);
    else this.#startSparse(sparse.header.size);
  }

  #onSparseMap(block: Buffer): void {
    const sparse = this.#needSparse();
    sparse.text += block.toString("latin1");
    for (const byte of block) if (byte === 0x0a) sparse.lines++;
    const stored = (this.#extension.size ?? sparse.header.size) - sparse.text.length;
    if (stored < 0 || sparse.text.length > this.#limits.maxHeaderBytes) throw tarCorrupt("sparse map longer than the file");
    const parts = sparsePartsOfContent(sparse.text, sparse.lines);
    if (parts === undefined) return this.#expect("sparseMap", blockSize);
    sparse.parts = parts;
    this.#startSparse(stored);
  }

  #needSparse(): PendingSparse {
    if (this.#sparse === undefined) throw new Error("a sparse map belongs to a header");
    return this.#sparse;
  }

  #startSparse(storedSize: number): void {
    const { header, parts, realSize } = this.#needSparse();
    this.#sparse = undefined;
    checkSparseMap(parts, realSize, storedSize);
    this.#start(header, { parts, realSize, storedSize });
  }

  #start(header: Header, sparse: { parts: SparsePart[]; realSize: number; storedSize: number } | undefined): void {
    const entry = composeEntry(header, this.#extension, this.#globals, sparse?.realSize);
    const stored = sparse?.storedSize ?? this.#extension.size ?? header.size;
    this.#extension = emptyExtension;
    this.#checkNames(entry);
    this.#sink.entry(entry);
    this.#position = 0;
    this.#part = 0;
    this.#realSize = entry.size;
    this.#parts = sparse?.parts.filter(({ length }) => length > 0) ?? [];
    if (sparse === undefined && entry.type === "file" && stored > 0) this.#parts = [{ offset: 0, length: stored }];
    // Links and devices have no content whatever their header says; a directory's is skipped where its flag is a file's.
    const hasContent = entry.type === "file" || (entry.type === "directory" && header.typeFlag !== "5");
    const contentSize = hasContent ? stored : 0;
    this.#paddingAfter = paddingLength(contentSize);
    if (contentSize > 0 && entry.type === "file") return this.#expect("content", contentSize);
    this.#endContent();
    if (contentSize > 0) this.#expect("ignored", contentSize);
    else this.#expectPadding();
  }

  #checkNames(entry: TarEntry): void {
    for (const name of [entry.path, entry.linkname]) {
      if (name.length > this.#limits.maxNameBytes) throw tarCorrupt(`name of ${name.length} bytes`, { limit: this.#limits.maxNameBytes });
      if (name.includes("\0")) throw tarCorrupt("name with a NUL byte");
    }
  }

  #emit(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0) {
      const part = this.#parts[this.#part];
      if (part === undefined) throw tarCorrupt("content beyond the sparse map");
      if (part.offset > this.#position) this.#skipTo(part.offset);
      const end = part.offset + part.length;
      const piece = rest.subarray(0, end - this.#position);
      this.#sink.data(piece);
      this.#position += piece.length;
      rest = rest.subarray(piece.length);
      if (this.#position === end) this.#part++;
    }
  }

  #skipTo(position: number): void {
    this.#sink.hole(position - this.#position);
    this.#position = position;
  }

  #endContent(): void {
    if (this.#position < this.#realSize) this.#skipTo(this.#realSize);
    this.#sink.entryEnd();
  }
}

/** Headers that speak about other entries. */
const metaHeaders: Readonly<Record<string, Expecting>> = { x: "pax", X: "pax", g: "globalPax", L: "longName", K: "longLink" };

function untilNul(block: Buffer): ReturnType<typeof nameFromBytes> {
  const end = block.indexOf(0);
  return nameFromBytes(end < 0 ? block : block.subarray(0, end));
}
