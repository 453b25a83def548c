/** `build --call=NAME[,format=json][,ignorestatus=true]`: what is asked of the Dockerfile, and its answer on standard output. */
import { isAbsolute, join } from "node:path";
import { printable } from "../../base/printable.ts";
import type { CallOptions, SlipwayApi } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Invocation } from "../command.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { parseBool } from "../flag-value.ts";
import { isFetched } from "./build-words.ts";
import { formatCheckText, formatCheckJson, formatCheckError } from "./check.ts";
import { describeCalls, formatOutlineJson, formatOutlineText, formatTargetsJson, formatTargetsText } from "./outline.ts";
import { showTask, type TaskDisplay } from "./show-task.ts";

const names = ["check", "outline", "targets", "subrequests.describe"] as const;
type CallName = (typeof names)[number];

export interface Call {
  readonly name: CallName;
  readonly json: boolean;
  /** exit with 0 whatever was found */
  readonly ignoreStatus: boolean;
}

/** undefined: an ordinary build. `--check` is short for `--call=check` where no call is given. */
export function callFrom(flags: ParsedFlags): Call | undefined {
  const text = flags.string("call");
  const words = parseCallWords(text);
  const name = flags.bool("check") && (words.name === "build" || words.name === "") ? "check" : words.name;
  if (name === "build" || name === "") return undefined;
  // Docker's former name
  const known = names.find((candidate) => candidate === (name === "lint" ? "check" : name));
  if (known !== undefined) return { ...words, name: known };
  throw cliError(`failed to solve: unsupported request frontend.${name}: unsupported request frontend.${name}`, "USAGE", {
    remedy: `--call takes one of build, ${names.join(", ")}`,
  });
}

function parseCallWords(text: string): { readonly name: string; readonly json: boolean; readonly ignoreStatus: boolean } {
  let name: string | undefined;
  let json = false;
  let ignoreStatus = false;
  for (const field of text.split(",")) {
    const equals = field.indexOf("=");
    const [key, value] = equals < 0 ? [field, ""] : [field.slice(0, equals), field.slice(equals + 1)];
    if (equals < 0) {
      if (name !== undefined) throw cliError(`invalid print value: ${text}`, "USAGE", { plain: true });
      name = field;
    } else if (key === "format") json = value === "json";
    else if (key === "ignorestatus") ignoreStatus = parseIgnoreStatus(value);
    else throw cliError(`invalid print field: ${field}`, "USAGE", { plain: true });
  }
  return { name: name ?? "", json, ignoreStatus };
}

function parseIgnoreStatus(value: string): boolean {
  try {
    return parseBool(value);
  } catch (error) {
    const cause = error instanceof Error ? error.message : "";
    throw cliError(`invalid ignorestatus print value: ${value}: ${cause}`, "USAGE", { plain: true }, error);
  }
}

/** The Dockerfile as the user wrote its way: editors and terminals can then jump to it. */
export function dockerfileShownAs({ flags, args }: Invocation): string | undefined {
  const [context = ""] = args;
  const file = flags.string("file");
  if (file === "-") return "stdin";
  if (isFetched(context)) return undefined;
  return file === "" || (context === "-" && !isAbsolute(file)) ? join(context, file === "" ? "Dockerfile" : file) : file;
}

/** Answers with the exit code. */
export async function runCall(cli: Cli, engine: SlipwayApi, call: Call, options: CallOptions, display: TaskDisplay): Promise<number> {
  const print = (text: string): void => cli.stdout.write(display.mode === "quiet" ? `\n${text}` : text);
  switch (call.name) {
    case "check":
      return await runCheck(cli, engine, call, options, display);
    case "outline": {
      const outline = await showTask(cli, engine.outline(options), display);
      print(call.json ? formatOutlineJson(outline) : formatOutlineText(outline));
      return 0;
    }
    case "targets": {
      const targets = await showTask(cli, engine.targets(options), display);
      print(call.json ? formatTargetsJson(targets) : formatTargetsText(targets));
      return 0;
    }
    case "subrequests.describe":
      print(describeCalls(call.json));
      return 0;
  }
}

async function runCheck(cli: Cli, engine: SlipwayApi, call: Call, options: CallOptions, display: TaskDisplay): Promise<number> {
  const result = await showTask(cli, engine.check(options), display);
  const text = call.json ? formatCheckJson(result) : formatCheckText(result);
  cli.stdout.write(display.mode === "quiet" ? `\n${text}` : text);
  if (result.error !== undefined) {
    cli.stderr.write(`ERROR: ${printable(formatCheckError(result.error))}\n`);
    return 1;
  }
  // suggestions of our own change no exit code
  return result.warnings.some(({ isOwn }) => !isOwn) && !call.ignoreStatus ? 1 : 0;
}
