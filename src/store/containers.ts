/** Containers' rows: unique names and ids, and what keeps their layers from collection. The record itself is the runtime's JSON. */
import { SlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import { text, type Database } from "./database.ts";

export interface StoredContainer {
  readonly id: string;
  readonly name: string;
  /** "" when the container runs an intermediate result */
  readonly imageId: string;
}

export class Containers<Record extends StoredContainer> {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  /** Answers the id of the container that has the name already, or undefined after the record was stored. */
  insert(record: Record, chain: readonly Digest[]): string | undefined {
    return this.#db.transaction(() => {
      const taken = this.#db.get("SELECT id FROM container WHERE name = ?", record.name);
      if (taken !== undefined) return text(taken, "id");
      this.#db.run("INSERT INTO container (id, name, image, record) VALUES (?, ?, ?, ?)", record.id, record.name, record.imageId, JSON.stringify(record));
      for (const diffId of chain) this.#db.run("INSERT OR IGNORE INTO container_layer (container, diff_id) VALUES (?, ?)", record.id, diffId);
      return undefined;
    });
  }

  /** false when the container is gone. Answers the other container's id when the new name is taken. */
  update(record: Record): boolean | string {
    return this.#db.transaction(() => {
      const taken = this.#db.get("SELECT id FROM container WHERE name = ? AND id <> ?", record.name, record.id);
      if (taken !== undefined) return text(taken, "id");
      return this.#db.run("UPDATE container SET name = ?, record = ? WHERE id = ?", record.name, JSON.stringify(record), record.id) > 0;
    });
  }

  /** By full id, name (with or without a leading slash), or unique id prefix; AMBIGUOUS_ID when a prefix fits several. */
  get(nameOrIdPrefix: string): Record | undefined {
    const key = nameOrIdPrefix.replace(/^\//, "");
    const exact = this.#db.get("SELECT record FROM container WHERE id = ? UNION ALL SELECT record FROM container WHERE name = ? LIMIT 1", key, key);
    if (exact !== undefined) return parse<Record>(text(exact, "record"));
    if (!/^[0-9a-f]+$/.test(key)) return undefined;
    const rows = this.#db.all("SELECT record FROM container WHERE id >= ? AND id < ? LIMIT 2", key, `${key}g`);
    if (rows.length > 1) throw new SlipwayError("invalid_argument", "AMBIGUOUS_ID", `multiple IDs found with provided prefix: ${key}`, { prefix: key });
    return rows[0] === undefined ? undefined : parse<Record>(text(rows[0], "record"));
  }

  list(): readonly Record[] {
    return this.#db.all("SELECT record FROM container").map((row) => parse<Record>(text(row, "record")));
  }

  chain(id: string): readonly Digest[] {
    return this.#db.all("SELECT diff_id FROM container_layer WHERE container = ?", id).map((row) => text(row, "diff_id") as Digest);
  }

  /** false: it was not there. */
  remove(id: string): boolean {
    return this.#db.transaction(() => {
      this.#db.run("DELETE FROM container_layer WHERE container = ?", id);
      return this.#db.run("DELETE FROM container WHERE id = ?", id) > 0;
    });
  }
}

function parse<T>(json: string): T {
  return JSON.parse(json) as T;
}
