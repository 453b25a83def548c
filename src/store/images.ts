/**
 * Images and their names. An image is its config's digest; names (full references) and repository digests point to it,
 * or to an index of images for several platforms (image-indexes.ts).
 */
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { shortId, type Digest } from "../oci/digest.ts";
import type { ImageConfig } from "../oci/image-config.ts";
import type { Blobs } from "./blobs.ts";
import { integer, optionalText, text, type Database, type Row } from "./database.ts";
import type { Layers } from "./layers.ts";

export interface ImageRecord {
  readonly id: Digest;
  /** digest of the manifest it was pulled, loaded or exported with */
  readonly manifest: Digest | undefined;
  /** when it came into the store */
  readonly createdMs: number;
  readonly taggedMs: number;
  /** false: it is there for the indexes that have it, and for nothing else */
  readonly own: boolean;
  /** of a manifest that is made for it; undefined: it keeps the one that it came with */
  readonly annotations: Readonly<Record<string, string>> | undefined;
  /** the index that it came with, a blob of the store */
  readonly document: Digest | undefined;
}

export interface BuildOrigin {
  /** as the build was told: "Dockerfile", "docker/app.Dockerfile" */
  readonly dockerfile: string;
  /** undefined: it stands on scratch */
  readonly base: { readonly reference: string; readonly layers: number } | undefined;
  /** when its newest layer was made, where the image says a time that its inputs have; milliseconds */
  readonly madeMs?: number;
  /** by the layer's position in the image; of layers that instructions of this Dockerfile made */
  readonly lines: Readonly<Record<number, { readonly start: number; readonly end: number; readonly instruction: string }>>;
}

export interface ImageCommit {
  /** the config's exact bytes; their digest is the image's id */
  readonly config: Uint8Array;
  readonly chain: readonly Digest[];
  readonly manifest?: Digest;
  /** manifest and index blobs to keep with the image */
  readonly blobs?: readonly Digest[];
  /** a part of an index that is committed next, in the same transaction */
  readonly member?: boolean;
  /** of an image that was built: what its manifest says besides; one that comes with its manifest has them there */
  readonly annotations?: Readonly<Record<string, string>>;
  /** the index that it comes with, one of `blobs` */
  readonly document?: Digest;
}

export class Images {
  readonly #db: Database;
  readonly #blobs: Blobs;
  readonly #layers: Layers;

  constructor(db: Database, blobs: Blobs, layers: Layers) {
    this.#db = db;
    this.#blobs = blobs;
    this.#layers = layers;
  }

