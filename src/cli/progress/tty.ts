/** Progress on a terminal: the frame is painted over itself some times a second; the cursor is hidden meanwhile. */
import type { ProgressEvent } from "../../base/progress.ts";
import type { Cli } from "../cli.ts";
import { renderFrame } from "./frame.ts";
import { ProgressModel } from "./model.ts";
import { wantsColor } from "./renderer.ts";
import type { Renderer } from "./renderer.ts";
import { formatFailedSteps, formatWarnings } from "./report.ts";

const intervalMs = 150;
const hideCursor = "\u001b[?25l";
const showCursor = "\u001b[?25h";
const clearLine = "\u001b[K";
const clearBelow = "\u001b[J";

export class TtyRenderer implements Renderer {
  readonly #model = new ProgressModel();
  readonly #cli: Cli;
  readonly #expandWarnings: boolean;
  readonly #startedMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #undo: readonly (() => void)[];
  #painted = 0;
  #dirty = true;
  #finished = false;

  constructor(cli: Cli, expandWarnings: boolean) {
    this.#cli = cli;
    this.#expandWarnings = expandWarnings;
    this.#startedMs = cli.now();
    this.#timer = setInterval(() => this.#paint(false), intervalMs);
    this.#timer.unref();
    // the frame was laid out for the old width: what stands above can no longer be counted in lines
    const onResize = (): void => {
      this.#painted = Math.min(this.#painted, cli.stderr.rows - 1);
      this.#dirty = true;
    };
    this.#undo = [cli.onResize(onResize), cli.onExit(() => this.#restore())];
    cli.stderr.write(hideCursor);
  }

  push(event: ProgressEvent): void {
    this.#model.apply(event);
    this.#dirty = true;
  }

  #paint(finished: boolean): void {
    const { stderr } = this.#cli;
    if (!this.#dirty && !finished && this.#model.vertices.every((vertex) => vertex.completedMs !== undefined)) return;
    this.#dirty = false;
    const lines = renderFrame(this.#model, {
      columns: stderr.columns,
      rows: stderr.rows,
      nowMs: this.#cli.now(),
      startedMs: this.#startedMs,
      finished,
      color: wantsColor(this.#cli),
      label: "slipway",
    });
    const up = this.#painted > 0 ? `\u001b[${this.#painted}A` : "";
    stderr.write(`${up}\r${lines.map((line) => `${line}${clearLine}\n`).join("")}${clearBelow}`);
    this.#painted = lines.length;
  }

  #restore(): void {
    if (!this.#finished) this.#cli.stderr.write(showCursor);
  }

  finish(): void {
    if (this.#finished) return;
    clearInterval(this.#timer);
    for (const undo of this.#undo) undo();
    this.#paint(true);
    this.#cli.stderr.write(showCursor);
    this.#finished = true;
    const warnings = formatWarnings(this.#model.warnings, { color: wantsColor(this.#cli), expand: this.#expandWarnings });
    this.#cli.stderr.write(formatFailedSteps(this.#model, undefined) + warnings);
  }
}
