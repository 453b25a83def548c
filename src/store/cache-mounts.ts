/** Directories of `RUN --mount=type=cache`: named by their id, shared by all builds, dropped by `builder prune`. */
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { integer, text, type Database } from "./database.ts";
import { storeError, type StoreLayout } from "./layout.ts";

export interface CacheMountRecord {
  readonly id: string;
  readonly description: string;
  readonly path: string;
  readonly createdMs: number;
  readonly usedMs: number;
}

export class CacheMounts {
  readonly #db: Database;
  readonly #layout: StoreLayout;

  constructor(db: Database, layout: StoreLayout) {
    this.#db = db;
    this.#layout = layout;
  }

  /** The directory of the mount and whether it was made just now (then the caller gives it owner, mode and content). */
  open(id: string, description: string): { readonly path: string; readonly created: boolean } {
    return this.#db.transaction(() => {
      const now = Date.now();
      const row = this.#db.get("SELECT directory FROM cache_mount WHERE id = ?", id);
      if (row !== undefined && existsSync(join(this.#layout.cacheMounts, text(row, "directory")))) {
        this.#db.run("UPDATE cache_mount SET used_ms = ? WHERE id = ?", now, id);
        return { path: join(this.#layout.cacheMounts, text(row, "directory")), created: false };
      }
      const directory = this.#freeName();
      const path = join(this.#layout.cacheMounts, directory);
      try {
        mkdirSync(path, { mode: 0o755 });
      } catch (error) {
        throw storeError(error, this.#layout.root);
      }
      this.#db.run(
        "INSERT OR REPLACE INTO cache_mount (id, description, directory, created_ms, used_ms) VALUES (?, ?, ?, ?, ?)",
        id,
        description,
        directory,
        now,
        now,
      );
      return { path, created: true };
    });
  }

  /** Directories that the database does not know stay until they are collected. */
  #freeName(): string {
    let name = "";
    do name = this.#db.next("cache-mount").toString(36);
    while (existsSync(join(this.#layout.cacheMounts, name)));
    return name;
  }

  all(): readonly CacheMountRecord[] {
    return this.#db.all("SELECT * FROM cache_mount ORDER BY used_ms").map((row) => ({
      id: text(row, "id"),
      description: text(row, "description"),
      path: join(this.#layout.cacheMounts, text(row, "directory")),
      createdMs: integer(row, "created_ms"),
      usedMs: integer(row, "used_ms"),
    }));
  }

  /** Forgets the mount and moves its directory to `trash`, from where the caller deletes it. */
  remove(id: string, trash: string): void {
    this.#db.transaction(() => {
      const row = this.#db.get("SELECT directory FROM cache_mount WHERE id = ?", id);
      if (row === undefined) return;
      const path = join(this.#layout.cacheMounts, text(row, "directory"));
      if (existsSync(path)) renameSync(path, trash);
      this.#db.run("DELETE FROM cache_mount WHERE id = ?", id);
    });
  }
}
