/** What is printed below the display when the build has ended: the output of failed steps, the warnings. */
import { printable } from "../../base/printable.ts";
import type { WarningEvent } from "../../base/progress.ts";
import { shownLine } from "./log-text.ts";
import { isCanceled } from "./model.ts";
import type { ProgressModel, VertexState } from "./model.ts";

const rule = "------\n";

function formatLog(vertex: VertexState, last: number | undefined): string {
  const lines = last === undefined ? vertex.log.lines : vertex.log.lines.slice(-last);
  const dropped = last === undefined && vertex.log.dropped > 0 ? `[the first ${vertex.log.dropped} lines are left out; --progress=plain prints all]\n` : "";
  const start = vertex.startedMs ?? 0;
  return dropped + lines.map((line) => `${((line.timestampMs - start) / 1000).toFixed(3)} ${shownLine(line.text)}\n`).join("");
}

/** The output of each step that failed, framed as BuildKit does. `last`: only so many lines, where all were printed before. */
export function formatFailedSteps(model: ProgressModel, last: number | undefined): string {
  const failed = model.vertices.filter((vertex) => vertex.error !== undefined && !isCanceled(vertex));
  return failed.map((vertex) => `${rule} > ${vertex.name}:\n${formatLog(vertex, last)}${rule}`).join("");
}

export interface WarningOptions {
  readonly color: boolean;
  /** also detail, link and place, as `--debug` shows */
  readonly expand: boolean;
}

function formatWarning(warning: WarningEvent, expand: boolean): string {
  const message = printable(warning.message);
  if (!expand) return ` - ${message}\n`;
  const details = [...warning.detail, warning.url === "" ? "" : `More info: ${warning.url}`].filter((text) => text !== "");
  const place = warning.file === undefined ? "" : `${printable(warning.file)}${warning.lines === undefined ? "" : `:${warning.lines.start}`}\n`;
  const shown = warning.excerpt === undefined ? place : `${printable(warning.excerpt).trimEnd()}\n`;
  return ` - ${message}\n${details.map((text) => `${printable(text)}\n`).join("")}${shown}\n`;
}

/** ` 1 warning found (use slipway --debug to expand):` and a line each; then what our own rules suggest, counted apart. */
export function formatWarnings(warnings: readonly WarningEvent[], options: WarningOptions): string {
  const own = warnings.filter(({ isOwn }) => isOwn === true);
  const others = warnings.filter(({ isOwn }) => isOwn !== true);
  return formatGroup("warning", others, options) + formatGroup("suggestion", own, options);
}

function formatGroup(word: string, warnings: readonly WarningEvent[], options: WarningOptions): string {
  if (warnings.length === 0) return "";
  const hint = options.expand ? "" : " (use slipway --debug to expand)";
  const title = `${warnings.length} ${word}${warnings.length === 1 ? "" : "s"} found${hint}:\n`;
  const shown = options.color ? `\u001b[33m${title}\u001b[0m` : title;
  return `\n ${shown}${warnings.map((warning) => formatWarning(warning, options.expand)).join("")}`;
}
