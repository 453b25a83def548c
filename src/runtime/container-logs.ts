/** Reads what a container printed, from the monitor's log. */
import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { requireContainer } from "./container-errors.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { holdAsReader } from "./container-lock.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { watchFile } from "./file-watch.ts";
import { endsLine, LineSplitter, parseLogLine, type LogEntry } from "./log-format.ts";

export interface ReadLogsOptions {
  /** stay until the container ends */
  readonly follow?: boolean;
  /** only this many lines at the end, before following */
  readonly tail?: number;
  /** RFC 3339; entries at or after it */
  readonly since?: string;
  /** RFC 3339; entries at or before it */
  readonly until?: string;
  readonly signal?: AbortSignal;
}

const chunkBytes = 65_536;

/** Ends at the log's end, or with `follow` when the container has ended and everything was given. CONTAINER_NOT_FOUND at the first step. */
export async function* readLogs(host: ContainerHost, nameOrId: string, options: ReadLogsOptions = {}): AsyncGenerator<LogEntry, void> {
  const record = requireContainer(host.records, nameOrId);
  if (record.config.logging?.driver === "none")
    throw new SlipwayError("failed_precondition", "LOGS_UNREADABLE", "configured logging driver does not support reading", { id: record.id });
  const path = containerFiles(host, record).log;
  using _ = options.follow === true ? holdAsReader(record.paths.directory) : undefined;
  const from = options.tail === undefined ? 0 : offsetOfTail(path, options.tail);
  const wanted = createFilter(options);
  const isRunning = options.follow === true ? isRunningCheck(host, record.id) : undefined;
  for await (const entries of readEntries(path, { from, isRunning, signal: options.signal })) {
    for (const entry of entries) if (wanted(entry)) yield entry;
  }
}

/** For followers: whether more may come. */
export function isRunningCheck(host: ContainerHost, id: string): () => boolean {
  return () => {
    const current = host.records.get(id);
    return current !== undefined && isUp(containerState(host, current));
  };
}

export interface FollowOptions {
  /** byte of the log to start at */
  readonly from: number;
  /** stay as long as it says so; absent: stop at the log's present end */
  readonly isRunning: (() => boolean) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** As many entries at a time as were read together: a step of a generator for each would cost more than reading it. */
export async function* readEntries(path: string, { from, isRunning, signal }: FollowOptions): AsyncGenerator<readonly LogEntry[], void> {
  const splitter = new LineSplitter();
  const watch = isRunning === undefined ? undefined : watchFile(path, signal);
  using file = new GrowingFile(path, from);
  try {
    while (signal?.aborted !== true) {
      // asked before reading: what was written up to the end is then surely read below
      const running = isRunning !== undefined && isRunning();
      for (const chunk of file.read()) {
        yield splitter.push(chunk).flatMap((line) => parseLogLine(line) ?? []);
      }
      if (!running) return;
      await watch?.changed();
    }
  } finally {
    watch?.close();
  }
}

/** Read on where the last reading ended; also when another file, a log begun anew, has come in its place: what was left in the former comes first. */
class GrowingFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;
  #offset: number;

  constructor(path: string, from: number) {
    this.#path = path;
    this.#offset = from;
    this.#fd = openLog(path);
  }

  *read(): Generator<Buffer, void> {
    this.#fd ??= openLog(this.#path);
    yield* this.#rest();
    while (this.#turn()) yield* this.#rest();
  }

  *#rest(): Generator<Buffer, void> {
    if (this.#fd === undefined) return;
    for (;;) {
      const chunk = Buffer.allocUnsafe(chunkBytes);
      const length = readSync(this.#fd, chunk, 0, chunkBytes, this.#offset);
      if (length === 0) return;
      this.#offset += length;
      yield chunk.subarray(0, length);
    }
  }

  /** true: there is more to read, in the same file or the next. */
  #turn(): boolean {
    if (this.#fd === undefined) return false;
    const open = fstatSync(this.#fd);
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (there === undefined || there.ino === open.ino) return false;
    // its last lines may have come after the reading and before the change
    if (open.size > this.#offset) return true;
    closeSync(this.#fd);
    this.#fd = openLog(this.#path);
    this.#offset = 0;
    return true;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}

function openLog(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Where the last lines begin. Reads the end of the file in growing pieces until it holds enough lines. */
export function offsetOfTail(path: string, lines: number): number {
  const fd = openLog(path);
  if (fd === undefined) return 0;
  try {
    const { size } = fstatSync(fd);
    if (lines === 0) return size;
    for (let length = Math.min(size, chunkBytes); ; length = Math.min(size, length * 4)) {
      const bytes = Buffer.alloc(length);
      readSync(fd, bytes, 0, length, size - length);
      const start = startOfLastLines(bytes, lines, length === size);
      if (start !== undefined) return size - length + start;
    }
  } finally {
    closeSync(fd);
  }
}

/**
 * Offset in `bytes` where the last `wanted` lines of output begin; undefined when more must be read. A part belongs to the line that its
 * stream goes on with; a last part that was never ended is a line of its own.
 */
function startOfLastLines(bytes: Buffer, wanted: number, isWhole: boolean): number | undefined {
  let remaining = wanted;
  let position = bytes.length;
  const begun = new Set<number>();
  while (position > 0) {
    const lineStart = bytes.lastIndexOf(0x0a, position - 2) + 1;
    if (lineStart === 0 && !isWhole) return undefined;
    const entry = parseLogLine(bytes.subarray(lineStart, position));
    if (entry !== undefined && (endsLine(entry) || !begun.has(entry.stream))) {
      if (remaining-- === 0) return position;
      begun.add(entry.stream);
    }
    position = lineStart;
  }
  return isWhole ? 0 : undefined;
}

function createFilter(options: ReadLogsOptions): (entry: LogEntry) => boolean {
  const [since, until] = [options.since, options.until];
  return ({ timestamp }) =>
    (since === undefined || compareTimestamps(timestamp, since) >= 0) && (until === undefined || compareTimestamps(timestamp, until) <= 0);
}

/** Both in UTC; the fractions may have different lengths. */
function compareTimestamps(left: string, right: string): number {
  const key = (text: string): string => text.replace(/Z$/, "").padEnd(20, ".").padEnd(29, "0");
  return key(left) < key(right) ? -1 : key(left) > key(right) ? 1 : 0;
}
