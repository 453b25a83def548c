/**
 * Indexes: one name for the images of several platforms. An index is the digest of the text that lists its members; it keeps
 * them, and those that nothing else names go with the last index that has them.
 */
import { SlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import type { Blobs } from "./blobs.ts";
import { integer, optionalText, text, type Database, type Row } from "./database.ts";
import type { Images } from "./images.ts";

export interface IndexMember {
  /** `os/arch[/variant]`, normalised */
  readonly platform: string;
  readonly image: Digest;
}

export interface IndexRecord {
  readonly id: Digest;
  /** the index it was pulled or loaded with, a blob of the store */
  readonly document: Digest | undefined;
  readonly createdMs: number;
  readonly taggedMs: number;
}

export interface IndexCommit {
  /** what identifies it; its digest is the index's id */
  readonly text: string;
  readonly members: readonly IndexMember[];
  readonly document?: Digest;
}

export class ImageIndexes {
  readonly #db: Database;
  readonly #blobs: Blobs;
  readonly #images: Images;

  constructor(db: Database, blobs: Blobs, images: Images) {
    this.#db = db;
    this.#blobs = blobs;
    this.#images = images;
  }

  /** The members are images of the store already. Fails with NO_SUCH_IMAGE (not_found) when one was removed meanwhile. */
  commit(index: IndexCommit, names: readonly string[] = []): Digest {
    return this.#db.transaction(() => {
      const { digest: id } = this.#blobs.put(Buffer.from(index.text));
      const missing = index.members.find(({ image }) => this.#images.get(image) === undefined);
      if (missing !== undefined) throw new SlipwayError("not_found", "NO_SUCH_IMAGE", `No such image: ${missing.image}`, { image: missing.image });
      this.#db.run(
        `INSERT INTO image_index (id, document, created_ms, tagged_ms) VALUES (?, ?, ?, 0)
         ON CONFLICT (id) DO UPDATE SET document = coalesce(excluded.document, document)`,
        id,
        index.document ?? null,
        Date.now(),
      );
      index.members.forEach(({ platform, image }, position) =>
        this.#db.run("INSERT OR IGNORE INTO index_member (parent, position, platform, image) VALUES (?, ?, ?, ?)", id, position, platform, image),
      );
      for (const name of names) this.#images.tag(name, id);
      return id;
    });
  }

  get(id: Digest): IndexRecord | undefined {
    const row = this.#db.get("SELECT id, document, created_ms, tagged_ms FROM image_index WHERE id = ?", id);
    return row === undefined ? undefined : indexRecord(row);
  }

  all(): readonly IndexRecord[] {
    return this.#db.all("SELECT id, document, created_ms, tagged_ms FROM image_index").map(indexRecord);
  }

  /** In the order in which they were given; none for what is no index. */
  members(id: Digest): readonly IndexMember[] {
    return this.#db
      .all("SELECT platform, image FROM index_member WHERE parent = ? ORDER BY position", id)
      .map((row) => ({ platform: text(row, "platform"), image: text(row, "image") as Digest }));
  }

  /** The indexes that have an image. */
  holding(image: Digest): readonly Digest[] {
    return this.#db.all("SELECT DISTINCT parent FROM index_member WHERE image = ?", image).map((row) => text(row, "parent") as Digest);
  }

  /** The text that identifies it. */
  text(id: Digest): string {
    return this.#blobs.read(id).toString();
  }

  /** Takes an image out of every index. An index that has no member left stays until it is removed. */
  removeMember(image: Digest): void {
    this.#db.run("DELETE FROM index_member WHERE image = ?", image);
  }

  /** Forgets the index, all its names, and the members that nothing else keeps. Answers those. */
  remove(id: Digest): readonly Digest[] {
    return this.#db.transaction(() => {
      const members = this.members(id);
      this.#db.run("DELETE FROM index_member WHERE parent = ?", id);
      this.#db.run("DELETE FROM image_index WHERE id = ?", id);
      this.#db.run("DELETE FROM tag WHERE image = ?", id);
      this.#db.run("DELETE FROM repo_digest WHERE image = ?", id);
      const alone = members.map(({ image }) => image).filter((image) => this.#images.get(image)?.own === false);
      return [...new Set(alone)].filter((image) => this.#images.remove(image));
    });
  }
}

function indexRecord(row: Row): IndexRecord {
  return {
    id: text(row, "id") as Digest,
    document: optionalText(row, "document") as Digest | undefined,
    createdMs: integer(row, "created_ms"),
    taggedMs: integer(row, "tagged_ms"),
  };
}
