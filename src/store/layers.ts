/**
 * Layers and their forms. A layer is its diffID; it may lie here as an overlay-ready directory, as a plain tar (a blob whose
 * digest is the diffID) and as compressed blobs. Any form can be made from another, so any may be dropped while one remains.
 */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { digestOf, type Digest } from "../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../oci/manifest.ts";
import type { Blobs } from "./blobs.ts";
import { integer, text, type Database } from "./database.ts";
import { storeError, type StoreLayout } from "./layout.ts";
import type { Lease } from "./lease.ts";

/** What a file system is: its layers, bottom first. */
export type Chain = readonly Digest[];

/** @see image-spec config.md#layer-chainid */
export function chainId(chain: Chain): string {
  let id = chain[0] ?? "";
  for (const diffId of chain.slice(1)) id = digestOf(`${id} ${diffId}`);
  return id;
}

/** diffID of an archive without entries: 1024 zero bytes, what Docker stores for a step that changed nothing. */
export const emptyLayer = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef" as Digest;

export class Layers {
  readonly #db: Database;
  readonly #layout: StoreLayout;
  readonly #blobs: Blobs;
  readonly #lease: () => Lease;

  constructor(db: Database, layout: StoreLayout, blobs: Blobs, lease: () => Lease) {
    this.#db = db;
    this.#layout = layout;
    this.#blobs = blobs;
    this.#lease = lease;
  }

  /** Some form of it is really here: a layer whose files were lost is one that has to be made or fetched again. */
  has(diffId: Digest): boolean {
    if (this.#db.get("SELECT 1 AS one FROM layer WHERE diff_id = ?", diffId) === undefined) return false;
    return this.#directories(diffId).length > 0 || this.blobForms(diffId).length > 0;
  }

  #directories(diffId: Digest): readonly { readonly base: string; readonly path: string }[] {
    return this.#db
      .all("SELECT base, directory FROM layer_directory WHERE diff_id = ?", diffId)
      .map((row) => ({ base: text(row, "base"), path: join(this.#layout.layers, text(row, "directory")) }))
      .filter(({ path }) => existsSync(path));
  }

  hasAll(chain: Chain): boolean {
    return chain.every((diffId) => this.has(diffId));
  }

  /** Bytes of file content in the layer. Fails with LAYER_MISSING (not_found). */
  size(diffId: Digest): number {
    const row = this.#db.get("SELECT size FROM layer WHERE diff_id = ?", diffId);
    if (row === undefined) throw missingLayer(diffId);
    return integer(row, "size");
  }

  /** Records a layer that some form of was just added, and keeps it while this process lives. */
  #known(diffId: Digest, size: number): void {
    const now = Date.now();
    this.#db.run(
      "INSERT INTO layer (diff_id, size, created_ms, used_ms) VALUES (?, ?, ?, ?) ON CONFLICT (diff_id) DO UPDATE SET used_ms = excluded.used_ms, size = max(size, excluded.size)",
      diffId,
      size,
      now,
      now,
    );
    this.#lease().hold("layer", diffId);
  }

  hold(chain: Chain): void {
    this.#db.transaction(() => {
      for (const diffId of chain) this.#lease().hold("layer", diffId);
    });
  }

  /** The plain tar is in the blob store under the diffID itself. */
  addTar(diffId: Digest, sizeBytes: number): void {
    this.#db.transaction(() => this.#known(diffId, sizeBytes));
  }

  /** A compressed blob whose content is the layer. */
  addBlob(diffId: Digest, blob: Descriptor, sizeBytes: number): void {
    this.#db.transaction(() => {
      this.#known(diffId, sizeBytes);
      this.#db.run("INSERT OR IGNORE INTO layer_blob (diff_id, digest, media_type, size) VALUES (?, ?, ?, ?)", diffId, blob.digest, blob.mediaType, blob.size);
    });
  }

  /**
   * Takes over an overlay-ready directory from the lease's work area. `base` is "" when the directory stands for itself,
   * or the chainID below it when attributes were taken from there (archives that leave parent directories out).
   * A directory that is here already wins and the new one is left to the caller's lease.
   */
  adoptDirectory(diffId: Digest, path: string, sizeBytes: number, base = ""): string {
    return this.#db.transaction(() => {
      this.#known(diffId, sizeBytes);
      const existing = this.#directories(diffId).find((directory) => directory.base === base);
      if (existing !== undefined) return existing.path;
      const name = this.#freeName();
      const target = join(this.#layout.layers, name);
      try {
        renameSync(path, target);
      } catch (error) {
        throw storeError(error, this.#layout.root);
      }
      this.#db.run("INSERT OR REPLACE INTO layer_directory (diff_id, base, directory) VALUES (?, ?, ?)", diffId, base, name);
      return target;
    });
  }

  /** Directories that the database does not know stay until they are collected: those of a database that was lost. */
  #freeName(): string {
    let name = "";
    do name = this.#db.next("layer").toString(36);
    while (existsSync(join(this.#layout.layers, name)));
    return name;
  }

  /** The directory form of chain[index], if it is here. */
  directory(chain: Chain, index: number): string | undefined {
    const diffId = chain[index];
    if (diffId === undefined) return undefined;
    const here = this.#directories(diffId);
    if (here.length === 0) return undefined;
    const own = here.find(({ base }) => base === "");
    return (own ?? here.find(({ base }) => base === chainId(chain.slice(0, index))))?.path;
  }

  hasTar(diffId: Digest): boolean {
    return this.#blobs.has(diffId);
  }

  /** Compressed blobs that are really here, and the plain tar as a descriptor of its own. */
  blobForms(diffId: Digest): readonly Descriptor[] {
    const compressed = this.#db
      .all("SELECT l.digest, l.media_type, l.size FROM layer_blob l JOIN blob b ON b.digest = l.digest WHERE l.diff_id = ?", diffId)
      .map((row): Descriptor => ({ mediaType: text(row, "media_type"), digest: text(row, "digest") as Digest, size: integer(row, "size") }))
      .filter(({ digest }) => this.#blobs.has(digest));
    const tarSize = this.#blobs.size(diffId);
    return tarSize === undefined ? compressed : [...compressed, { mediaType: mediaTypes.ociLayer, digest: diffId, size: tarSize }];
  }

  /** Which layer a blob holds, when that is known from an earlier pull. */
  diffIdOfBlob(digest: Digest): Digest | undefined {
    const row = this.#db.get("SELECT l.diff_id FROM layer_blob l JOIN blob b ON b.digest = l.digest WHERE l.digest = ?", digest);
    return row === undefined ? undefined : (text(row, "diff_id") as Digest);
  }

  /** A fresh directory in the lease's work area. */
  workDirectory(label: string): string {
    const path = this.#lease().temporaryPath(label);
    try {
      mkdirSync(path, { mode: 0o755 });
    } catch (error) {
      throw storeError(error, this.#layout.root);
    }
    return path;
  }
}

export function missingLayer(diffId: Digest, cause?: unknown): SlipwayError {
  const remedy = "pull, load or build the image again";
  return new SlipwayError("not_found", "LAYER_MISSING", `layer ${diffId} is not in the store`, { diffId, remedy }, cause);
}