  /** Fails with LAYER_MISSING when a layer was collected meanwhile: the caller builds or pulls again. */
  commit(image: ImageCommit, names: readonly string[] = []): Digest {
    const config = this.#blobs.put(image.config);
    this.#db.transaction(() => {
      for (const diffId of image.chain) this.#layers.size(diffId);
      this.#blobs.put(image.config);
      const now = Date.now();
      this.#db.run(
        `INSERT INTO image (id, manifest, created_ms, tagged_ms, own, annotations, document) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET manifest = coalesce(excluded.manifest, manifest), own = max(own, excluded.own),
           annotations = CASE WHEN excluded.manifest IS NULL THEN coalesce(excluded.annotations, annotations) END,
           document = CASE WHEN excluded.annotations IS NULL THEN coalesce(excluded.document, document) END`,
        config.digest,
        image.manifest ?? null,
        now,
        0,
        image.member === true ? 0 : 1,
        image.annotations === undefined ? null : JSON.stringify(image.annotations),
        image.document ?? null,
      );
      image.chain.forEach((diffId, position) =>
        this.#db.run("INSERT OR IGNORE INTO image_layer (image, position, diff_id) VALUES (?, ?, ?)", config.digest, position, diffId),
      );
      for (const blob of [config.digest, ...(image.manifest === undefined ? [] : [image.manifest]), ...(image.blobs ?? [])]) {
        this.#db.run("INSERT OR IGNORE INTO image_blob (image, digest) VALUES (?, ?)", config.digest, blob);
      }
      for (const name of names) this.tag(name, config.digest);
    });
    return config.digest;
  }

  /** `name` is a full reference ("docker.io/library/a:1"); it moves away from the image or index that had it. */
  tag(name: string, id: Digest): void {
    const now = Date.now();
    this.#db.transaction(() => {
      this.#db.run(
        "INSERT INTO tag (name, image, updated_ms) VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET image = excluded.image, updated_ms = excluded.updated_ms",
        name,
        id,
        now,
      );
      this.#db.run("UPDATE image SET tagged_ms = ?, own = 1 WHERE id = ?", now, id);
      this.#db.run("UPDATE image_index SET tagged_ms = ? WHERE id = ?", now, id);
    });
  }

  untag(name: string): boolean {
    return this.#db.run("DELETE FROM tag WHERE name = ?", name) > 0;
  }

  /** The id of an image or of an index. */
  byName(name: string): Digest | undefined {
    const row = this.#db.get("SELECT image FROM tag WHERE name = ?", name);
    return row === undefined ? undefined : (text(row, "image") as Digest);
  }

  /** All ids of images and indexes that begin with the given hex digits; two at most are looked for. */
  byPrefix(hexPrefix: string): readonly Digest[] {
    const [from, to] = [`sha256:${hexPrefix}`, `sha256:${hexPrefix}g`];
    return this.#db
      .all("SELECT id FROM image WHERE id >= ? AND id < ? UNION ALL SELECT id FROM image_index WHERE id >= ? AND id < ? LIMIT 2", from, to, from, to)
      .map((row) => text(row, "id") as Digest);
  }

  get(id: Digest): ImageRecord | undefined {
    const row = this.#db.get(`SELECT ${recordColumns} FROM image WHERE id = ?`, id);
    return row === undefined ? undefined : imageRecord(row);
  }

  /** Those that indexes alone need are among them. */
  all(): readonly ImageRecord[] {
    return this.#db.all(`SELECT ${recordColumns} FROM image`).map(imageRecord);
  }

  /** Fails with STORE_CORRUPT (data_loss) when its file is lost or changed. */
  config(id: Digest): ImageConfig {
    try {
      return JSON.parse(this.#blobs.read(id).toString()) as ImageConfig;
    } catch (error) {
      const remedy = `pull, load or build the image again, or remove it: slipway rmi -f ${shortId(id)}`;
      throw new SlipwayError("data_loss", "STORE_CORRUPT", `the config of image ${id} cannot be read: its file was lost or changed`, { id, remedy }, error);
    }
  }

  /** For lists, which must not fail for one image: a config that cannot be read is empty. */
  configForList(id: Digest): ImageConfig {
    try {
      return this.config(id);
    } catch (error) {
      if (!isSlipwayError(error, "STORE_CORRUPT")) throw error;
      return { os: "", architecture: "", config: {}, rootfs: { type: "layers", diff_ids: [] } };
    }
  }

  chain(id: Digest): readonly Digest[] {
    return this.#db.all("SELECT diff_id FROM image_layer WHERE image = ? ORDER BY position", id).map((row) => text(row, "diff_id") as Digest);
  }

  names(id: Digest): readonly string[] {
    return this.#db.all("SELECT name FROM tag WHERE image = ? ORDER BY name", id).map((row) => text(row, "name"));
  }

  allNames(): readonly { readonly name: string; readonly image: Digest }[] {
    return this.#db.all("SELECT name, image FROM tag ORDER BY name").map((row) => ({ name: text(row, "name"), image: text(row, "image") as Digest }));
  }

  /** `repository` is a full name without tag. */
  addRepoDigest(repository: string, digest: Digest, id: Digest): void {
    this.#db.transaction(() => {
      this.#db.run("INSERT OR IGNORE INTO repo_digest (repository, digest, image) VALUES (?, ?, ?)", repository, digest, id);
      this.#db.run("UPDATE image SET own = 1 WHERE id = ?", id);
    });
  }

  removeRepoDigest(repository: string, digest: Digest, id: Digest): void {
    this.#db.run("DELETE FROM repo_digest WHERE repository = ? AND digest = ? AND image = ?", repository, digest, id);
  }

  repoDigests(id: Digest): readonly { readonly repository: string; readonly digest: Digest }[] {
    return this.#db
      .all("SELECT repository, digest FROM repo_digest WHERE image = ? ORDER BY repository, digest", id)
      .map((row) => ({ repository: text(row, "repository"), digest: text(row, "digest") as Digest }));
  }

  byRepoDigest(repository: string, digest: Digest): Digest | undefined {
    return this.allWithRepoDigest(repository, digest)[0];
  }

  /** Stores from before there were indexes have one for each platform that was pulled. */
  allWithRepoDigest(repository: string, digest: Digest): readonly Digest[] {
    return this.#db.all("SELECT image FROM repo_digest WHERE repository = ? AND digest = ?", repository, digest).map((row) => text(row, "image") as Digest);
  }

  /**
   * Forgets the image and all its names. Its layers and blobs go with the next collection unless something else reaches them.
   * false: an index has it, so only its names went.
   */
  remove(id: Digest): boolean {
    return this.#db.transaction(() => {
      this.#db.run("DELETE FROM tag WHERE image = ?", id);
      this.#db.run("DELETE FROM repo_digest WHERE image = ?", id);
      this.#db.run("UPDATE image SET own = 0 WHERE id = ?", id);
      if (this.#db.get("SELECT 1 AS one FROM index_member WHERE image = ?", id) !== undefined) return false;
      this.#db.run("DELETE FROM image_layer WHERE image = ?", id);
      this.#db.run("DELETE FROM image_blob WHERE image = ?", id);
      this.#db.run("DELETE FROM build_origin WHERE image = ?", id);
      this.#db.run("DELETE FROM image WHERE id = ?", id);
      return true;
    });
  }

  /** Where a build of this store had it from; undefined for images that came from elsewhere. */
  origin(id: Digest): BuildOrigin | undefined {
    const row = this.#db.get("SELECT record FROM build_origin WHERE image = ?", id);
    return row === undefined ? undefined : (JSON.parse(text(row, "record")) as BuildOrigin);
  }

  /** The last build that made the image is the one that is told of. */
  setOrigin(id: Digest, origin: BuildOrigin): void {
    this.#db.run("INSERT OR REPLACE INTO build_origin (image, record) VALUES (?, ?)", id, JSON.stringify(origin));
  }

  /** Number of images, other than `id`, that use a layer. */
  usersOfLayer(diffId: Digest, except?: Digest): number {
    const row = this.#db.get("SELECT count(DISTINCT image) AS n FROM image_layer WHERE diff_id = ? AND image <> ?", diffId, except ?? "");
    return row === undefined ? 0 : integer(row, "n");
  }
}

const recordColumns = "id, manifest, created_ms, tagged_ms, own, annotations, document";

function imageRecord(row: Row): ImageRecord {
  const annotations = optionalText(row, "annotations");
  return {
    id: text(row, "id") as Digest,
    manifest: optionalText(row, "manifest") as Digest | undefined,
    createdMs: integer(row, "created_ms"),
    taggedMs: integer(row, "tagged_ms"),
    own: integer(row, "own") === 1,
    annotations: annotations === undefined ? undefined : (JSON.parse(annotations) as Readonly<Record<string, string>>),
    document: optionalText(row, "document") as Digest | undefined,
  };
}
