/** Directories of `RUN --mount=type=cache`: named by their id, shared by all builds, dropped by `builder prune`. */
import { closeSync, existsSync, mkdirSync, openSync, renameSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import { integer, text, type Database } from "./database.ts";
import { storeError, type StoreLayout } from "./layout.ts";
import { flock } from "./syscalls.ts";

export interface CacheMountRecord {
  readonly id: string;
  readonly description: string;
  readonly path: string;
  readonly createdMs: number;
  readonly usedMs: number;
  /** by a step of a build that runs now */
  readonly inUse: boolean;
}

/** A mount's directory in use until it is disposed of: nobody deletes it meanwhile. */
export interface OpenCacheMount extends Disposable {
  readonly path: string;
  /** just now: the caller gives it owner, mode and content */
  readonly created: boolean;
}

export class CacheMounts {
  readonly #db: Database;
  readonly #layout: StoreLayout;

  constructor(db: Database, layout: StoreLayout) {
    this.#db = db;
    this.#layout = layout;
  }

  open(id: string, description: string): OpenCacheMount {
    return this.#db.transaction(() => {
      const now = Date.now();
      const row = this.#db.get("SELECT directory FROM cache_mount WHERE id = ?", id);
      if (row !== undefined && existsSync(join(this.#layout.cacheMounts, text(row, "directory")))) {
        this.#db.run("UPDATE cache_mount SET used_ms = ? WHERE id = ?", now, id);
        return inUse(join(this.#layout.cacheMounts, text(row, "directory")), false);
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
      return inUse(path, true);
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
    return this.#db.all("SELECT * FROM cache_mount ORDER BY used_ms").map((row) => {
      const path = join(this.#layout.cacheMounts, text(row, "directory"));
      return {
        id: text(row, "id"),
        description: text(row, "description"),
        path,
        createdMs: integer(row, "created_ms"),
        usedMs: integer(row, "used_ms"),
        inUse: isCacheMountInUse(path),
      };
    });
  }

  /** Forgets the mount and moves its directory to `trash`, from where the caller deletes it; one that is in use stays for the collection. */
  remove(id: string, trash: string): void {
    this.#db.transaction(() => {
      const row = this.#db.get("SELECT directory FROM cache_mount WHERE id = ?", id);
      if (row === undefined) return;
      const path = join(this.#layout.cacheMounts, text(row, "directory"));
      if (existsSync(path) && !isCacheMountInUse(path)) renameSync(path, trash);
      this.#db.run("DELETE FROM cache_mount WHERE id = ?", id);
    });
  }
}

/** A shared lock on the directory itself: gone with the process that has it, however that ends. */
function inUse(path: string, created: boolean): OpenCacheMount {
  const fd = openSync(path, "r");
  flock(fd, "shared");
  return { path, created, [Symbol.dispose]: () => closeSync(fd) };
}

/** Whether a step has the mount's directory open. */
export function isCacheMountInUse(path: string): boolean {
  if (!existsSync(path)) return false;
  const fd = openSync(path, "r");
  try {
    flock(fd, "exclusive", { nonBlocking: true });
    return false;
  } catch (error) {
    if (errnoOf(error) === "EAGAIN") return true;
    throw error;
  } finally {
    closeSync(fd);
  }
}
