/** Progress as BuildKit's SolveStatus, a JSON object a line: what tools that read `--progress=rawjson` expect. */
import type { ProgressEvent, StatusEvent, VertexEvent, WarningEvent } from "../../base/progress.ts";
import { digestOf, isDigest } from "../../oci/digest.ts";
import type { Cli } from "../cli.ts";
import { formatJsonLine } from "../json.ts";
import type { Renderer } from "./renderer.ts";

function timeOf(ms: number): string {
  const nanoseconds = String(Math.round((ms % 1000) * 1e6)).padStart(9, "0");
  return `${new Date(ms).toISOString().slice(0, 19)}.${nanoseconds.replace(/0+$/, "") || "0"}Z`;
}

/** BuildKit names vertices by digest; an id that is another word becomes the digest of that word. */
function vertexDigest(id: string): string {
  return isDigest(id) ? id : digestOf(id);
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

function times(event: { readonly startedMs?: number; readonly completedMs?: number }): Record<string, string> {
  return {
    ...(event.startedMs === undefined ? {} : { started: timeOf(event.startedMs) }),
    ...(event.completedMs === undefined ? {} : { completed: timeOf(event.completedMs) }),
  };
}

function vertexOf(event: VertexEvent): unknown {
  return {
    digest: vertexDigest(event.id),
    ...(event.inputs.length === 0 ? {} : { inputs: event.inputs.map(vertexDigest) }),
    name: event.name,
    ...times(event),
    ...(event.cached === true ? { cached: true } : {}),
    ...(event.error === undefined ? {} : { error: event.error }),
    ...(event.reason === undefined ? {} : { reason: event.reason }),
  };
}

function statusOf(event: StatusEvent): unknown {
  return {
    id: event.id,
    vertex: vertexDigest(event.vertex),
    ...(event.total === undefined ? {} : { total: event.total }),
    current: event.current,
    timestamp: timeOf(event.timestampMs),
    ...times(event),
  };
}

function warningOf(event: WarningEvent): unknown {
  return {
    vertex: vertexDigest(event.vertex),
    level: 1,
    short: base64(event.message),
    detail: event.detail.map(base64),
    url: event.url,
    ...(event.file === undefined ? {} : { sourceInfo: { filename: event.file } }),
    ...(event.lines === undefined ? {} : { range: [{ start: { line: event.lines.start }, end: { line: event.lines.end } }] }),
  };
}

/** One line for one event. `reason`, why a step was not cached, is ours: readers of BuildKit's format pass over it. */
export function formatStatusLine(event: ProgressEvent): string {
  switch (event.type) {
    case "vertex":
      return formatJsonLine({ vertexes: [vertexOf(event)] });
    case "status":
      return formatJsonLine({ statuses: [statusOf(event)] });
    case "log":
      return formatJsonLine({
        logs: [
          { vertex: vertexDigest(event.vertex), stream: event.stream, data: Buffer.from(event.data).toString("base64"), timestamp: timeOf(event.timestampMs) },
        ],
      });
    case "warning":
      return formatJsonLine({ warnings: [warningOf(event)] });
  }
}

export class RawJsonRenderer implements Renderer {
  readonly #cli: Cli;

  constructor(cli: Cli) {
    this.#cli = cli;
  }

  push(event: ProgressEvent): void {
    this.#cli.stderr.write(`${formatStatusLine(event)}\n`);
  }

  finish(): void {
    // nothing is held back
  }
}
