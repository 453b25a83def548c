/**
 * Columns as Go's tabwriter aligns them with Docker's settings: at least ten wide, three blanks between, the last cell of a
 * line as it is. A column lasts over neighbouring lines that have it; lines without it end it.
 */
export interface ColumnWidths {
  readonly minWidth: number;
  readonly padding: number;
}

const dockerWidths: ColumnWidths = { minWidth: 10, padding: 3 };

function widthOf(text: string): number {
  return [...text].length;
}

interface Line {
  /** cells that a tab ends */
  readonly cells: readonly string[];
  readonly last: string;
}

function formatLines(lines: readonly Line[], column: number, widths: readonly number[], { minWidth, padding }: ColumnWidths, out: string[]): void {
  for (let start = 0; start < lines.length;) {
    const line = lines[start]!;
    if (line.cells.length <= column) {
      out.push(`${line.cells.map((cell, index) => cell.padEnd(widths[index]! + cell.length - widthOf(cell))).join("")}${line.last}`);
      start++;
      continue;
    }
    let end = start;
    let width = minWidth;
    while (end < lines.length && lines[end]!.cells.length > column) {
      width = Math.max(width, widthOf(lines[end]!.cells[column]!) + padding);
      end++;
    }
    formatLines(lines.slice(start, end), column + 1, [...widths, width], { minWidth, padding }, out);
    start = end;
  }
}

/** Aligns text whose cells end in tabs, line by line. */
export function alignColumns(text: string, widths: ColumnWidths = dockerWidths): string {
  if (text === "") return "";
  const rows = text.split("\n");
  const trailing = rows.at(-1) === "";
  const lines = (trailing ? rows.slice(0, -1) : rows).map((row) => {
    const cells = row.split("\t");
    return { cells: cells.slice(0, -1), last: cells.at(-1)! };
  });
  const out: string[] = [];
  formatLines(lines, 0, [], widths, out);
  return out.join("\n") + (trailing ? "\n" : "");
}

/** Cuts to `width` characters, the last of them an ellipsis. */
export function ellipsis(text: string, width: number): string {
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join("")}…`;
}
