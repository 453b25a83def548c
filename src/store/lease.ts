/**
 * A lease names a live process: a directory `work/<id>/` with a lock that the kernel frees when the process dies. What is
 * in flight lies in that directory; what is finished but not yet reached by an image or a cache record is listed in the
 * database under the lease. A dead lease's directory and rows are swept by whoever comes next.
 */
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { errnoOf } from "../base/errors.ts";
import type { Database } from "./database.ts";
import { storeError, type StoreLayout } from "./layout.ts";
import { flock } from "./syscalls.ts";

export type LeaseItemKind = "layer" | "blob" | "step";

export class Lease {
  readonly id: string;
  /** a private directory on the store's file system; gone after the process */
  readonly directory: string;
  readonly #db: Database;
  readonly #lock: number;
  #names = 0;

  constructor(db: Database, layout: StoreLayout) {
    this.#db = db;
    this.id = `${Date.now().toString(36)}-${randomBytes(5).toString("hex")}`;
    this.directory = join(layout.work, this.id);
    try {
      // Under another name until it is locked: a sweeper must never see an unlocked directory of a live process.
      const hidden = join(layout.work, `.new-${this.id}`);
      mkdirSync(hidden, { mode: 0o711 });
      this.#lock = openSync(join(hidden, "lock"), "w", 0o600);
      flock(this.#lock, "exclusive", { nonBlocking: true });
      renameSync(hidden, this.directory);
    } catch (error) {
      throw storeError(error, layout.root);
    }
    db.run("INSERT INTO lease (id, pid, created_ms) VALUES (?, ?, ?)", this.id, process.pid, Date.now());
  }

  /** Keeps a layer or blob from collection until release() or the end of the process. */
  hold(kind: LeaseItemKind, id: string): void {
    this.#db.run("INSERT OR IGNORE INTO lease_item (lease, kind, id) VALUES (?, ?, ?)", this.id, kind, id);
  }

  /** Whoever inherits this descriptor prolongs the lease beyond the end of this process. */
  get lockDescriptor(): number {
    return this.#lock;
  }

  /** A path in the lease's directory that was not given before; nothing is created. */
  temporaryPath(label: string): string {
    this.#names++;
    return join(this.directory, `${label}-${this.#names.toString(36)}`);
  }

  release(): void {
    this.#db.transaction(() => forgetLease(this.#db, this.id));
    removeLeaseDirectory(this.directory);
    closeSync(this.#lock);
  }
}

function forgetLease(db: Database, id: string): void {
  db.run("DELETE FROM lease_item WHERE lease = ?", id);
  db.run("DELETE FROM lease WHERE id = ?", id);
}

function tryLock(path: string): number | undefined {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    flock(fd, "exclusive", { nonBlocking: true });
    return fd;
  } catch (error) {
    closeSync(fd);
    if (errnoOf(error) === "EAGAIN") return undefined;
    throw error;
  }
}

/** Its owner may be deleting the same directory just now: what is gone already is no error. */
function removeLeaseDirectory(directory: string): void {
  try {
    // The lock file goes last: a sweep that is killed half-way leaves a directory that the next one still recognises.
    for (const entry of readdirSync(directory)) if (entry !== "lock") rmSync(join(directory, entry), { recursive: true, force: true });
    rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** An hour: a directory that is still under its first name belongs to a process that died in its first millisecond. */
const staleNewMs = 3_600_000;

/** Removes directories and rows of dead processes. Answers how many there were. Safe against live ones and other sweepers. */
export function sweepDeadLeases(db: Database, layout: StoreLayout, now: number): number {
  let swept = 0;
  for (const name of readdirSync(layout.work)) {
    const directory = join(layout.work, name);
    if (name.startsWith(".new-")) {
      if (now - Number.parseInt(name.slice(5), 36) > staleNewMs) rmSync(directory, { recursive: true, force: true });
      continue;
    }
    const fd = tryLock(join(directory, "lock"));
    if (fd === undefined && existsSync(join(directory, "lock"))) continue;
    try {
      db.transaction(() => forgetLease(db, name));
      removeLeaseDirectory(directory);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
    swept++;
  }
  for (const row of db.all("SELECT id FROM lease")) {
    const id = String(row["id"]);
    if (!existsSync(join(layout.work, id))) db.transaction(() => forgetLease(db, id));
  }
  return swept;
}
