/**
 * A failure as the user reads it: in Docker's words and with Docker's prefixes where Docker has them, with our code where
 * it has none, with the next step where one is known, with stack and causes under `--debug`.
 */
import { asSlipwayError, SlipwayError } from "../base/errors.ts";
import type { ErrorKind } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { Command } from "./command.ts";
import { exitCodeOf } from "./exit-code.ts";
import type { CommandFamily } from "./exit-code.ts";
import { usageLine } from "./usage-line.ts";

/** Raised by the command line itself: what Docker's client prints without naming the daemon. */
const clientCodes: ReadonlySet<string> = new Set([
  "USAGE",
  "UNKNOWN_FLAG",
  "UNKNOWN_COMMAND",
  "INVALID_REFERENCE",
  "INVALID_PORT",
  "INVALID_ADD_HOST",
  "RESTART_POLICY_FORMAT",
  "EXEC_FAILED",
  "TEMPLATE",
  "INPUT_FILE",
  "OUTPUT_FILE",
  "NOT_A_TERMINAL",
  "DETACHED",
  "NO_SUCH_OBJECT",
  "CANCELED",
]);

/** Kinds that Docker's daemon reports to its client as they are. */
const daemonKinds: ReadonlySet<ErrorKind> = new Set([
  "invalid_argument",
  "not_found",
  "already_exists",
  "conflict",
  "denied",
  "unauthenticated",
  "unavailable",
  "failed_precondition",
]);

/** Commands that Docker does not have: nobody looks for a daemon behind them. */
const ownCommands = /^(?:db |policy |scan$|sbom$)/;

/** A failure of the command line's own: `code` is one of the client's. */
export function cliError(message: string, code = "USAGE", details: Readonly<Record<string, unknown>> = {}, cause?: unknown): SlipwayError {
  return new SlipwayError("invalid_argument", code, message, details, cause);
}

/** One line: the message with Docker's prefix, or with our code. */
export function failureLine(error: SlipwayError, isOwn = false): string {
  const message = printable(error.message);
  if (clientCodes.has(error.code) || error.details["bare"] === true) return message;
  if (isOwn && daemonKinds.has(error.kind)) return message;
  return daemonKinds.has(error.kind) ? `Error response from daemon: ${message}` : `Error: ${message} (${error.code})`;
}

/** What to do about it, when the error says so. */
export function remedyLine(error: SlipwayError): string {
  const remedy = error.details["remedy"];
  const hint = typeof remedy === "string" && remedy !== "" ? `Hint: ${printable(remedy)}\n` : "";
  return hint + triedLines(error);
}

/** Where credentials were looked for in vain. */
function triedLines({ details: { tried } }: SlipwayError): string {
  if (!Array.isArray(tried) || tried.length === 0) return "";
  return `Credentials were looked for in vain:\n${tried.map((line) => `  ${printable(String(line))}\n`).join("")}`;
}

/** Stack and causes, for `--debug`. */
export function debugLines(error: unknown): string {
  let text = "";
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth++) {
    text += `${depth === 0 ? "" : "caused by "}${printable(cause.stack ?? cause.message)}\n`;
    if (cause instanceof SlipwayError) text += `  code ${cause.code}, kind ${cause.kind}, details ${printable(safeJson(cause.details))}\n`;
  }
  return text;
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? "";
  } catch {
    return "(not JSON)";
  }
}

export interface Failure {
  readonly text: string;
  readonly exitCode: number;
}

export interface FailureContext {
  /** absent when no command was found */
  readonly command: Command | undefined;
  /** "image ls"; "" at the root */
  readonly path: string;
  readonly debug: boolean;
  readonly interrupt?: unknown;
}

/** What a daemon says to `create` is told as it is; `run` tells that too as a failure of its own. */
function familyOf(command: Command | undefined, error: SlipwayError): CommandFamily {
  if (command?.paths[0] === "build") return "build";
  const path = command?.paths[0] ?? "";
  if (path === "scan") return "scan";
  if (path === "container create" || path === "create") return clientCodes.has(error.code) && !isLate(error) ? "start" : "other";
  return path === "container run" || path === "run" ? "start" : "other";
}

function wordHere({ details }: SlipwayError, command: Command | undefined): string {
  const { unknown } = details;
  const word = typeof unknown === "string" && Object.hasOwn(command?.elsewhere ?? {}, unknown) ? command?.elsewhere?.[unknown] : undefined;
  return word === undefined ? "" : `Hint: ${word}\n`;
}

