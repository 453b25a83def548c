/**
 * The store's index: SQLite in WAL mode, shared by any number of processes. Every mutation is one `BEGIN IMMEDIATE`
 * transaction; file renames that must agree with a row happen inside it, so that writers and the collector never cross.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { SlipwayError } from "../base/errors.ts";
import { storeError } from "./layout.ts";

/** What a new store starts with; each later step below brings a store one version further. Stores of every version before are opened. */
const firstSchema = `
CREATE TABLE blob (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE layer (
  diff_id TEXT PRIMARY KEY, size INTEGER NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE layer_directory (
  diff_id TEXT NOT NULL, base TEXT NOT NULL, directory TEXT NOT NULL, PRIMARY KEY (diff_id, base)
) WITHOUT ROWID;
CREATE INDEX layer_directory_name ON layer_directory (directory);
CREATE TABLE layer_blob (
  diff_id TEXT NOT NULL, digest TEXT NOT NULL, media_type TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (diff_id, digest)
) WITHOUT ROWID;
CREATE INDEX layer_blob_digest ON layer_blob (digest);
CREATE TABLE image (
  id TEXT PRIMARY KEY, manifest TEXT, created_ms INTEGER NOT NULL, tagged_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE image_layer (image TEXT NOT NULL, position INTEGER NOT NULL, diff_id TEXT NOT NULL, PRIMARY KEY (image, position)) WITHOUT ROWID;
CREATE INDEX image_layer_diff ON image_layer (diff_id);
CREATE TABLE image_blob (image TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (image, digest)) WITHOUT ROWID;
CREATE TABLE tag (name TEXT PRIMARY KEY, image TEXT NOT NULL, updated_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX tag_image ON tag (image);
CREATE TABLE repo_digest (repository TEXT NOT NULL, digest TEXT NOT NULL, image TEXT NOT NULL, PRIMARY KEY (repository, digest, image)) WITHOUT ROWID;
CREATE TABLE cache (
  key TEXT PRIMARY KEY, slot TEXT NOT NULL, description TEXT NOT NULL, layers TEXT NOT NULL, chain TEXT NOT NULL, config TEXT NOT NULL, inputs TEXT NOT NULL,
  size INTEGER NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL, uses INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX cache_slot ON cache (slot, created_ms);
CREATE TABLE cache_layer (key TEXT NOT NULL, diff_id TEXT NOT NULL, PRIMARY KEY (key, diff_id)) WITHOUT ROWID;
CREATE TABLE cache_mount (
  id TEXT PRIMARY KEY, description TEXT NOT NULL, directory TEXT NOT NULL, created_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE container (id TEXT PRIMARY KEY, name TEXT UNIQUE NOT NULL, image TEXT, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE container_layer (container TEXT NOT NULL, diff_id TEXT NOT NULL, PRIMARY KEY (container, diff_id)) WITHOUT ROWID;
CREATE TABLE lease (id TEXT PRIMARY KEY, pid INTEGER NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE lease_item (lease TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, PRIMARY KEY (lease, kind, id)) WITHOUT ROWID;
CREATE TABLE sequence (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
`;

/** Images for several platforms. An image with own = 0 is there for the indexes that have it, and goes with the last of them. */
const imageIndexes = `
CREATE TABLE image_index (id TEXT PRIMARY KEY, document TEXT, created_ms INTEGER NOT NULL, tagged_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE index_member (
  parent TEXT NOT NULL, position INTEGER NOT NULL, platform TEXT NOT NULL, image TEXT NOT NULL, PRIMARY KEY (parent, position)
) WITHOUT ROWID;
CREATE INDEX index_member_image ON index_member (image);
ALTER TABLE image ADD COLUMN own INTEGER NOT NULL DEFAULT 1;
`;

/** Which lines of which Dockerfile made an image's layers, and on what base: what its config does not say. */
const buildOrigins = "CREATE TABLE IF NOT EXISTS build_origin (image TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;";

/** What a manifest that is made for the image has to say; NULL: what the one that it came with says. */
const imageAnnotations = "ALTER TABLE image ADD COLUMN annotations TEXT;";

/** The index that an image came with, of which it may be the only one that is here. */
const imageDocuments = "ALTER TABLE image ADD COLUMN document TEXT;";

/** Steps of builds that run, failed or were interrupted. */
const keptSteps = `
CREATE TABLE IF NOT EXISTS kept_step (id TEXT PRIMARY KEY, lease TEXT NOT NULL, created_ms INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept_step_layer (step TEXT NOT NULL, diff_id TEXT NOT NULL, PRIMARY KEY (step, diff_id)) WITHOUT ROWID;
`;

const migrations: readonly string[] = [firstSchema, imageIndexes, buildOrigins, imageAnnotations, imageDocuments, keptSteps];
const schemaVersion = migrations.length;

export type SqlValue = string | number | bigint | null;
export type Row = Readonly<Record<string, unknown>>;

export class Database {
  readonly #db: DatabaseSync;
  readonly #root: string;
  readonly #statements = new Map<string, StatementSync>();
  #depth = 0;

  constructor(path: string, root: string) {
    this.#root = root;
    try {
      this.#db = new DatabaseSync(path, { timeout: 60_000 });
      this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -8000");
      this.#migrate();
    } catch (error) {
      throw storeError(error, root);
    }
  }

  #migrate(): void {
    const version = (): number => Number(this.#db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
    if (version() === schemaVersion) return;
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const found = version();
      if (found > schemaVersion) {
        throw new SlipwayError(
          "failed_precondition",
          "STORE_TOO_NEW",
          `the store ${this.#root} was written by a newer Slipway (schema ${found}, this program knows ${schemaVersion})`,
          {
            found,
            known: schemaVersion,
            remedy: "use the newer program, or another SLIPWAY_ROOT",
          },
        );
      }
      for (const step of migrations.slice(found)) this.#db.exec(step);
      this.#db.exec(`PRAGMA user_version = ${schemaVersion}`);
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  run(sql: string, ...values: SqlValue[]): number {
    try {
      return Number(this.#prepare(sql).run(...values).changes);
    } catch (error) {
      throw storeError(error, this.#root);
    }
  }

  get(sql: string, ...values: SqlValue[]): Row | undefined {
    try {
      return this.#prepare(sql).get(...values);
    } catch (error) {
      throw storeError(error, this.#root);
    }
  }

  all(sql: string, ...values: SqlValue[]): readonly Row[] {
    try {
      return this.#prepare(sql).all(...values);
    } catch (error) {
      throw storeError(error, this.#root);
    }
  }

  /** Runs `body` in one write transaction (nested calls join it); everything or nothing. `body` must be synchronous. */
  transaction<T>(body: () => T): T {
    if (this.#depth > 0) return body();
    try {
      this.#db.exec("BEGIN IMMEDIATE");
    } catch (error) {
      throw storeError(error, this.#root);
    }
    this.#depth++;
    try {
      const value = body();
      this.#db.exec("COMMIT");
      return value;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw storeError(error, this.#root);
    } finally {
      this.#depth--;
    }
  }

  /** The next number of a named counter, never given twice. */
  next(name: string): number {
    const row = this.get("INSERT INTO sequence (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value", name);
    return Number(row?.["value"]);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }
}

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new SlipwayError("data_loss", "STORE_CORRUPT", `column ${column} of the store's database is not text`, { column });
  return value;
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number") throw new SlipwayError("data_loss", "STORE_CORRUPT", `column ${column} of the store's database is not a number`, { column });
  return value;
}

export function optionalText(row: Row, column: string): string | undefined {
  const value = row[column];
  return typeof value === "string" ? value : undefined;
}
