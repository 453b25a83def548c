/**
 * One picture of a running build: `[+] Building 0.6s (7/7) FINISHED`, a line for each step, its counters below it, the last
 * lines that running steps wrote. Pure: the same model, size and time give the same lines.
 */
import stringWidth from "string-width";
import { printable } from "../../base/printable.ts";
import { shownLine } from "./log-text.ts";
import { formatSeconds, isCanceled, statusDuration, statusText } from "./model.ts";
import type { ProgressModel, VertexState } from "./model.ts";

export interface FrameOptions {
  readonly columns: number;
  readonly rows: number;
  readonly nowMs: number;
  readonly startedMs: number;
  readonly finished: boolean;
  readonly color: boolean;
  /** right end of the first line */
  readonly label: string;
}

/** lines of output shown below a running step */
const tailLines = 6;

const blue = 34;
const red = 31;
const yellow = 33;
const faint = 2;

interface Painter {
  /** `left` cut and padded, `right` at the line's end */
  line(left: string, right: string, color?: number): string;
}

function cutToWidth(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let cut = "";
  let used = 0;
  for (const character of text) {
    const wide = stringWidth(character);
    if (used + wide > width) break;
    cut += character;
    used += wide;
  }
  return cut;
}

function padToWidth(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - stringWidth(text)));
}

function createPainter(options: FrameOptions): Painter {
  // the last column stays empty: some terminals wrap when it is written
  const width = Math.max(20, options.columns - 1);
  return {
    line: (left, right, color) => {
      const room = Math.max(1, width - right.length - (right === "" ? 0 : 2));
      const text = right === "" ? cutToWidth(left, width) : `${padToWidth(cutToWidth(left, room), room)}  ${right}`;
      return options.color && color !== undefined ? `\u001b[${color}m${text}\u001b[0m` : text;
    },
  };
}

interface Block {
  readonly step: string;
  readonly counters: readonly string[];
  readonly warnings: readonly string[];
  readonly tail: readonly string[];
  readonly done: boolean;
}

function stepName(vertex: VertexState): string {
  if (vertex.error !== undefined) return `${isCanceled(vertex) ? "CANCELED" : "ERROR"} ${vertex.name}`;
  return vertex.cached ? `CACHED ${vertex.name}` : vertex.name;
}

function stepColor(vertex: VertexState): number | undefined {
  if (vertex.completedMs === undefined) return undefined;
  if (vertex.error === undefined) return blue;
  return isCanceled(vertex) ? yellow : red;
}

function blockOf(vertex: VertexState, painter: Painter, options: FrameOptions): Block {
  const done = vertex.completedMs !== undefined;
  const elapsed = (vertex.completedMs ?? options.nowMs) - (vertex.startedMs ?? vertex.completedMs ?? options.nowMs);
  const counters = [...vertex.statuses.values()].map((status) =>
    painter.line(` => => ${statusText(status)}`, formatSeconds(statusDuration(status, options.nowMs)), status.completedMs === undefined ? undefined : blue),
  );
  const reason = vertex.reason !== undefined && !vertex.cached ? [painter.line(` => => not cached: ${vertex.reason}`, "", faint)] : [];
  const warnings = vertex.warnings.map((warning) => painter.line(` => WARN: ${printable(warning.message)}`, "0.0s"));
  const tail = done ? [] : vertex.log.tail(tailLines).map((line) => painter.line(` => => # ${shownLine(line, false).replaceAll("\t", "    ")}`, "", faint));
  return { step: painter.line(` => ${stepName(vertex)}`, formatSeconds(elapsed), stepColor(vertex)), counters: [...reason, ...counters], warnings, tail, done };
}

function linesOf(block: Block): readonly string[] {
  return [block.step, ...block.counters, ...block.warnings, ...block.tail];
}

/** Leaves out what matters least until the picture fits: finished steps from the top, counters, output. */
function fit(blocks: readonly Block[], rows: number): readonly string[] {
  let kept = blocks;
  const count = (): number => kept.reduce((sum, block) => sum + linesOf(block).length, 0);
  while (count() > rows) {
    const done = kept.findIndex((block) => block.done);
    if (done < 0) break;
    kept = kept.toSpliced(done, 1);
  }
  if (count() > rows) kept = kept.map((block) => ({ ...block, counters: block.counters.slice(-2) }));
  for (let tail = tailLines - 1; count() > rows && tail >= 0; tail--)
    kept = kept.map((block) => ({ ...block, tail: tail === 0 ? [] : block.tail.slice(-tail) }));
  if (count() > rows) kept = kept.map((block) => ({ ...block, counters: [], warnings: [] }));
  return kept.flatMap(linesOf).slice(0, Math.max(1, rows));
}

function hasStarted(vertex: VertexState): boolean {
  return vertex.startedMs !== undefined || vertex.completedMs !== undefined;
}

/** The lines from top to bottom, without line ends. A finished picture is complete, whatever its height. */
export function renderFrame(model: ProgressModel, options: FrameOptions): readonly string[] {
  const painter = createPainter(options);
  const vertices = model.vertices;
  const completed = vertices.filter((vertex) => vertex.completedMs !== undefined).length;
  const head = `[+] Building ${formatSeconds(options.nowMs - options.startedMs)} (${completed}/${vertices.length})${options.finished ? " FINISHED" : ""}`;
  const begin = (vertex: VertexState): number => vertex.startedMs ?? vertex.completedMs ?? 0;
  const shown = vertices.filter(hasStarted).sort((a, b) => begin(a) - begin(b));
  const blocks = shown.map((vertex) => blockOf(vertex, painter, options));
  const body = options.finished ? blocks.flatMap(linesOf) : fit(blocks, options.rows - 2);
  return [painter.line(head, options.label), ...body];
}
