/** What a step prints, cut into lines. Its colours stay; whatever else moves the cursor or speaks to the terminal goes. */

// eslint-disable-next-line no-control-regex -- terminal sequences are what is looked for
const sequences = /\u001b(?:\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\[[0-?]*[ -/]*[@-~]|[ -/]*[0-~])?/g;
// eslint-disable-next-line no-control-regex -- control characters other than tab and escape
const controls = /[\u0000-\u0008\u000a-\u001a\u001c-\u001f\u007f-\u009f]/g;

// eslint-disable-next-line no-control-regex -- colours
const colour = /^\u001b\[[0-9;:]*m$/;

/** One line as it may be shown: after a carriage return only what came last, colours, no other control characters. */
export function shownLine(line: string, colours = true): string {
  const visible =
    line
      .replace(/\r+$/, "")
      .split("\r")
      .findLast((part) => part !== "") ?? "";
  return visible.replace(sequences, (sequence) => (colours && colour.test(sequence) ? sequence : "")).replace(controls, "");
}

/** Joins chunks to lines, one splitter for each stream of a vertex. */
export class LineSplitter {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #rest = "";

  push(data: Uint8Array): readonly string[] {
    const parts = (this.#rest + this.#decoder.decode(data, { stream: true })).split("\n");
    this.#rest = parts.pop()!;
    return parts;
  }

  /** What came after the last newline. */
  end(): string | undefined {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    return rest === "" ? undefined : rest;
  }

  /** the unfinished line, as it is now */
  get rest(): string {
    return this.#rest;
  }
}
