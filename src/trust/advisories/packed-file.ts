/**
 * An ecosystem's advisories as one file in which a package is found without reading the rest: a head with the first name of each block,
 * then the blocks, compressed, with their packages in the order of their names. The head's digest is known to who opens the file, and the head has
 * the digests of the blocks: what is read is verified, and nothing else is.
 */
import { hash } from "node:crypto";
import { zstdDecompressSync } from "node:zlib";
import { SlipwayError } from "../../base/errors.ts";
import { parseJsonObject } from "../../oci/bounded-json.ts";
import type { Advisory, PackageAdvisory } from "./advisory.ts";
import { blockDigest, byText, magic, type Block, type Head, type PackedLine } from "./packed-blocks.ts";

const maxHeadBytes = 64 * 2 ** 20;
const maxBlockBytes = 256 * 2 ** 20;

/** One block of a file, of which nothing is read before it is asked for. */
export interface FileBlock {
  readonly first: string;
  /** the next block's first name; undefined: it is the last */
  readonly end: string | undefined;
  readonly digest: string;
  /** as it lies in the file */
  readonly body: () => Buffer;
  readonly lines: () => readonly PackedLine[];
}

function damaged(what: string, why: string): SlipwayError {
  return new SlipwayError("data_loss", "ADVISORIES_DAMAGED", `advisories of ${what}: ${why}`, {
    what,
    remedy: "import or pull the advisories again: slipway db import, slipway db pull",
  });
}

/** Reads `length` bytes at `offset`. */
export type ReadAt = (offset: number, length: number) => Buffer;

function decompress(bytes: Buffer, limit: number, what: string): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: limit });
  } catch {
    throw damaged(what, "a part of the file cannot be unpacked");
  }
}

/** Opens and closes nothing: `read` does. Every call fails with ADVISORIES_DAMAGED (data_loss) where bytes are not what was packed. */
export class PackedFile {
  readonly #read: ReadAt;
  readonly #head: Head;
  readonly #start: number;

  constructor(read: ReadAt, what: string, headDigest: string) {
    const prefix = read(0, 12);
    if (prefix.length < 12 || prefix.toString("latin1", 0, 8) !== magic) throw damaged(what, "it is not of this program's form");
    const length = prefix.readUInt32LE(8);
    if (length > maxHeadBytes) throw damaged(what, "its head is too large");
    const packed = read(12, length);
    if (hash("sha256", packed) !== headDigest) throw damaged(what, "its head was changed");
    this.#head = parseJsonObject(decompress(packed, maxHeadBytes * 4, what), what, { maxBytes: maxHeadBytes * 4, maxDepth: 8 }) as unknown as Head;
    this.#read = read;
    this.#start = 12 + length;
  }

  get ecosystem(): string {
    return this.#head.ecosystem;
  }

  get facts(): Pick<Head, "packages" | "advisories"> {
    return this.#head;
  }

  *blocks(): Generator<FileBlock> {
    const { blocks } = this.#head;
    for (const [at, [first, , , digest]] of blocks.entries()) {
      const lines = (): readonly PackedLine[] =>
        this.#block(at)
          .split("\n")
          .map((text) => ({ name: text.slice(0, text.indexOf("\t")), text }));
      yield { first, end: blocks[at + 1]?.[0], digest, body: () => this.#body(at), lines };
    }
  }

  /** Of the block that begins with the name, if its text is this. */
  bodyOf(firstName: string, text: string): Buffer | undefined {
    const at = this.#blockOf(firstName);
    return at >= 0 && this.#head.blocks[at]?.[0] === firstName && this.#block(at) === text ? this.#body(at) : undefined;
  }

  /** In the order of their names; those without advisories are absent. One package after the other: all of them at once would be what collecting garbage costs. */
  *find(names: Iterable<string>): Generator<readonly [name: string, advisories: readonly Advisory[]]> {
    let [at, text] = [-1, ""];
    for (const name of [...new Set(names)].sort(byText)) {
      const block = this.#blockOf(name);
      if (block < 0) continue;
      if (block !== at) [at, text] = [block, this.#block(block)];
      const start = text.startsWith(`${name}\t`) ? 0 : text.indexOf(`\n${name}\t`) + 1;
      if (start === 0 && !text.startsWith(`${name}\t`)) continue;
      const end = text.indexOf("\n", start);
      yield [name, JSON.parse(text.slice(start + name.length + 1, end < 0 ? undefined : end)) as readonly Advisory[]];
    }
  }

  /** All rows, for merging and for checks of the whole. */
  *rows(): Generator<PackageAdvisory> {
    for (let at = 0; at < this.#head.blocks.length; at++) {
      for (const line of this.#block(at).split("\n")) {
        const tab = line.indexOf("\t");
        for (const advisory of JSON.parse(line.slice(tab + 1)) as readonly Advisory[]) yield { ecosystem: this.ecosystem, name: line.slice(0, tab), advisory };
      }
    }
  }

  /** The last block whose first name is not behind this one. */
  #blockOf(name: string): number {
    const { blocks } = this.#head;
    let [low, high] = [0, blocks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byText((blocks[middle] as Block)[0], name) <= 0) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #body(at: number): Buffer {
    const [, offset, length, digest] = this.#head.blocks[at] as Block;
    const packed = this.#read(this.#start + offset, length);
    if (blockDigest(packed) !== digest) throw damaged(this.ecosystem, "a block was changed");
    return packed;
  }

  #block(at: number): string {
    return decompress(this.#body(at), maxBlockBytes, this.ecosystem).toString();
  }
}
