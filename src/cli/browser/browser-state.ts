/** The layer browser as a value: what is shown, and what a key makes of it. Pure. */
import type { LayerChange, LayersReport } from "../../engine/api.ts";
import { fileRows, type FileRow } from "./file-rows.ts";

export type ChangeKind = LayerChange["kind"];

export interface BrowserState {
  readonly report: LayersReport;
  readonly columns: number;
  readonly rows: number;
  readonly pane: "layers" | "files";
  /** on the right: the files of the layer, or the wasted ones of the image */
  readonly view: "files" | "wasted";
  /** position in report.layers */
  readonly layer: number;
  /** the chosen row on the right */
  readonly row: number;
  readonly kinds: ReadonlySet<ChangeKind>;
  readonly bySize: boolean;
  readonly collapsed: ReadonlySet<string>;
  readonly filter: string;
  /** keys go to the filter */
  readonly typing: boolean;
}

export const allKinds: readonly ChangeKind[] = ["added", "changed", "removed"];

export function openBrowser(report: LayersReport, columns: number, rows: number): BrowserState {
  return {
    report,
    columns,
    rows,
    pane: "layers",
    view: "files",
    layer: Math.max(0, report.layers.length - 1),
    row: 0,
    kinds: new Set(allKinds),
    bySize: false,
    collapsed: new Set(),
    filter: "",
    typing: false,
  };
}

export function rowsOf(state: BrowserState): readonly FileRow[] {
  return fileRows(state.report.layers[state.layer]?.changes ?? [], state);
}

export function wastedOf({ report, filter }: BrowserState): LayersReport["wasted"] {
  return report.wasted.filter(({ path }) => path.toLowerCase().includes(filter.toLowerCase()));
}

/** Title, headings and the line of keys take the rest. */
export function pageRows({ rows }: BrowserState): number {
  return Math.max(1, rows - 4);
}

export function resize(state: BrowserState, columns: number, rows: number): BrowserState {
  return { ...state, columns, rows };
}

/** "quit" when the key leaves. */
export function pressKey(state: BrowserState, key: string): BrowserState | "quit" {
  if (key === "quit") return "quit";
  if (state.typing) return typeKey(state, key);
  switch (key) {
    case "q":
      return "quit";
    case "tab":
      return { ...state, pane: state.pane === "layers" ? "files" : "layers" };
    case "/":
      return { ...state, typing: true, pane: "files" };
    case "escape":
      return state.filter === "" ? { ...state, view: "files", pane: "layers", row: 0 } : { ...state, filter: "", row: 0 };
    case "w":
      return { ...state, view: state.view === "wasted" ? "files" : "wasted", pane: "files", row: 0 };
    case "s":
      return { ...state, bySize: !state.bySize, row: 0 };
    case "a":
    case "c":
    case "d":
      return toggleKind(state, key);
    default:
      return state.pane === "layers" ? layersKey(state, key) : filesKey(state, key);
  }
}

function typeKey(state: BrowserState, key: string): BrowserState {
  if (key === "enter") return { ...state, typing: false };
  if (key === "escape") return { ...state, typing: false, filter: "", row: 0 };
  if (key === "backspace") return { ...state, filter: [...state.filter].slice(0, -1).join(""), row: 0 };
  return [...key].length === 1 ? { ...state, filter: state.filter + key, row: 0 } : state;
}

const kindOfKey: Readonly<Record<string, ChangeKind>> = { a: "added", c: "changed", d: "removed" };

function toggleKind(state: BrowserState, key: string): BrowserState {
  const kinds = new Set(state.kinds);
  const kind = kindOfKey[key]!;
  if (!kinds.delete(kind)) kinds.add(kind);
  return { ...state, kinds, row: 0 };
}

/** Where a key of movement leads among `count` places. */
function moved(key: string, from: number, count: number, page: number): number | undefined {
  const to = {
    up: from - 1,
    k: from - 1,
    down: from + 1,
    j: from + 1,
    "page-up": from - page,
    "page-down": from + page,
    home: 0,
    g: 0,
    end: count - 1,
    G: count - 1,
  }[key];
  return to === undefined ? undefined : Math.max(0, Math.min(count - 1, to));
}

function layersKey(state: BrowserState, key: string): BrowserState {
  if (key === "right" || key === "enter" || key === "l") return { ...state, pane: "files" };
  const layer = moved(key, state.layer, state.report.layers.length, pageRows(state));
  return layer === undefined || layer === state.layer ? state : { ...state, layer, row: 0, view: "files", collapsed: new Set() };
}

function filesKey(state: BrowserState, key: string): BrowserState {
  if (state.view === "wasted") {
    if (key === "left" || key === "h") return { ...state, pane: "layers" };
    return { ...state, row: moved(key, state.row, wastedOf(state).length, pageRows(state)) ?? state.row };
  }
  const rows = rowsOf(state);
  const chosen = rows[state.row];
  const row = moved(key, state.row, rows.length, pageRows(state));
  if (row !== undefined) return { ...state, row };
  const isOpen = chosen?.hasChildren === true && !state.collapsed.has(chosen.path);
  if (key === "left" || key === "h") return isOpen ? fold(state, chosen) : leave(state, rows);
  if (chosen?.hasChildren !== true) return state;
  if (key === "enter" || key === " ") return fold(state, chosen);
  return (key === "right" || key === "l") && !isOpen ? fold(state, chosen) : state;
}

function fold(state: BrowserState, { path }: FileRow): BrowserState {
  const collapsed = new Set(state.collapsed);
  if (!collapsed.delete(path)) collapsed.add(path);
  return { ...state, collapsed };
}

/** To the directory that the row is in; from the top to the layers. */
function leave(state: BrowserState, rows: readonly FileRow[]): BrowserState {
  const depth = rows[state.row]?.depth ?? 0;
  const parent = rows.slice(0, state.row).findLastIndex((row) => row.depth < depth);
  return parent < 0 ? { ...state, pane: "layers" } : { ...state, row: parent };
}
