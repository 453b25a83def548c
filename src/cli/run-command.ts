/** From words to exit code: global flags, the command that they name, its flags and arguments, its handler, its failure. */
import { resolve } from "node:path";
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { Cli, Output } from "./cli.ts";
import { findCommand } from "./command.ts";
import type { Command, CommandTable, Found } from "./command.ts";
import { checkArguments, renderFailure, usageHint } from "./failure.ts";
import { parseFlags } from "./flags.ts";
import type { FlagSpec, ParsedFlags, ParsedLine } from "./flags.ts";

export interface GlobalOptions {
  readonly debug: boolean;
  readonly root: string | undefined;
  readonly policyFile: string | undefined;
  readonly policyOverrides: readonly string[];
  readonly version: boolean;
  readonly help: boolean;
  /** it was asked for by -h */
  readonly deprecatedHelp: boolean;
  /** the command and all behind it */
  readonly words: readonly string[];
}

const logLevels: readonly string[] = ["debug", "info", "warn", "warning", "error", "fatal", "panic", "trace"];

/** Fails with UNKNOWN_FLAG or USAGE (invalid_argument). */
export function parseGlobals(specs: readonly FlagSpec[], argv: readonly string[]): GlobalOptions {
  const line = parseFlags(specs, argv, { interspersed: false });
  const level = line.flags.string("log-level");
  if (!logLevels.includes(level)) throw new SlipwayError("invalid_argument", "USAGE", `Unable to parse logging level: ${level}`);
  return {
    debug: line.flags.bool("debug") || level === "debug",
    root: line.flags.optional("root"),
    policyFile: line.flags.optional("policy"),
    policyOverrides: line.flags.list("policy-override"),
    version: line.flags.bool("version"),
    help: line.help,
    deprecatedHelp: line.deprecatedHelp,
    words: line.args,
  };
}

/** Runs the words behind the global flags. Failures are printed; the answer is the exit code. */
export async function runCommand(table: CommandTable, cli: Cli, words: readonly string[]): Promise<number> {
  const found = findCommand(table, words);
  const command = found.kind === "command" ? found.command : undefined;
  const path = found.kind === "root" ? "" : found.path;
  try {
    return await runFound(table, cli, found);
  } catch (error) {
    const failure = renderFailure(error, { command, path, debug: cli.debug || buildDebug(command, words), interrupt: cli.signal.reason });
    cli.stderr.write(failure.text);
    return failure.exitCode;
  }
}

/** The same for a command that is part of another one, which tells its failure. */
export async function callCommand(table: CommandTable, cli: Cli, words: readonly string[]): Promise<number> {
  return await runFound(table, cli, findCommand(table, words));
}

/** `build -D`: known only after its flags were read, which may be what failed. */
function buildDebug(command: Command | undefined, words: readonly string[]): boolean {
  return command?.paths[0] === "build" && (words.includes("-D") || words.includes("--debug"));
}

async function runFound(table: CommandTable, cli: Cli, found: Found): Promise<number> {
  switch (found.kind) {
    case "root":
      return showRootHelp(table, cli, cli.stderr);
    case "unknown":
      return unknownCommand(cli, found.path, found.word);
    case "group": {
      const line = parseFlags([], found.rest);
      const { formatGroupHelp } = await import("./help.ts");
      const text = formatGroupHelp(table, found.group, found.path);
      (line.help ? cli.stdout : cli.stderr).write(text);
      return 0;
    }
    case "command":
      return runHandler(table, cli, found.command, found.path, found.rest);
  }
}

/** Runs what the global flags leave: a command, `help` about one, or the list of all, which goes to standard error when nobody asked for it. */
export async function runWords(table: CommandTable, cli: Cli, globals: Pick<GlobalOptions, "help" | "deprecatedHelp" | "words">): Promise<number> {
  const [first, second, ...rest] = globals.words;
  if (globals.deprecatedHelp) cli.stderr.write("Flag shorthand -h has been deprecated, use --help\n");
  if (globals.help) return await showRootHelp(table, cli, cli.stdout);
  if (first === undefined) return await showRootHelp(table, cli, cli.stderr);
  if (first !== "help") return await runCommand(table, cli, globals.words);
  if (second === undefined || second === "help") return await showRootHelp(table, cli, cli.stdout);
  if (findCommand(table, [second, ...rest]).kind !== "unknown") return await runCommand(table, cli, [second, ...rest, "--help"]);
  cli.stderr.write(`unknown help topic: ${printable([second, ...rest].join(" "))}\n`);
  return 1;
}

async function showRootHelp(table: CommandTable, cli: Cli, output: Output): Promise<number> {
  const { formatRootHelp, helpWidth } = await import("./help.ts");
  output.write(formatRootHelp(table, helpWidth(output.columns)));
  return 0;
}

function unknownCommand(cli: Cli, path: string, word: string): number {
  const called = path === "" ? "slipway" : `slipway ${path}`;
  const pointer = path === "" ? `\nRun 'slipway --help' for more information\n` : usageHint(undefined, path);
  cli.stderr.write(`slipway: unknown command: ${called} ${word}\n${pointer}`);
  return 1;
}

async function runHandler(table: CommandTable, cli: Cli, command: Command, path: string, words: readonly string[]): Promise<number> {
  const line = parseFlags(command.flags, words, { interspersed: command.interspersed ?? true });
  if (wantsHelp(command, line)) {
    const { formatCommandHelp, helpWidth } = await import("./help.ts");
    cli.stdout.write(formatCommandHelp(command, path, helpWidth(cli.stdout.columns)));
    return 0;
  }
  checkArguments(command, path, line.args.length);
  warnOfFlags(cli, command, line.flags);
  const isTrustNamed = command.flags.some(({ name }) => name === "disable-content-trust");
  if (isTrustNamed && (cli.env["DOCKER_CONTENT_TRUST"] !== undefined || line.flags.changed("disable-content-trust")))
    (await import("./content-trust.ts")).refuseContentTrust(cli, command, line.flags, line.args[0] ?? "");
  if (command.flags.some(({ name }) => name === "policy-override")) cli.usePolicy(line.flags.optional("policy"), line.flags.list("policy-override"));
  await useAuthFile(cli, command, line.flags);
  const handler = await command.load();
  return handler(cli, { flags: line.flags, args: line.args, path, command, table });
}

/** `login` makes the file. */
async function useAuthFile(cli: Cli, command: Command, flags: ParsedFlags): Promise<void> {
  const given = command.flags.some(({ name }) => name === "authfile") ? flags.optional("authfile") : undefined;
  if (given === undefined) return;
  cli.useAuthFile(command.name === "login" ? resolve(cli.cwd, given) : (await import("./auth-file.ts")).existingAuthFile(cli.cwd, given));
}

function wantsHelp(command: Command, line: ParsedLine): boolean {
  return line.help || (command.flags.some((flag) => flag.name === "help") && line.flags.bool("help"));
}

function warnOfFlags(cli: Cli, command: Command, flags: ParsedFlags): void {
  for (const flag of command.flags) {
    if (flag.noEffect !== undefined && flags.changed(flag.name)) cli.stderr.write(`WARNING: --${flag.name} is ignored: ${flag.noEffect}.\n`);
  }
}
