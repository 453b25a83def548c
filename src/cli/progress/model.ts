/** What the events of a build add up to: the steps in the order they appeared, their counters, warnings and output. */
import { printable } from "../../base/printable.ts";
import type { LogEvent, ProgressEvent, StatusEvent, VertexEvent, WarningEvent } from "../../base/progress.ts";
import { formatProgressBytes } from "../units.ts";
import { LineSplitter } from "./log-text.ts";

export interface LogLine {
  readonly text: string;
  readonly timestampMs: number;
}

export interface VertexState {
  readonly id: string;
  name: string;
  startedMs: number | undefined;
  completedMs: number | undefined;
  cached: boolean;
  error: string | undefined;
  reason: string | undefined;
  readonly statuses: Map<string, StatusEvent>;
  readonly warnings: WarningEvent[];
  readonly log: LogBuffer;
}

/** A step's output. What succeeded keeps only its end; what runs or failed keeps all up to a bound that is said when it is met. */
export class LogBuffer {
  readonly #splitters = [new LineSplitter(), new LineSplitter()] as const;
  readonly #lines: LogLine[] = [];
  #size = 0;
  dropped = 0;

  push(event: LogEvent): readonly LogLine[] {
    return this.#keep(this.#splitters[event.stream - 1]!.push(event.data), event.timestampMs);
  }

  end(timestampMs: number): readonly LogLine[] {
    return this.#keep(
      this.#splitters.map((splitter) => splitter.end()).filter((text) => text !== undefined),
      timestampMs,
    );
  }

  #keep(texts: readonly string[], timestampMs: number): readonly LogLine[] {
    const lines = texts.map((text) => ({ text, timestampMs }));
    for (const line of lines) {
      this.#lines.push(line);
      this.#size += line.text.length;
    }
    while (this.#size > maxLogSize) this.#dropFirst();
    return lines;
  }

  #dropFirst(): void {
    const first = this.#lines.shift();
    this.#size -= first?.text.length ?? this.#size;
    this.dropped++;
  }

  /** Frees what nobody will ask for. */
  forget(): void {
    this.#lines.length = 0;
    this.#size = 0;
  }

  get lines(): readonly LogLine[] {
    return this.#lines;
  }

  /** The last lines, the unfinished one included. */
  tail(count: number): readonly string[] {
    const unfinished = this.#splitters.map((splitter) => splitter.rest).filter((rest) => rest !== "");
    return [...this.#lines.slice(-count).map((line) => line.text), ...unfinished].slice(-count);
  }
}

/** characters of output kept for the report of a failed step */
const maxLogSize = 64 << 20;

export class ProgressModel {
  readonly #vertices = new Map<string, VertexState>();

  get vertices(): readonly VertexState[] {
    return [...this.#vertices.values()];
  }

  vertex(id: string): VertexState {
    let state = this.#vertices.get(id);
    if (state === undefined) {
      state = {
        id,
        name: id,
        startedMs: undefined,
        completedMs: undefined,
        cached: false,
        error: undefined,
        reason: undefined,
        statuses: new Map(),
        warnings: [],
        log: new LogBuffer(),
      };
      this.#vertices.set(id, state);
    }
    return state;
  }

  /** Answers the lines of output that the event completed. */
  apply(event: ProgressEvent): readonly LogLine[] {
    if (event.type === "vertex") return this.#applyVertex(event);
    const state = this.vertex(event.vertex);
    if (event.type === "log") return state.log.push(event);
    if (event.type === "status") state.statuses.set(event.id, event);
    else state.warnings.push(event);
    return [];
  }

  #applyVertex(event: VertexEvent): readonly LogLine[] {
    const state = this.vertex(event.id);
    state.name = printable(event.name).replaceAll("\n", " ");
    if (event.startedMs !== undefined) state.startedMs = event.startedMs;
    state.completedMs = event.completedMs;
    if (event.cached !== undefined) state.cached = event.cached;
    if (event.reason !== undefined) state.reason = printable(event.reason);
    if (event.error !== undefined && event.error !== "") state.error = printable(event.error);
    if (state.completedMs === undefined) return [];
    const rest = state.log.end(state.completedMs);
    if (state.error === undefined) state.log.forget();
    return rest;
  }

  get warnings(): readonly WarningEvent[] {
    return this.vertices.flatMap((vertex) => vertex.warnings);
  }
}

export function isCanceled(vertex: VertexState): boolean {
  return vertex.error !== undefined && /(?:^|: )(?:context )?cancell?ed$/i.test(vertex.error);
}

/** "0.3s" as the display counts. */
export function formatSeconds(ms: number): string {
  return `${(Math.max(0, ms) / 1000).toFixed(1)}s`;
}

/** "transferring context:" and " 12.5MB / 30MB"; counters without unit count bytes. */
export function statusText(status: StatusEvent): string {
  const id = printable(status.id);
  const name = /^transferring [^:]+$/.test(id) ? `${id}:` : id;
  const show = (count: number): string => (status.unit === "files" ? String(count) : formatProgressBytes(count));
  if (status.total !== undefined && status.total > 0) return `${name} ${show(status.current)} / ${show(status.total)}`;
  return status.current > 0 ? `${name} ${show(status.current)}` : name;
}

/** milliseconds that a counter has run, 0 when it never said when it began */
export function statusDuration(status: StatusEvent, nowMs: number): number {
  return status.startedMs === undefined ? 0 : (status.completedMs ?? nowMs) - status.startedMs;
}
