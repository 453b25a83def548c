/**
 * Progress as lines, for pipes and logs: `#5 [2/3] RUN …`, `#5 0.123 output`, `#5 DONE 0.2s`. One step's lines stay
 * together while it keeps talking; another one's wait for its end, or for a pause of a second.
 */
import type { ProgressEvent, StatusEvent } from "../../base/progress.ts";
import { printable } from "../../base/printable.ts";
import type { Cli } from "../cli.ts";
import { shownLine } from "./log-text.ts";
import { formatSeconds, isCanceled, ProgressModel, statusDuration, statusText } from "./model.ts";
import type { LogLine, VertexState } from "./model.ts";
import { wantsColor } from "./renderer.ts";
import type { Renderer } from "./renderer.ts";
import { formatFailedSteps, formatWarnings } from "./report.ts";

/** how long the current step may be silent before another one's lines are printed */
const patienceMs = 1000;
/** a running counter is printed no more often than that */
const counterIntervalMs = 1000;
/** lines of a failed step that are repeated at the end */
const repeatedLines = 10;

interface Track {
  readonly number: number;
  readonly queue: string[];
  readonly printedCounters: Map<string, number>;
  reasonPrinted: boolean;
  ended: boolean;
}

/** The pure part: events in, text out. */
export class PlainText {
  readonly model = new ProgressModel();
  readonly #tracks = new Map<string, Track>();
  readonly #waiting: string[] = [];
  #current: string | undefined;
  #lastOutputMs = 0;
  #begun = false;

  push(event: ProgressEvent, nowMs: number): string {
    const lines = this.model.apply(event);
    const id = event.type === "vertex" ? event.id : event.vertex;
    const vertex = this.model.vertex(id);
    if (vertex.startedMs === undefined && vertex.completedMs === undefined && event.type === "vertex") return "";
    const track = this.#track(id);
    const queued = this.#linesOf(event, vertex, track, lines, nowMs);
    if (queued.length === 0 && event.type !== "vertex") return "";
    if (event.type === "vertex") track.ended = false;
    track.queue.push(...queued);
    if (event.type === "vertex" && event.completedMs !== undefined) {
      track.queue.push(...ending(vertex));
      track.ended = true;
    }
    if (id !== this.#current && !this.#waiting.includes(id)) this.#waiting.push(id);
    return this.#drain(nowMs, false);
  }

  /** Called now and then: gives the floor to another step when the current one is silent. */
  tick(nowMs: number): string {
    return this.#drain(nowMs, false);
  }

  end(nowMs: number): string {
    return this.#drain(nowMs, true);
  }

  #track(id: string): Track {
    let track = this.#tracks.get(id);
    if (track === undefined) {
      track = { number: this.#tracks.size + 1, queue: [], printedCounters: new Map(), reasonPrinted: false, ended: false };
      this.#tracks.set(id, track);
    }
    return track;
  }

  #linesOf(event: ProgressEvent, vertex: VertexState, track: Track, lines: readonly LogLine[], nowMs: number): readonly string[] {
    const output = lines.map((line) => logLine(line, vertex));
    if (event.type === "warning") return [`WARN: ${printable(event.message)}`];
    if (event.type === "status") return counterLine(event, track, nowMs);
    if (vertex.reason !== undefined && !vertex.cached && !track.reasonPrinted) {
      track.reasonPrinted = true;
      return [`not cached: ${vertex.reason}`, ...output];
    }
    return output;
  }

  #drain(nowMs: number, all: boolean): string {
    let text = "";
    for (;;) {
      const current = this.#current === undefined ? undefined : this.#tracks.get(this.#current);
      if (current !== undefined) {
        if (current.queue.length > 0) this.#lastOutputMs = nowMs;
        text += current.queue
          .splice(0)
          .map((line) => `#${current.number} ${line}\n`)
          .join("");
        if (current.ended) this.#current = undefined;
      }
      const held = this.#current !== undefined && !all && nowMs - this.#lastOutputMs < patienceMs;
      const next = held ? undefined : this.#waiting.shift();
      if (next === undefined) return text;
      text += this.#switchTo(next);
    }
  }

  #switchTo(id: string): string {
    const left = this.#current === undefined ? undefined : this.#tracks.get(this.#current);
    this.#current = id;
    const blank = this.#begun ? "\n" : "";
    this.#begun = true;
    const unfinished = left !== undefined && !left.ended ? `#${left.number} ...\n` : "";
    return `${unfinished}${blank}#${this.#track(id).number} ${this.model.vertex(id).name}\n`;
  }
}

function logLine(line: LogLine, vertex: VertexState): string {
  return `${((line.timestampMs - (vertex.startedMs ?? line.timestampMs)) / 1000).toFixed(3)} ${shownLine(line.text)}`;
}

function counterLine(status: StatusEvent, track: Track, nowMs: number): readonly string[] {
  const done = status.completedMs !== undefined;
  const printedMs = track.printedCounters.get(status.id);
  if (printedMs === Infinity) return [];
  if (!done && (printedMs === undefined ? statusDuration(status, nowMs) : nowMs - printedMs) < counterIntervalMs) {
    return [];
  }
  track.printedCounters.set(status.id, done ? Infinity : nowMs);
  const duration = statusDuration(status, nowMs);
  const time = duration > 10 ? ` ${formatSeconds(duration)}` : "";
  return [`${statusText(status)}${time}${done ? " done" : ""}`];
}

function ending(vertex: VertexState): readonly string[] {
  if (vertex.error !== undefined) return [isCanceled(vertex) ? "CANCELED" : `ERROR: ${vertex.error}`];
  if (vertex.cached) return ["CACHED"];
  return [`DONE ${formatSeconds((vertex.completedMs ?? 0) - (vertex.startedMs ?? vertex.completedMs ?? 0))}`];
}

export class PlainRenderer implements Renderer {
  readonly #text = new PlainText();
  readonly #cli: Cli;
  readonly #expandWarnings: boolean;
  readonly #timer: NodeJS.Timeout;
  #finished = false;

  constructor(cli: Cli, expandWarnings: boolean) {
    this.#cli = cli;
    this.#expandWarnings = expandWarnings;
    this.#timer = setInterval(() => this.#write(this.#text.tick(cli.now())), patienceMs);
    this.#timer.unref();
  }

  #write(text: string): void {
    if (text !== "") this.#cli.stderr.write(text);
  }

  push(event: ProgressEvent): void {
    this.#write(this.#text.push(event, this.#cli.now()));
  }

  finish(): void {
    if (this.#finished) return;
    this.#finished = true;
    clearInterval(this.#timer);
    const model = this.#text.model;
    const left = this.#text.end(this.#cli.now());
    const warnings = formatWarnings(model.warnings, { color: wantsColor(this.#cli), expand: this.#expandWarnings });
    this.#write(left + formatFailedSteps(model, repeatedLines) + warnings);
  }
}