/** Docker's client notices some mistakes when the flags are read and the work has begun. */
function isLate({ code, details }: SlipwayError): boolean {
  return details["late"] === true || code === "INVALID_REFERENCE";
}

/** The usage and the pointer to `--help` that Docker prints below a mistake in the words of the command line. */
export function usageHint(command: Command | undefined, path: string, verb: "Run" | "See" = "Run"): string {
  const usage = command === undefined ? `slipway${path === "" ? " [OPTIONS] COMMAND [ARG...]" : ` ${path}`}` : usageLine(command, path);
  const called = path === "" ? "slipway" : `slipway ${path}`;
  return `\nUsage:  ${usage}\n\n${verb} '${called} --help' for more information\n`;
}

export function renderFailure(thrown: unknown, context: FailureContext): Failure {
  const error = asSlipwayError(thrown);
  const family = familyOf(context.command, error);
  return { text: textOf(error, family, context) + (context.debug ? debugLines(thrown) : ""), exitCode: exitCodeOf(error, family, context.interrupt) };
}

/** What a target of a bake failed with; `target`: it is one of several. */
export function renderTargetFailure(thrown: unknown, target: string | undefined, { debug, interrupt }: Pick<FailureContext, "debug" | "interrupt">): Failure {
  const error = asSlipwayError(thrown);
  const place = target === undefined || clientCodes.has(error.code) ? "" : `target ${printable(target)}: `;
  const text = `ERROR: ${failureOfBuild(error, place)}\n${remedyLine(error)}`;
  return { text: text + (debug ? debugLines(thrown) : ""), exitCode: exitCodeOf(error, "build", interrupt) };
}

/** `details.bare`: Docker prints the message alone, wherever it arises. */
function textOf(error: SlipwayError, family: CommandFamily, context: FailureContext): string {
  const path = context.command?.paths[0] ?? "";
  const pruning = path === "builder prune" || path.startsWith("buildx ");
  if (error.code === "ARGUMENT_COUNT") return `${family === "build" || pruning ? "ERROR: " : ""}${error.message}`;
  if (error.code === "UNKNOWN_FLAG") return `${error.message}\n${wordHere(error, context.command)}${usageHint(context.command, context.path)}`;
  const resolve = error.details["resolveMessage"];
  if (path.startsWith("buildx imagetools") && typeof resolve === "string") return `ERROR: ${printable(resolve)}\n${remedyLine(error)}`;
  if (pruning && error.kind !== "internal") return `ERROR: ${printable(error.message)}\n${remedyLine(error)}`;
  if (family === "build") return `ERROR: ${failureOfBuild(error)}\n${remedyLine(error)}`;
  const line = `${failureLine(error, ownCommands.test(path))}\n${remedyLine(error)}`;
  if (family === "start" && error.kind !== "canceled" && error.code !== "NOT_A_TERMINAL" && error.details["bare"] !== true) {
    return `slipway: ${line}\nRun 'slipway ${context.path} --help' for more information\n`;
  }
  return line;
}

/** The step excerpt, where there is one, has been printed by the progress renderer. */
function failureOfBuild(error: SlipwayError, place = "failed to build: "): string {
  const message = printable(error.message);
  if (error.details["plain"] === true) return message;
  const code = error.kind === "internal" || error.kind === "data_loss" || error.kind === "resource_exhausted" ? ` (${error.code})` : "";
  return `${place}${clientCodes.has(error.code) ? "" : "failed to solve: "}${message}${code}`;
}

/** Fails when the number of arguments is not what the command takes, in the words of Docker 28. */
export function checkArguments(command: Command, path: string, count: number): void {
  const { min, max } = command.args;
  if (count >= min && (max === undefined || count <= max)) return;
  const plural = (n: number): string => `${n} argument${n === 1 ? "" : "s"}`;
  const called = `'slipway ${path}'`;
  let what: string;
  if (max === 0) what = "accepts no arguments";
  else if (min === max) what = `requires ${plural(min)}`;
  else if (max === undefined) what = `requires at least ${plural(min)}`;
  else if (min === 0) what = `requires at most ${plural(max)}`;
  else what = `requires at least ${min} and at most ${plural(max)}`;
  const verb = max === undefined ? "See" : "Run";
  throw new SlipwayError("invalid_argument", "ARGUMENT_COUNT", `slipway: ${called} ${what}\n${usageHint(command, path, verb)}`);
}
