/**
 * Immutable blobs under their digests. Two-phase: bytes go to a temporary file of this process's lease, and `commit`
 * makes them visible at once, verified. A blob without a row in the database does not exist, nor does one whose file is
 * lost or cut short: whoever can make it again does.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, fdatasyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { algorithmOf, digestFromHex, digestOf, type Digest } from "../oci/digest.ts";
import { integer, type Database } from "./database.ts";
import { blobPath, storeError, type StoreLayout } from "./layout.ts";
import type { Lease } from "./lease.ts";
import type { PartialBlob } from "./partial-blob.ts";

export interface CommittedBlob {
  readonly digest: Digest;
  readonly size: number;
}

/** Bytes on their way into the store. Dispose without commit removes them. */
export class Ingest implements Disposable {
  readonly path: string;
  readonly #hash: Hash;
  readonly #algorithm: "sha256" | "sha512";
  readonly #blobs: Blobs;
  readonly #fd: number;
  #open = true;
  #size = 0;

  constructor(blobs: Blobs, path: string, algorithm: "sha256" | "sha512") {
    this.#blobs = blobs;
    this.path = path;
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
    this.#fd = openSync(path, "wx", 0o644);
  }

  get size(): number {
    return this.#size;
  }

  /** Appends; the chunk may be reused by the caller afterwards. */
  write(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    let offset = 0;
    try {
      while (offset < chunk.length) offset += writeSync(this.#fd, chunk, offset);
    } catch (error) {
      throw storeError(error, this.#blobs.root);
    }
    this.#size += chunk.length;
  }

  /**
   * Makes the blob visible under its digest, atomically. Fails with DIGEST_MISMATCH or SIZE_MISMATCH (data_loss) and keeps
   * nothing. Committing bytes that already exist succeeds and drops the copy. @see image-spec descriptor.md#digests
   */
  commit(expected?: { readonly digest?: Digest; readonly size?: number }): CommittedBlob {
    const hex = this.#hash.digest("hex");
    const digest = this.#algorithm === "sha256" ? digestFromHex(hex) : (`sha512:${hex}` as Digest);
    if (expected?.size !== undefined && expected.size !== this.#size) {
      throw new SlipwayError("data_loss", "SIZE_MISMATCH", `blob ${expected.digest ?? digest}: got ${this.#size} bytes, want ${expected.size}`, {
        expected: expected.size,
        actual: this.#size,
      });
    }
    if (expected?.digest !== undefined && expected.digest !== digest) throw mismatch(expected.digest, digest, this.#size);
    try {
      fdatasyncSync(this.#fd);
    } catch (error) {
      throw storeError(error, this.#blobs.root);
    }
    this.#close();
    this.#blobs.adopt(this.path, digest, this.#size);
    return { digest, size: this.#size };
  }

  #close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.#close();
    rmSync(this.path, { force: true });
  }
}

function expectDigest(hash: Hash, expected: Digest, size: number): void {
  const actual = `${algorithmOf(expected)}:${hash.digest("hex")}`;
  if (actual !== expected) throw mismatch(expected, actual, size);
}

function mismatch(expected: Digest, actual: string, size: number): SlipwayError {
  return new SlipwayError("data_loss", "DIGEST_MISMATCH", `blob ${expected}: got ${actual} after ${size} bytes`, { expected, actual, size });
}

export class Blobs {
  readonly #db: Database;
  readonly #layout: StoreLayout;
  readonly #lease: () => Lease;

  constructor(db: Database, layout: StoreLayout, lease: () => Lease) {
    this.#db = db;
    this.#layout = layout;
    this.#lease = lease;
  }

  get root(): string {
    return this.#layout.root;
  }

  /** Size in bytes, or undefined when the blob is not here. */
  size(digest: Digest): number | undefined {
    const row = this.#db.get("SELECT size FROM blob WHERE digest = ?", digest);
    if (row === undefined) return undefined;
    const size = integer(row, "size");
    return this.fileSize(digest) === size ? size : undefined;
  }

  has(digest: Digest): boolean {
    return this.size(digest) !== undefined;
  }

  path(digest: Digest): string {
    return blobPath(this.#layout, digest);
  }

  ingest(expected?: Digest): Ingest {
    try {
      return new Ingest(this, this.#lease().temporaryPath("blob"), expected === undefined ? "sha256" : algorithmOf(expected));
    } catch (error) {
      throw storeError(error, this.#layout.root);
    }
  }

  /** To bring a blob from elsewhere, going on where an earlier try stopped; undefined when another process brought it meanwhile. */
  async partial(blob: CommittedBlob, signal?: AbortSignal): Promise<PartialBlob | undefined> {
    const { openPartialBlob } = await import("./partial-blob.ts");
    return await openPartialBlob(this, this.#layout, blob, signal);
  }

  /** Small bytes in one go; nothing is written when the blob is here already, as it should be. */
  put(bytes: Uint8Array | string): CommittedBlob {
    const buffer = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
    const digest = digestOf(buffer);
    if (this.has(digest) && readFileSync(this.path(digest)).equals(buffer)) return { digest, size: buffer.length };
    using ingest = this.ingest();
    ingest.write(buffer);
    return ingest.commit();
  }

  /** Takes over a finished, verified file. Used by Ingest and PartialBlob and nobody else. */
  adopt(path: string, digest: Digest, size: number): void {
    this.#db.transaction(() => {
      renameSync(path, blobPath(this.#layout, digest));
      this.#db.run(
        "INSERT INTO blob (digest, size, created_ms) VALUES (?, ?, ?) ON CONFLICT (digest) DO UPDATE SET size = excluded.size",
        digest,
        size,
        Date.now(),
      );
      this.#lease().hold("blob", digest);
    });
  }

  /** A whole small blob (config, manifest), verified. Fails with BLOB_MISSING (not_found), BLOB_TOO_LARGE, DIGEST_MISMATCH (data_loss). */
  read(digest: Digest, limitBytes = 8 << 20): Buffer {
    const size = this.size(digest);
    if (size === undefined) throw new SlipwayError("not_found", "BLOB_MISSING", `blob ${digest} is not in the store`, { digest });
    if (size > limitBytes)
      throw new SlipwayError("data_loss", "BLOB_TOO_LARGE", `blob ${digest} has ${size} bytes, want at most ${limitBytes}`, { digest, size });
    const bytes = readFileSync(this.path(digest));
    expectDigest(createHash(algorithmOf(digest)).update(bytes), digest, size);
    return bytes;
  }

  stream(digest: Digest): AsyncIterable<Uint8Array> {
    if (!this.has(digest)) throw new SlipwayError("not_found", "BLOB_MISSING", `blob ${digest} is not in the store`, { digest });
    return createReadStream(this.path(digest), { highWaterMark: 256 * 1024 });
  }

  /** As `stream`, and it can only end if the bytes are the blob's: else it fails with DIGEST_MISMATCH (data_loss). */
  async *verified(digest: Digest): AsyncGenerator<Uint8Array> {
    const hash = createHash(algorithmOf(digest));
    let size = 0;
    for await (const chunk of this.stream(digest)) {
      hash.update(chunk);
      size += chunk.length;
      yield chunk;
    }
    expectDigest(hash, digest, size);
  }

  /** Removes the file where its bytes are no longer the blob's, and says so: whoever can makes or fetches it again then. */
  async dropDamaged(digest: Digest): Promise<boolean> {
    try {
      for await (const _ of this.verified(digest));
      return false;
    } catch (error) {
      if (!isSlipwayError(error, "DIGEST_MISMATCH")) throw error;
      rmSync(this.path(digest), { force: true });
      return true;
    }
  }

  /** Bytes on disk; used to tell whether a row still has its file. */
  fileSize(digest: Digest): number | undefined {
    return statSync(this.path(digest), { throwIfNoEntry: false })?.size;
  }
}
