/**
 * The monitor's log: one line for each chunk a container wrote, "TIME stdout|stderr F|P CONTENT". F ends a line of output, P is a part
 * without its newline. So every byte can be told again, with its stream and time. Pure.
 */

/** What the container printed, as it was written: `stream` is 1 for everything with a terminal. */
export interface LogEntry {
  /** RFC 3339 with nanoseconds, UTC */
  readonly timestamp: string;
  readonly stream: 1 | 2;
  readonly data: Uint8Array;
}

const newline = 0x0a;
const space = 0x20;

/** `line` is without its newline. Undefined for what is no log line (a torn write). */
export function parseLogLine(line: Uint8Array): LogEntry | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  const third = line.indexOf(space, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const text = (from: number, to: number): string => Buffer.from(line.subarray(from, to)).toString("latin1");
  const stream = text(first + 1, second);
  const tag = text(second + 1, third);
  if ((stream !== "stdout" && stream !== "stderr") || (tag !== "F" && tag !== "P")) return undefined;
  const content = line.subarray(third + 1);
  return {
    timestamp: utcTimestamp(text(0, first)),
    stream: stream === "stdout" ? 1 : 2,
    data: tag === "F" ? Buffer.concat([content, Buffer.from([newline])]) : content,
  };
}

export function endsLine(entry: LogEntry): boolean {
  return entry.data.at(-1) === newline;
}

/** The same instant in UTC with its nanoseconds, which Date would lose. */
export function utcTimestamp(text: string): string {
  const match = /^(.{19})(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const [, seconds, fraction = "", zone] = match ?? [];
  if (seconds === undefined || zone === undefined) return text;
  const date = new Date(`${seconds}${zone}`);
  return Number.isNaN(date.getTime()) ? text : `${date.toISOString().slice(0, 19)}${fraction}Z`;
}

/** Cuts a stream of chunks into lines, keeping the unfinished rest for the next call. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Uint8Array): Buffer[] {
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return lines;
  }
}
