/** Recordings of Docker 28.5.2 for the tests of the renderers: BuildKit's rawjson read back as our events. */
import { readFileSync } from "node:fs";
import type { ProgressEvent } from "../../base/progress.ts";

interface RawTimes {
  readonly started?: string;
  readonly completed?: string;
}
interface RawLine {
  readonly vertexes?: readonly (RawTimes & {
    readonly digest: string;
    readonly name: string;
    readonly inputs?: readonly string[];
    readonly cached?: boolean;
    readonly error?: string;
  })[];
  readonly statuses?: readonly (RawTimes & {
    readonly id: string;
    readonly vertex: string;
    readonly current: number;
    readonly total?: number;
    readonly timestamp: string;
  })[];
  readonly logs?: readonly { readonly vertex: string; readonly stream: 1 | 2; readonly data: string; readonly timestamp: string }[];
  readonly warnings?: readonly { readonly vertex: string; readonly short: string; readonly detail: readonly string[]; readonly url: string }[];
}

function millisecondsOf(time: string): number {
  const [seconds = "", fraction = ""] = time.replace("Z", "").split(".");
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction || "0"}`) * 1000;
}

function timesOf(raw: RawTimes): { startedMs?: number; completedMs?: number } {
  return {
    ...(raw.started === undefined ? {} : { startedMs: millisecondsOf(raw.started) }),
    ...(raw.completed === undefined ? {} : { completedMs: millisecondsOf(raw.completed) }),
  };
}

function textOf(base64: string): string {
  return Buffer.from(base64, "base64").toString();
}

function eventsOf(line: RawLine): readonly ProgressEvent[] {
  return [
    ...(line.vertexes ?? []).map((raw): ProgressEvent => ({
      type: "vertex",
      id: raw.digest,
      name: raw.name,
      inputs: raw.inputs ?? [],
      ...timesOf(raw),
      ...(raw.cached === undefined ? {} : { cached: raw.cached }),
      ...(raw.error === undefined ? {} : { error: raw.error }),
    })),
    ...(line.statuses ?? []).map((raw): ProgressEvent => ({
      type: "status",
      vertex: raw.vertex,
      id: raw.id,
      current: raw.current,
      timestampMs: millisecondsOf(raw.timestamp),
      ...timesOf(raw),
      ...(raw.total === undefined ? {} : { total: raw.total }),
    })),
    ...(line.logs ?? []).map((raw): ProgressEvent => ({
      type: "log",
      vertex: raw.vertex,
      stream: raw.stream,
      data: Buffer.from(raw.data, "base64"),
      timestampMs: millisecondsOf(raw.timestamp),
    })),
    ...(line.warnings ?? []).map((raw): ProgressEvent => ({
      type: "warning",
      vertex: raw.vertex,
      message: textOf(raw.short),
      detail: raw.detail.map(textOf),
      url: raw.url,
    })),
  ];
}

/** BuildKit ends a step before it begins it anew; our engine tells each step once, so the first ends are left out. */
function withoutRestarts(events: readonly ProgressEvent[]): readonly ProgressEvent[] {
  return events.filter((event, index) => {
    if (event.type !== "vertex" || event.completedMs === undefined) return true;
    return !events.slice(index + 1).some((later) => later.type === "vertex" && later.id === event.id);
  });
}

export function readRecorded(name: string): string {
  return readFileSync(new URL(`../testdata/${name}`, import.meta.url), "utf8");
}

export function readRecordedEvents(name: string): readonly ProgressEvent[] {
  return withoutRestarts(
    readRecorded(name)
      .trim()
      .split("\n")
      .flatMap((line) => eventsOf(JSON.parse(line) as RawLine)),
  );
}

/** The time of an event, for renderers that are given the clock. */
export function timeOfEvent(event: ProgressEvent): number {
  if (event.type === "vertex") return event.completedMs ?? event.startedMs ?? 0;
  return event.type === "warning" ? 0 : event.timestampMs;
}
