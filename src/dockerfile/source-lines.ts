/** The physical lines of a Dockerfile. */
import type { Position } from "./syntax-tree.ts";

export interface SourceLine {
  /** 1-based */
  readonly number: number;
  readonly offset: number;
  /** without the line end */
  readonly text: string;
  /** `\n`, `\r\n` or "" at the end of the file */
  readonly ending: string;
}

/** Docker reads with a buffer of 64 KiB that must hold a line and its newline. */
const maximumLineBytes = 65_536;

/** Hands out the lines one by one; stops before a line that is too long. */
export class LineReader {
  readonly #text: string;
  #offset = 0;
  #number = 0;
  #tooLong = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** the number of the line last read */
  get lineNumber(): number {
    return this.#number;
  }

  get position(): Position {
    return { offset: this.#offset, line: this.#number + 1, column: 1 };
  }

  /** reading stopped at a line of more than 65535 bytes */
  get stoppedAtLongLine(): boolean {
    return this.#tooLong;
  }

  next(): SourceLine | undefined {
    if (this.#offset >= this.#text.length) return undefined;
    const newline = this.#text.indexOf("\n", this.#offset);
    const end = newline < 0 ? this.#text.length : newline + 1;
    const whole = this.#text.slice(this.#offset, end);
    if (isTooLong(whole, newline >= 0)) {
      this.#tooLong = true;
      return undefined;
    }
    const offset = this.#offset;
    this.#offset = end;
    this.#number++;
    const text = trimLineEnd(whole);
    return { number: this.#number, offset, text, ending: whole.slice(text.length) };
  }
}

function isTooLong(line: string, terminated: boolean): boolean {
  const allowed = terminated ? maximumLineBytes : maximumLineBytes - 1;
  return line.length * 3 > allowed && Buffer.byteLength(line) > allowed;
}

function trimLineEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === "\n" || line[end - 1] === "\r")) end--;
  return line.slice(0, end);
}
