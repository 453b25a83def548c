/**
 * The build cache's index: key → layers that the step produced. What the inputs were is kept beside it, so that a later
 * miss can be explained against the nearest former record of the same place in a Dockerfile ("slot").
 */
import type { Digest } from "../oci/digest.ts";
import { integer, text, type Database, type Row } from "./database.ts";
import type { Layers } from "./layers.ts";

export interface RecordedConfig {
  readonly env?: readonly string[];
  readonly cwd?: string;
  readonly user?: string;
}

export interface CacheRecord {
  readonly key: string;
  /** names the place: context and Dockerfile, stage, position */
  readonly slot: string;
  readonly description: string;
  /** layers that the step added, bottom first */
  readonly layers: readonly Digest[];
  /** the whole file system after the step, bottom first: what `run ID` starts from */
  readonly chain: readonly Digest[];
  /** how the step saw the world: env, cwd, user */
  readonly config: RecordedConfig;
  /** named inputs → short values, compared to explain a miss */
  readonly inputs: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly createdMs: number;
  readonly usedMs: number;
  readonly uses: number;
}

export class CacheRecords {
  readonly #db: Database;
  readonly #layers: Layers;

  constructor(db: Database, layers: Layers) {
    this.#db = db;
    this.#layers = layers;
  }

  /** The record, if it is there and all its layers still are. A use is counted. */
  lookup(key: string): CacheRecord | undefined {
    const row = this.#db.get("SELECT * FROM cache WHERE key = ?", key);
    if (row === undefined) return undefined;
    const record = recordFromRow(row);
    if (!this.#layers.hasAll(record.layers)) return undefined;
    return record;
  }

  /** Marks records as used now, in one transaction at the end of a build. */
  touch(keys: readonly string[]): void {
    if (keys.length === 0) return;
    const now = Date.now();
    this.#db.transaction(() => {
      for (const key of keys) this.#db.run("UPDATE cache SET used_ms = ?, uses = uses + 1 WHERE key = ?", now, key);
    });
  }

  put(record: Omit<CacheRecord, "usedMs" | "uses">): void {
    const now = Date.now();
    this.#db.transaction(() => {
      this.#db.run(
        "INSERT OR REPLACE INTO cache (key, slot, description, layers, chain, config, inputs, size, created_ms, used_ms, uses) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1)",
        record.key,
        record.slot,
        record.description,
        JSON.stringify(record.layers),
        JSON.stringify(record.chain),
        JSON.stringify(record.config),
        JSON.stringify(record.inputs),
        record.sizeBytes,
        record.createdMs,
        now,
      );
      this.#db.run("DELETE FROM cache_layer WHERE key = ?", record.key);
      for (const diffId of record.layers) this.#db.run("INSERT OR IGNORE INTO cache_layer (key, diff_id) VALUES (?, ?)", record.key, diffId);
    });
  }

  /** The newest record of the same place. */
  newestInSlot(slot: string): CacheRecord | undefined {
    const row = this.#db.get("SELECT * FROM cache WHERE slot = ? ORDER BY created_ms DESC LIMIT 1", slot);
    return row === undefined ? undefined : recordFromRow(row);
  }

  /** Records whose key's hex begins so, and whose whole chain is still here, newest first. Cost: a look at every key. */
  byPrefix(hexPrefix: string): readonly CacheRecord[] {
    return this.#db
      .all("SELECT * FROM cache WHERE key GLOB ? ORDER BY created_ms DESC", `*sha256:${hexPrefix}*`)
      .map(recordFromRow)
      .filter((record) => hexOfKey(record.key).startsWith(hexPrefix) && this.#layers.hasAll(record.chain));
  }

  /** A key that was recorded once but has lost its layers. */
  known(key: string): boolean {
    return this.#db.get("SELECT 1 AS one FROM cache WHERE key = ?", key) !== undefined;
  }

  /** Least recently used first. */
  all(): readonly CacheRecord[] {
    return this.#db.all("SELECT * FROM cache ORDER BY used_ms").map(recordFromRow);
  }

  remove(key: string): void {
    this.#db.transaction(() => {
      this.#db.run("DELETE FROM cache WHERE key = ?", key);
      this.#db.run("DELETE FROM cache_layer WHERE key = ?", key);
    });
  }
}

function recordFromRow(row: Row): CacheRecord {
  return {
    key: text(row, "key"),
    slot: text(row, "slot"),
    description: text(row, "description"),
    layers: JSON.parse(text(row, "layers")) as Digest[],
    chain: JSON.parse(text(row, "chain")) as Digest[],
    config: JSON.parse(text(row, "config")) as RecordedConfig,
    inputs: JSON.parse(text(row, "inputs")) as Record<string, string>,
    sizeBytes: integer(row, "size"),
    createdMs: integer(row, "created_ms"),
    usedMs: integer(row, "used_ms"),
    uses: integer(row, "uses"),
  };
}

/** What names a record to people: a key may say more before its digest (what a COPY gave has such a second one). Pure. */
export function hexOfKey(key: string): string {
  return key.slice(key.lastIndexOf(":") + 1);
}
