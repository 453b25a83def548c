/**
 * What happened, for `events`: lines at the end of a file, written by whoever did it. A line is one write, so processes never mix theirs, and one
 * that is cut off is no event. Two files bound what is kept: a full one becomes the former one, in whose place it comes.
 */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from "node:fs";
import { errnoOf } from "../base/errors.ts";
import { flock } from "./syscalls.ts";

export interface StoreEvent {
  /** "container", "image", "network", "volume", "builder" */
  readonly type: string;
  readonly action: string;
  /** "" where it is about no thing in particular */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface JournalFiles {
  /** of both, for who watches */
  readonly directory: string;
  readonly current: string;
  readonly former: string;
}

/** Some thousand events. */
const fullBytes = 1 << 20;

export class EventJournal {
  readonly files: JournalFiles;
  readonly #fullBytes: number;

  constructor(directory: string, bytes: number = fullBytes) {
    this.files = { directory, current: `${directory}/journal`, former: `${directory}/journal.1` };
    this.#fullBytes = bytes;
  }

  /** Never fails: what was done stays done, whether it could be told or not. Costs a tenth of a millisecond. */
  append(events: readonly StoreEvent[]): void {
    if (events.length === 0) return;
    try {
      this.#write(events.map((event) => formatEvent(event, nextNanoseconds())).join(""));
    } catch {
      // a full or read-only disk
    }
  }

  #write(lines: string): void {
    const fd = this.#open();
    try {
      writeSync(fd, lines);
      if (fstatSync(fd).size >= this.#fullBytes) this.#turn(fd);
    } finally {
      closeSync(fd);
    }
  }

  #open(): number {
    try {
      return openSync(this.files.current, "a", 0o600);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
      mkdirSync(this.files.directory, { recursive: true, mode: 0o711 });
      return openSync(this.files.current, "a", 0o600);
    }
  }

  /** Once for each file, whoever finds it full. */
  #turn(fd: number): void {
    flock(fd, "exclusive", { nonBlocking: true });
    if (statSync(this.files.current).ino === fstatSync(fd).ino) renameSync(this.files.current, this.files.former);
  }
}

/** A line of its own also behind one that was cut off. Readers pass over what is no event. */
export function formatEvent(event: StoreEvent, timeNano: string): string {
  return `\n${timeNano} ${JSON.stringify(event)}\n`;
}

let last = 0n;

/** Since 1970, later than any before in this process: the order of what one process did is that of its times. */
function nextNanoseconds(): string {
  const precise = performance.timeOrigin + performance.now();
  // the clock may have been set since this process began
  const ms = Math.abs(precise - Date.now()) > 100 ? Date.now() : precise;
  const now = BigInt(Math.round(ms * 1000)) * 1000n;
  last = now > last ? now : last + 1n;
  return String(last);
}
