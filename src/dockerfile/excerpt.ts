/** The lines around a fault, as BuildKit prints them below the log of a failed build. */
import type { LineRange } from "./instruction.ts";
import { printable } from "../base/printable.ts";

export interface ExcerptOptions {
  readonly fileName: string;
  /** marks the lines at fault in red */
  readonly color?: boolean | undefined;
  /** text at fault: where it first stands in the marked lines, carets point at it */
  readonly culprit?: string | undefined;
}

const rule = "--------------------";

/**
 * `Dockerfile:3`, a rule, the lines with `>>>` at the fault, a rule; "" when no line can be shown. Without final
 * newline. Up to four lines of context are added.
 */
export function formatExcerpt(text: string, lines: LineRange | readonly LineRange[], options: ExcerptOptions): string {
  const ranges = isRange(lines) ? [lines] : lines;
  const sourceLines = text.split("\n");
  const first = Math.min(...ranges.map(({ start }) => start));
  const last = Math.min(Math.max(...ranges.map(({ start, end }) => Math.max(start, end))), sourceLines.length);
  if (ranges.length === 0 || first < 1 || first > sourceLines.length) return "";
  const { start, end } = withContext(first, last, sourceLines.length);
  const isMarked = (number: number): boolean => ranges.some((range) => number >= range.start && number <= Math.max(range.start, range.end));
  let carets = false;
  const shown = sourceLines.slice(start - 1, end).flatMap((line, index) => {
    const number = start + index;
    const formatted = formatLine(number, line, isMarked(number), options);
    const pointer = carets || !isMarked(number) ? undefined : formatCarets(line, options.culprit);
    carets ||= pointer !== undefined;
    return pointer === undefined ? formatted : [formatted, pointer];
  });
  return [`${printable(options.fileName)}:${first}`, rule, ...shown, rule].join("\n");
}

function isRange(lines: LineRange | readonly LineRange[]): lines is LineRange {
  return "start" in lines;
}

/** Docker adds lines in rounds, one above and one below, each round counting one more, until it has enough. */
function withContext(first: number, last: number, lineCount: number): LineRange {
  let [start, end] = [first, last];
  const wanted = first === last ? 4 : 2;
  for (let added = 0; added < wanted; added++) {
    if (start > 1) {
      start--;
      added++;
    }
    if (end < lineCount) {
      end++;
      added++;
    }
  }
  return { start, end };
}

function formatLine(number: number, line: string, marked: boolean, { color }: ExcerptOptions): string {
  const text = ` ${String(number).padStart(3)} | ${marked ? ">>>" : "   "} ${printable(line)}`;
  return marked && color === true ? `\u001b[31m${text}\u001b[0m` : text;
}

/** `     |     RUNN` has `^^^^` below the word; undefined when the line does not hold it. */
function formatCarets(line: string, culprit: string | undefined): string | undefined {
  const [text, word] = [printable(line), printable(culprit ?? "")];
  const at = word === "" ? -1 : text.search(wholeWord(word));
  if (at < 0) return undefined;
  const indent = text.slice(0, at).replace(/[^\t]/gu, " ");
  return `     |     ${indent}${"^".repeat([...word].length)}`;
}

/** Not in the middle of a longer name. */
function wholeWord(word: string): RegExp {
  const name = "[\\p{L}\\p{Nd}_-]";
  const [before, behind] = [/^[\p{L}\p{Nd}_-]/u.test(word) ? `(?<!${name})` : "", /[\p{L}\p{Nd}_-]$/u.test(word) ? `(?!${name})` : ""];
  return new RegExp(`${before}${RegExp.escape(word)}${behind}`, "u");
}
