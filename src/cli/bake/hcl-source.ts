/** A definition file's text, and failures that name a place in it as HCL does: `file:line,column-column: summary; detail`. */
import { cliError } from "../failure.ts";

export interface HclSource {
  readonly file: string;
  readonly text: string;
}

export interface HclPlace {
  readonly source: HclSource;
  readonly start: number;
  readonly end: number;
}

function lineAndColumn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split("\n").length, column: offset - before.lastIndexOf("\n") };
}

/** Code BAKE_DEFINITION (invalid_argument); the lines are shown above the message. */
export function hclFailure({ source, start, end }: HclPlace, summary: string, detail: string): Error {
  const [from, to] = [lineAndColumn(source.text, start), lineAndColumn(source.text, end)];
  const range = from.line === to.line ? `${from.line},${from.column}-${to.column}` : `${from.line},${from.column}-${to.line},${to.column}`;
  return cliError(`${source.file}:${range}: ${summary}; ${detail}`, "BAKE_DEFINITION", { excerpt: excerptOf(source, from.line, to.line), plain: true });
}

/** BuildKit's way to show the lines of a file. */
function excerptOf({ file, text }: HclSource, first: number, last: number): string {
  const lines = text.split("\n");
  const shown = lines.flatMap((line, at) => {
    const number = at + 1;
    if (number < first - 2 || number > last + 2 || (at === lines.length - 1 && line === "" && number > last)) return [];
    return [` ${String(number).padStart(3)} | ${number >= first && number <= last ? ">>>" : "   "} ${line}\n`];
  });
  return `${file}:${first}\n--------------------\n${shown.join("")}--------------------\n`;
}
