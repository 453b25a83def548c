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

/** `line`: with its newline or without; what is answered may share its memory. Undefined for what is no log line (a torn write). */
export function parseLogLine(line: Buffer): LogEntry | undefined {
  const first = line.indexOf(space);
  const second = line.indexOf(space, first + 1);
  const third = line.indexOf(space, second + 1);
  if (first < 0 || second < 0 || third < 0) return undefined;
  const head = line.toString("latin1", 0, third);
  const [stream, tag] = [head.slice(first + 1, second), head.slice(second + 1)];
  if ((stream !== "stdout" && stream !== "stderr") || (tag !== "F" && tag !== "P")) return undefined;
  const ended = line[line.length - 1] === newline;
  const content = line.subarray(third + 1, ended && tag === "P" ? line.length - 1 : line.length);
  return {
    timestamp: utcTimestamp(head.slice(0, first)),
    stream: stream === "stdout" ? 1 : 2,
    data: tag === "F" && !ended ? Buffer.concat([content, Buffer.from([newline])]) : content,
  };
}

export function endsLine(entry: LogEntry): boolean {
  return entry.data.at(-1) === newline;
}

/** The same instant in UTC with its nanoseconds, which Date would lose. */
export function utcTimestamp(text: string): string {
  // what the monitor writes, a million times: it runs with TZ=UTC
  if (text.endsWith("+00:00") && text.length > 24) return `${text.slice(0, -6)}Z`;
  const match = /^(.{19})(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  const [, seconds, fraction = "", zone] = match ?? [];
  if (seconds === undefined || zone === undefined) return text;
  const date = new Date(`${seconds}${zone}`);
  return Number.isNaN(date.getTime()) ? text : `${date.toISOString().slice(0, 19)}${fraction}Z`;
}

/** Cuts a stream of chunks into lines with their newlines, keeping the unfinished rest for the next call. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Uint8Array): Buffer[] {
    const bytes = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      lines.push(bytes.subarray(start, end + 1));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return lines;
  }
}
