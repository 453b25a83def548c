/** Reads the journal: what is kept of the past, then what is written, as soon as it is. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { SlipwayError } from "../../base/errors.ts";
import { watchFile } from "../../runtime/file-watch.ts";
import type { JournalFiles } from "../../store/index.ts";
import type { EventMessage, EventOptions } from "../events-api.ts";
import { matchesEvent } from "./event-filter.ts";

/** INVALID_TIME (invalid_argument) in Docker's words where the end comes before the beginning. An abort ends it. */
export async function* followEvents(files: JournalFiles, options: EventOptions, nowMs: number): AsyncGenerator<EventMessage> {
  const { sinceMs, untilMs, filters = {}, signal } = options;
  if (sinceMs !== undefined && untilMs !== undefined && sinceMs > untilMs) throw wrongOrder(sinceMs, untilMs);
  const [since, until] = [nanoseconds(sinceMs ?? nowMs), untilMs === undefined ? undefined : nanoseconds(untilMs)];
  const wanted = (event: EventMessage): boolean => event.timeNano >= since && (until === undefined || event.timeNano <= until) && matchesEvent(event, filters);
  using reader = new JournalReader(files, sinceMs === undefined);
  const end = new AbortController();
  const timer = untilMs === undefined ? undefined : endAt(untilMs, end);
  const watch = watchFile(files.current, signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]));
  try {
    for (;;) {
      // what was written before the end is told, too
      const isOver = untilMs !== undefined && Date.now() >= untilMs;
      for (const event of reader.read()) if (wanted(event)) yield event;
      if (isOver || signal?.aborted === true) return;
      await watch.changed();
    }
  } finally {
    clearTimeout(timer);
    watch.close();
  }
}

/** Timers know no longer time. */
const longestTimerMs = 2 ** 31 - 1;

function endAt(untilMs: number, end: AbortController): NodeJS.Timeout {
  return setTimeout(() => end.abort(), Math.min(longestTimerMs, Math.max(0, untilMs - Date.now())));
}

function wrongOrder(sinceMs: number, untilMs: number): SlipwayError {
  const [since, until] = [Math.floor(sinceMs / 1000), Math.floor(untilMs / 1000)];
  return new SlipwayError("invalid_argument", "INVALID_TIME", `\`since\` time (${since}) cannot be after \`until\` time (${until})`, { since, until });
}

function nanoseconds(ms: number): bigint {
  return BigInt(Math.round(ms * 1000)) * 1000n;
}

interface Open {
  readonly fd: number;
  readonly inode: number;
  offset: number;
  /** the beginning of a line whose end has not been written */
  rest: string;
}

/** A full file that was turned into the former one is read on for a while: its writers may have been about to write. */
class JournalReader implements Disposable {
  readonly #files: JournalFiles;
  #open: readonly Open[];

  /** `atEnd`: what is written already is passed over */
  constructor(files: JournalFiles, atEnd: boolean) {
    this.#files = files;
    this.#open = [files.former, files.current].flatMap((path) => openFile(path) ?? []);
    if (atEnd) for (const each of this.#open) each.offset = fstatSync(each.fd).size;
  }

  *read(): Generator<EventMessage> {
    this.#turn();
    for (const each of this.#open) yield* readOn(each);
  }

  #turn(): void {
    const inode = statSync(this.#files.current, { throwIfNoEntry: false })?.ino;
    if (inode === undefined || this.#open.some((each) => each.inode === inode)) return;
    const fresh = openFile(this.#files.current);
    if (fresh === undefined) return;
    for (const each of this.#open.slice(0, -1)) closeSync(each.fd);
    this.#open = [...this.#open.slice(-1), fresh];
  }

  [Symbol.dispose](): void {
    for (const each of this.#open) closeSync(each.fd);
  }
}

function openFile(path: string): Open | undefined {
  try {
    const fd = openSync(path, "r");
    return { fd, inode: fstatSync(fd).ino, offset: 0, rest: "" };
  } catch {
    return undefined;
  }
}

const chunkBytes = 65_536;

function* readOn(file: Open): Generator<EventMessage> {
  const buffer = Buffer.alloc(chunkBytes);
  const decoder = new TextDecoder();
  for (;;) {
    const count = readSync(file.fd, buffer, 0, chunkBytes, file.offset);
    if (count === 0) return;
    file.offset += count;
    const lines = (file.rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
    file.rest = lines.pop() ?? "";
    for (const line of lines) {
      const event = parseEvent(line);
      if (event !== undefined) yield event;
    }
  }
}

/** Undefined for what is none. Pure. */
export function parseEvent(line: string): EventMessage | undefined {
  const [, time, json] = /^(\d{1,19}) (\{.*\})$/.exec(line) ?? [];
  if (time === undefined || json === undefined) return undefined;
  try {
    const { type, action, id, attributes } = JSON.parse(json) as Partial<Record<keyof EventMessage, unknown>>;
    if (typeof type !== "string" || typeof action !== "string" || typeof id !== "string" || !isTexts(attributes)) return undefined;
    return { type, action, id, attributes, timeNano: BigInt(time) };
  } catch {
    return undefined;
  }
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && Object.values(value).every((each) => typeof each === "string");
}
