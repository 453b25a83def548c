/** Which way of showing progress a build takes. */
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { Renderer } from "./renderer.ts";

export type ProgressMode = "tty" | "plain" | "rawjson" | "quiet";

const modes: readonly string[] = ["auto", "none", "plain", "quiet", "rawjson", "tty"];

function isProgressMode(word: string): boolean {
  return modes.includes(word);
}

/** `auto` draws on a terminal and prints lines elsewhere; BUILDKIT_PROGRESS replaces `auto`. Fails with USAGE. */
export function chooseMode(flag: string, quiet: boolean, cli: Cli): ProgressMode {
  const environment = cli.env["BUILDKIT_PROGRESS"] ?? "";
  const word = flag === "auto" && environment !== "" ? environment : flag;
  if (!isProgressMode(word)) throw cliError(`invalid progress mode ${word}`, "USAGE", { plain: true });
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
