/** What every way of showing progress offers; `build` feeds it events and ends it once. */
import type { ProgressEvent } from "../../base/progress.ts";
import type { Cli } from "../cli.ts";

export interface Renderer {
  push(event: ProgressEvent): void;
  /** Prints what is left: held-back lines, the final frame, failed steps, warnings. Safe to call twice. */
  finish(): void;
}

export type ProgressMode = "tty" | "plain" | "rawjson" | "quiet";

const modes: readonly string[] = ["auto", "none", "plain", "quiet", "rawjson", "tty"];

export function isProgressMode(word: string): boolean {
  return modes.includes(word);
}

/** `auto` draws on a terminal and prints lines elsewhere; BUILDKIT_PROGRESS replaces `auto`. */
export function chooseMode(flag: string, quiet: boolean, cli: Cli): ProgressMode {
  const environment = cli.env["BUILDKIT_PROGRESS"] ?? "";
  const word = flag === "auto" && isProgressMode(environment) ? environment : flag;
  if (quiet || word === "quiet" || word === "none") return "quiet";
  if (word === "tty" || word === "plain" || word === "rawjson") return word;
  return cli.stderr.isTTY ? "tty" : "plain";
}

export interface RendererOptions {
  readonly mode: ProgressMode;
  readonly cli: Cli;
  /** warnings with their details */
  readonly expandWarnings: boolean;
}

export async function createRenderer(options: RendererOptions): Promise<Renderer> {
  switch (options.mode) {
    case "tty":
      return new (await import("./tty.ts")).TtyRenderer(options.cli, options.expandWarnings);
    case "plain":
      return new (await import("./plain.ts")).PlainRenderer(options.cli, options.expandWarnings);
    case "rawjson":
      return new (await import("./rawjson.ts")).RawJsonRenderer(options.cli);
    case "quiet":
      return { push: () => undefined, finish: () => undefined };
  }
}

/** Colours: on a terminal, unless NO_COLOR is set. */
export function wantsColor(cli: Cli): boolean {
  return cli.stderr.isTTY && (cli.env["NO_COLOR"] ?? "") === "" && cli.env["TERM"] !== "dumb";
}
