/**
 * How an ecosystem's packages are divided into blocks. Where one ends depends on what stands since the last end alone, so a change in one
 * package leaves all other blocks as they are, byte for byte.
 */
import { hash } from "node:crypto";
import { constants, zstdCompressSync } from "node:zlib";

export const magic = "SLIPADV1";
const leastBytes = 6 * 1024;
const mostBytes = 32 * 1024;

export type Block = readonly [firstName: string, offset: number, length: number, digest: string];

export interface Head {
  readonly ecosystem: string;
  readonly packages: number;
  readonly advisories: number;
  readonly blocks: readonly Block[];
}

export interface PackedEcosystem {
  readonly bytes: Buffer;
  readonly ecosystem: string;
  readonly packages: number;
  readonly advisories: number;
  /** of the head: who has it from elsewhere can trust what is read */
  readonly headDigest: string;
}

/** A package with its advisories, as it stands in a block. */
export interface PackedLine {
  readonly name: string;
  /** "NAME\tJSON" */
  readonly text: string;
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const zstd = { params: { [constants.ZSTD_c_compressionLevel]: 12 } };

export function blockDigest(body: Uint8Array): string {
  return hash("sha256", body).slice(0, 32);
}

/** FNV-1a: any would do, this one is short. */
function isEnd(name: string): boolean {
  let value = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) value = Math.imul(value ^ name.charCodeAt(at), 0x01000193);
  return (value >>> 16) % 8 === 0;
}

/** What compressing a block's text gives, where that is known: compressing is what takes the time. */
export type KnownBody = (firstName: string, text: string) => Buffer | undefined;

/** Takes lines in the order of their names, and whole blocks between them where one has just ended. */
export class BlockWriter {
  readonly #known: KnownBody;
  readonly #blocks: Block[] = [];
  readonly #bodies: Buffer[] = [];
  #lines: PackedLine[] = [];
  #size = 0;
  #offset = 0;

  constructor(known: KnownBody = () => undefined) {
    this.#known = known;
  }

  /** no line is waiting for its block to end */
  get isAtEnd(): boolean {
    return this.#lines.length === 0;
  }

  line(line: PackedLine): void {
    this.#lines.push(line);
    this.#size += line.text.length;
    if (this.#size >= mostBytes || (this.#size >= leastBytes && isEnd(line.name))) this.#flush();
  }

  block(firstName: string, body: Buffer, digest: string): void {
    this.#blocks.push([firstName, this.#offset, body.length, digest]);
    this.#bodies.push(body);
    this.#offset += body.length;
  }

  #flush(): void {
    const [first] = this.#lines;
    if (first === undefined) return;
    const text = this.#lines.map((line) => line.text).join("\n");
    const body = this.#known(first.name, text) ?? zstdCompressSync(Buffer.from(text), zstd);
    this.block(first.name, body, blockDigest(body));
    [this.#lines, this.#size] = [[], 0];
  }

  finish(facts: Omit<Head, "blocks">): PackedEcosystem {
    this.#flush();
    const { ecosystem, packages, advisories } = facts;
    const head: Head = { ecosystem, packages, advisories, blocks: this.#blocks };
    const packedHead = zstdCompressSync(Buffer.from(JSON.stringify(head)), zstd);
    const prefix = Buffer.alloc(12);
    prefix.write(magic, "latin1");
    prefix.writeUInt32LE(packedHead.length, 8);
    return { bytes: Buffer.concat([prefix, packedHead, ...this.#bodies]), ecosystem, packages, advisories, headDigest: hash("sha256", packedHead) };
  }
}
