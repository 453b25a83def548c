/**
 * Steps of builds that did not end well: what each had written, and what keeps the layers below it from collection. A step is noted
 * before it begins, so that one whose process is killed is found as well; one that succeeds is forgotten. The record is the solver's JSON.
 */
import { closeSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import { integer, text, type Database, type Row } from "./database.ts";
import { storeError, type StoreLayout } from "./layout.ts";
import type { Lease } from "./lease.ts";
import { flock } from "./syscalls.ts";

export interface KeptStep<StepRecord> {
  /** 64 hexadecimal digits */
  readonly id: string;
  /** what the step wrote lies below it, apart from layers */
  readonly directory: string;
  readonly createdMs: number;
  /** ending: its process is gone, and what it left is being put in order */
  readonly life: "running" | "ending" | "ended";
  readonly record: StepRecord;
}

export class KeptSteps<StepRecord> {
  readonly #db: Database;
  readonly #layout: StoreLayout;
  readonly #lease: () => Lease;

  constructor(db: Database, layout: StoreLayout, lease: () => Lease) {
    this.#db = db;
    this.#layout = layout;
    this.#lease = lease;
  }

  /** Notes a step of this process that begins, or with a given id one that comes from elsewhere. Its directory is empty. */
  begin(record: StepRecord, layers: readonly Digest[], id: string = randomBytes(32).toString("hex")): KeptStep<StepRecord> {
    const directory = this.#directory(id);
    const createdMs = Date.now();
    // the row first: a collection that comes in between would take a directory without one for garbage
    this.#db.transaction(() => {
      this.#db.run("INSERT INTO kept_step (id, lease, created_ms, record) VALUES (?, ?, ?, ?)", id, this.#lease().id, createdMs, JSON.stringify(record));
      for (const diffId of layers) this.#db.run("INSERT OR IGNORE INTO kept_step_layer (step, diff_id) VALUES (?, ?)", id, diffId);
    });
    try {
      mkdirSync(directory, { mode: 0o711 });
    } catch (error) {
      this.#forget(id);
      throw storeError(error, this.#layout.root);
    }
    return { id, directory, createdMs, life: "running", record };
  }

  /** The step has ended and stays. */
  keep(id: string, record: StepRecord): void {
    this.#db.run("UPDATE kept_step SET lease = '', record = ? WHERE id = ?", JSON.stringify(record), id);
  }

  /** Another record, and the layers that it names. */
  note(id: string, record: StepRecord, layers: readonly Digest[]): void {
    this.#db.transaction(() => {
      this.#db.run("UPDATE kept_step SET record = ? WHERE id = ?", JSON.stringify(record), id);
      this.#db.run("DELETE FROM kept_step_layer WHERE step = ?", id);
      for (const diffId of layers) this.#db.run("INSERT OR IGNORE INTO kept_step_layer (step, diff_id) VALUES (?, ?)", id, diffId);
    });
  }

  /** The newest first. */
  all(): readonly KeptStep<StepRecord>[] {
    return this.#db.all("SELECT * FROM kept_step ORDER BY created_ms DESC, id").map((row) => this.#stepOf(row));
  }

  /** By the id's beginning. AMBIGUOUS_ID (invalid_argument) when it fits several. */
  get(prefix: string): KeptStep<StepRecord> | undefined {
    if (!/^[0-9a-f]{1,64}$/.test(prefix)) return undefined;
    const rows = this.#db.all("SELECT * FROM kept_step WHERE id >= ? AND id < ? LIMIT 2", prefix, `${prefix}g`);
    if (rows.length > 1) throw new SlipwayError("invalid_argument", "AMBIGUOUS_ID", `multiple IDs found with provided prefix: ${prefix}`, { prefix });
    return rows[0] === undefined ? undefined : this.#stepOf(rows[0]);
  }

  chain(id: string): readonly Digest[] {
    return this.#db.all("SELECT diff_id FROM kept_step_layer WHERE step = ?", id).map((row) => text(row, "diff_id") as Digest);
  }

  /** Nobody removes the step until this process's lease ends. */
  hold(id: string): void {
    this.#lease().hold("step", id);
  }

  /** Neither running nor held by another living process. */
  isFree(id: string): boolean {
    const row = this.#db.get("SELECT lease FROM kept_step WHERE id = ?", id);
    if (row === undefined || this.#isAlive(text(row, "lease"))) return false;
    const own = this.#lease().id;
    const holders = this.#db.all("SELECT lease FROM lease_item WHERE kind = 'step' AND id = ?", id).map((holder) => text(holder, "lease"));
    return holders.every((lease) => lease === own || !this.#isAlive(lease));
  }

  /** Forgets the step and deletes what it had written. Whoever still has its files open can go on reading them. */
  remove(id: string): void {
    const trash = this.#lease().temporaryPath("trash");
    this.#db.transaction(() => {
      this.#forget(id);
      try {
        renameSync(this.#directory(id), trash);
      } catch (error) {
        if (errnoOf(error) !== "ENOENT") throw error;
      }
    });
    rmSync(trash, { recursive: true, force: true });
  }

  /** Keeps the newest `count` of those that have ended. Answers how many went; their layers go with the next collection. */
  trim(count: number): number {
    const ended = this.all().filter(({ id }) => this.isFree(id));
    const gone = ended.slice(Math.max(0, count));
    for (const { id } of gone) this.remove(id);
    return gone.length;
  }

  #forget(id: string): void {
    this.#db.transaction(() => {
      this.#db.run("DELETE FROM kept_step_layer WHERE step = ?", id);
      this.#db.run("DELETE FROM kept_step WHERE id = ?", id);
    });
  }

  #directory(id: string): string {
    return join(this.#layout.steps, id);
  }

  #stepOf(row: Row): KeptStep<StepRecord> {
    const id = text(row, "id");
    const record = JSON.parse(text(row, "record")) as StepRecord;
    return { id, directory: this.#directory(id), createdMs: integer(row, "created_ms"), life: this.#lifeOf(text(row, "lease")), record };
  }

  #lifeOf(lease: string): KeptStep<StepRecord>["life"] {
    if (!this.#isAlive(lease)) return "ended";
    const row = this.#db.get("SELECT pid FROM lease WHERE id = ?", lease);
    return row !== undefined && isProcess(integer(row, "pid")) ? "running" : "ending";
  }

  /** A lease lives while its lock is held. "" is that of a step that has ended. */
  #isAlive(lease: string): boolean {
    if (lease === "") return false;
    let fd: number;
    try {
      fd = openSync(join(this.#layout.work, lease, "lock"), "r");
    } catch {
      return false;
    }
    try {
      flock(fd, "shared", { nonBlocking: true });
      return false;
    } catch {
      return true;
    } finally {
      closeSync(fd);
    }
  }
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) === "EPERM";
  }
}
