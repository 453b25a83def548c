/** What every way of showing progress offers; `build` feeds it events and ends it once. */
import type { ProgressEvent } from "../../base/progress.ts";
import type { Cli } from "../cli.ts";

export interface Renderer {
  push(event: ProgressEvent): void;
  /** Prints what is left: held-back lines, the final frame, failed steps, warnings. Safe to call twice. */
  finish(): void;
}

/** Colours: on a terminal, unless NO_COLOR is set. */
export function wantsColor(cli: Cli): boolean {
  return cli.stderr.isTTY && (cli.env["NO_COLOR"] ?? "") === "" && cli.env["TERM"] !== "dumb";
}
