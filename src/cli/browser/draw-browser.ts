/** The layer browser's state as the lines of a screen. Pure. */
import { printable } from "../../base/printable.ts";
import { layerTitle, summaryLine } from "../commands/layers-text.ts";
import { ellipsis } from "../table.ts";
import { formatSize } from "../units.ts";
import { allKinds, pageRows, rowsOf, wastedOf, type BrowserState, type ChangeKind } from "./browser-state.ts";
import type { FileRow } from "./file-rows.ts";

const letters: Readonly<Record<ChangeKind, string>> = { added: "A", changed: "C", removed: "D" };
const colours: Readonly<Record<ChangeKind, number>> = { added: 32, changed: 33, removed: 31 };
const sizeWidth = 8;
/** below it one pane is shown at a time */
const narrowColumns = 70;

interface Cell {
  readonly text: string;
  readonly colour?: number;
  readonly chosen?: boolean;
}

export interface DrawOptions {
  readonly colours: boolean;
}

/** Exactly as many lines as the terminal has rows, each as wide as it. */
export function drawBrowser(state: BrowserState, options: DrawOptions): readonly string[] {
  const { columns, report, pane } = state;
  const both = columns >= narrowColumns;
  const left = both ? Math.floor(columns * 0.42) : pane === "layers" ? columns : 0;
  const right = both ? columns - left - 1 : columns - left;
  const layers = left > 0 ? layerCells(state, left) : [];
  const files = right > 0 ? fileCells(state, right) : [];
  const paint = (cell: Cell | undefined, width: number): string => painted(cell ?? { text: "" }, width, options);
  const lines = Array.from({ length: pageRows(state) + 1 }, (_, at) => {
    if (!both) return left > 0 ? paint(layers[at], left) : paint(files[at], right);
    return `${paint(layers[at], left)}│${paint(files[at], right)}`;
  });
  const title = printable(`${report.image}  ${report.platform}  ${summaryLine(report).trim()}`);
  return [painted({ text: title, chosen: false }, columns, options), ...lines, "".padEnd(columns), paint({ text: footer(state) }, columns)].slice(
    0,
    state.rows,
  );
}

function footer({ typing, filter, pane }: BrowserState): string {
  if (typing) return `/${filter}_   enter: keep  esc: drop`;
  const shown = filter === "" ? "" : `/${filter}  `;
  const own = pane === "layers" ? "↑↓ layer  → files" : "↑↓ file  ←→ fold";
  return `${shown}${own}  tab pane  a c d kinds  w wasted  s size  / filter  q quit`;
}

function layerCells(state: BrowserState, width: number): readonly Cell[] {
  const { report, layer, pane } = state;
  const cells = report.layers.map((each, at): Cell => {
    const waste = each.wastedBytes > 0 ? ` !${formatSize(each.wastedBytes, 3)}` : "";
    const head = `${String(each.index + 1).padStart(3)} ${formatSize(each.sizeBytes, 3).padStart(sizeWidth)} `;
    const title = layerTitle(each, Math.max(4, width - head.length - waste.length));
    return {
      text: `${(head + title).padEnd(width - waste.length)}${waste}`,
      chosen: at === layer && pane === "layers",
      ...(at === layer ? { colour: 1 } : {}),
    };
  });
  return [{ text: "  # SIZE     LAYER", colour: 2 }, ...pageOf(cells, layer, pageRows(state))];
}

function fileCells(state: BrowserState, width: number): readonly Cell[] {
  const { view, row, pane } = state;
  const page = pageRows(state);
  if (view === "wasted") {
    const cells = wastedOf(state).map(({ path, wastedBytes, copies }, at): Cell => {
      const last = copies.at(-1)!;
      const text = `${formatSize(wastedBytes, 3).padStart(sizeWidth)} ${printable(path)}  (${last.how} by layer ${last.hiddenBy + 1})`;
      return { text: ellipsis(text, width), chosen: at === row && pane === "files", colour: 31 };
    });
    return [{ text: `${"WASTED".padStart(sizeWidth)} FILE`, colour: 2 }, ...pageOf(cells, row, page)];
  }
  const cells = rowsOf(state).map((each, at): Cell => ({ ...fileCell(state, each, width), chosen: at === row && pane === "files" }));
  const hidden = allKinds.filter((kind) => !state.kinds.has(kind));
  const note = hidden.length === 0 ? "" : `  without ${hidden.join(", ")}`;
  return [{ text: `  ${"SIZE".padStart(sizeWidth)} FILE${note}`, colour: 2 }, ...pageOf(cells, row, page)];
}

function fileCell({ collapsed }: BrowserState, { name, path, depth, kind, sizeBytes, hasChildren }: FileRow, width: number): Cell {
  const mark = hasChildren ? (collapsed.has(path) ? "+ " : "- ") : "  ";
  const text = `${kind === undefined ? " " : letters[kind]} ${formatSize(sizeBytes, 3).padStart(sizeWidth)} ${"  ".repeat(depth)}${mark}${printable(name)}`;
  return { text: ellipsis(text, width), ...(kind === undefined ? {} : { colour: colours[kind] }) };
}

/** The page that the chosen one is on. */
function pageOf(cells: readonly Cell[], chosen: number, page: number): readonly Cell[] {
  const start = Math.floor(chosen / page) * page;
  return cells.slice(start, start + page);
}

function painted({ text, colour, chosen }: Cell, width: number, options: DrawOptions): string {
  const plain = ellipsis(text, width);
  const padded = plain + " ".repeat(Math.max(0, width - [...plain].length));
  if (chosen === true) return `\x1b[7m${padded}\x1b[0m`;
  return colour === undefined || !options.colours ? padded : `\x1b[${colour}m${padded}\x1b[0m`;
}
