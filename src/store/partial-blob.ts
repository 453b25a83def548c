/**
 * A blob that is on its way from elsewhere. What has come stays in `partial/<algorithm>-<hex>` when the transfer breaks or
 * the process dies, and whoever wants the blob next goes on from there. The file's lock says who brings it: of several
 * processes one does, the others wait. Only what its bringer has verified is committed.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, fdatasync, fstatSync, ftruncateSync, openSync, readdirSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { errnoOf } from "../base/errors.ts";
import { algorithmOf, hexOf, type Digest } from "../oci/digest.ts";
import type { Blobs } from "./blobs.ts";
import { storeError, type StoreLayout } from "./layout.ts";
import { flock } from "./syscalls.ts";

const sync = promisify(fdatasync);

/** so long what has come of a blob is kept for the next try */
const keptMs = 24 * 3600 * 1000;
const firstPauseMs = 20;
const maxPauseMs = 500;

/** Dispose without commit keeps what has come. */
export class PartialBlob implements Disposable {
  readonly digest: Digest;
  readonly path: string;
  /** Has read what was written here and what `earlier` gave: of the blob's own algorithm, for who verifies it. */
  hash: Hash;
  readonly #blobs: Blobs;
  readonly #fd: number;
  #size: number;
  #open = true;

  constructor(blobs: Blobs, digest: Digest, path: string, fd: number) {
    this.digest = digest;
    this.path = path;
    this.hash = createHash(algorithmOf(digest));
    this.#blobs = blobs;
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
  }

  /** bytes that are here */
  get size(): number {
    return this.#size;
  }

  /** The bytes of an earlier try, from the disk into the hash; read to the end before the first write. */
  async *earlier(): AsyncGenerator<Uint8Array, void> {
    if (this.#size === 0) return;
    for await (const chunk of createReadStream(this.path, { highWaterMark: 256 * 1024, end: this.#size - 1 })) {
      this.hash.update(chunk as Uint8Array);
      yield chunk as Uint8Array;
    }
  }

  /** Appends; the hash is its reader's business. */
  append(chunk: Uint8Array): void {
    let offset = 0;
    try {
      while (offset < chunk.length) offset += writeSync(this.#fd, chunk, offset);
    } catch (error) {
      // a disk that is full is not to be kept full
      this.restart();
      throw storeError(error, this.#blobs.root);
    }
    this.#size += chunk.length;
  }

  /** Forgets what has come. */
  restart(): void {
    ftruncateSync(this.#fd, 0);
    this.#size = 0;
    this.hash = createHash(algorithmOf(this.digest));
  }

  /** Makes the blob visible, durably: all its bytes are here, and the caller has compared their digest. */
  async commit(): Promise<void> {
    try {
      await sync(this.#fd);
      this.#blobs.adopt(this.path, this.digest, this.#size);
    } catch (error) {
      throw storeError(error, this.#blobs.root);
    }
    this.#close();
  }

  #close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  [Symbol.dispose](): void {
    if (this.#open && this.#size === 0) rmSync(this.path, { force: true });
    this.#close();
  }
}

/** The file under its lock, or undefined while another has it. */
function tryOpen(path: string): number | undefined {
  const fd = openSync(path, "a+", 0o644);
  try {
    flock(fd, "exclusive", { nonBlocking: true });
    // whoever had it may have committed or removed it meanwhile
    if (statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino) return fd;
  } catch (error) {
    if (errnoOf(error) !== "EAGAIN") {
      closeSync(fd);
      throw error;
    }
  }
  closeSync(fd);
  return undefined;
}

/**
 * The blob's file for this process alone, as soon as no other brings it; undefined when it is complete in the store by
 * then. More bytes than `sizeBytes` are no part of it: it begins anew. Fails with the signal's reason, and as the store does.
 */
export async function openPartialBlob(
  blobs: Blobs,
  layout: StoreLayout,
  { digest, size: sizeBytes }: { readonly digest: Digest; readonly size: number },
  signal?: AbortSignal,
): Promise<PartialBlob | undefined> {
  const path = join(layout.partial, `${algorithmOf(digest)}-${hexOf(digest)}`);
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
    signal?.throwIfAborted();
    if (blobs.has(digest)) return undefined;
    let fd: number | undefined;
    try {
      fd = tryOpen(path);
    } catch (error) {
      throw storeError(error, layout.root);
    }
    if (fd === undefined) {
      await wait(pauseMs);
      continue;
    }
    const partial = new PartialBlob(blobs, digest, path, fd);
    if (partial.size > sizeBytes) partial.restart();
    if (!blobs.has(digest)) return partial;
    partial.restart();
    partial[Symbol.dispose]();
    return undefined;
  }
}

/** Removes what nobody went on with for a day. Answers the bytes. */
export function sweepPartialBlobs(layout: StoreLayout, nowMs: number): number {
  let bytes = 0;
  for (const name of readdirSync(layout.partial)) {
    const path = join(layout.partial, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || nowMs - stat.mtimeMs < keptMs) continue;
    const fd = tryOpen(path);
    if (fd === undefined) continue;
    rmSync(path, { force: true });
    closeSync(fd);
    bytes += stat.size;
  }
  return bytes;
}
