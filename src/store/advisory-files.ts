/**
 * The files of the advisory database: an index that is replaced as a whole, and what it names, by digest. Readers take the index once and open
 * what it names; what a newer index no longer names stays for an hour, for those who still read it.
 */
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { digestOf, hexOf, type Digest } from "../oci/digest.ts";
import { storeError, type StoreLayout } from "./layout.ts";
import type { Lease } from "./lease.ts";
import { flock } from "./syscalls.ts";

const keptMs = 3600 * 1000;
const [indexName, originName] = ["index.json", "origin.json"];

export interface OpenedFile extends Disposable {
  /** fewer bytes where the file ends */
  read(offset: number, length: number): Buffer;
}

export class AdvisoryFiles {
  readonly #layout: StoreLayout;
  readonly #lease: () => Lease;

  constructor(layout: StoreLayout, lease: () => Lease) {
    this.#layout = layout;
    this.#lease = lease;
  }

  #path(name: string): string {
    return join(this.#layout.advisories, name);
  }

  /** undefined where nothing was ever imported. */
  index(): Buffer | undefined {
    return this.readNamed(indexName);
  }

  /** The reference that it was last pulled from. */
  origin(): string | undefined {
    return this.readNamed(originName)?.toString();
  }

  /** undefined where there is none. */
  readNamed(name: string): Buffer | undefined {
    try {
      return readFileSync(this.#path(name));
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw storeError(error, this.#layout.root);
    }
  }

  /** As it was written: one that was damaged since is as good as none. Cost: it is read. */
  has(digest: Digest): boolean {
    const bytes = this.readNamed(hexOf(digest));
    return bytes !== undefined && digestOf(bytes) === digest;
  }

  read(digest: Digest): Buffer {
    return readFileSync(this.#path(hexOf(digest)));
  }

  /** Fails with ADVISORIES_DAMAGED (data_loss) where it is gone. */
  open(digest: Digest): OpenedFile {
    const fd = this.#openFile(digest);
    return {
      read: (offset, length) => {
        const bytes = Buffer.alloc(Math.max(0, Math.min(length, fstatSync(fd).size - offset)));
        return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset));
      },
      [Symbol.dispose]: () => closeSync(fd),
    };
  }

  #openFile(digest: Digest): number {
    try {
      return openSync(this.#path(hexOf(digest)), "r");
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw storeError(error, this.#layout.root);
      const remedy = "import or pull the advisories again: slipway db import, slipway db pull";
      throw new SlipwayError("data_loss", "ADVISORIES_DAMAGED", `advisories: the file ${digest} is gone`, { digest, remedy }, error);
    }
  }

  /** Visible to nobody before an index names it. */
  write(bytes: Buffer): Digest {
    const digest = digestOf(bytes);
    if (!this.has(digest)) this.#replace(hexOf(digest), bytes);
    return digest;
  }

  #replace(name: string, bytes: Buffer | string): void {
    try {
      mkdirSync(this.#layout.advisories, { recursive: true, mode: 0o711 });
      const temporary = this.#lease().temporaryPath("advisories");
      writeFileSync(temporary, bytes);
      renameSync(temporary, this.#path(name));
    } catch (error) {
      throw storeError(error, this.#layout.root);
    }
  }

  /** Besides the database; stays as long as `replaceIndex` is told of it. */
  writeNamed(name: string, bytes: Buffer): void {
    this.#replace(name, bytes);
  }

  replaceIndex(text: string, named: readonly Digest[], besides: readonly string[]): void {
    this.#replace(indexName, text);
    const kept = new Set([indexName, originName, "lock", ...named.map(hexOf), ...besides]);
    for (const name of readdirSync(this.#layout.advisories)) {
      if (kept.has(name) || Date.now() - (statSync(this.#path(name), { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < keptMs) continue;
      rmSync(this.#path(name), { force: true });
    }
  }

  setOrigin(reference: string): void {
    this.#replace(originName, reference);
  }

  /** One process at a time changes the index. The lock goes with the process. */
  async locked<Result>(body: () => Promise<Result>): Promise<Result> {
    mkdirSync(this.#layout.advisories, { recursive: true, mode: 0o711 });
    const fd = openSync(this.#path("lock"), "w");
    try {
      flock(fd, "exclusive");
      return await body();
    } finally {
      closeSync(fd);
    }
  }
}
