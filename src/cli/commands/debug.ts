/** `debug`: a shell in the state of a step that failed; `debug ls`, `debug rm`: those that are kept. */
import { resolve } from "node:path";
import { isSlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { FailedStep, Failure, ShellOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import { commandAt, type CommandTable, type Handler, type Invocation } from "../command.ts";
import { checkArguments, cliError, renderFailure } from "../failure.ts";
import { parseFlags, type ParsedFlags } from "../flags.ts";
import { chooseMode } from "../progress/create-renderer.ts";
import { renderRows, type RowType } from "../render.ts";
import { ellipsis } from "../table.ts";
import { formatAgo } from "../units.ts";
import { openInputFile, writeOutputFile, writeToStdout } from "./archive-file.ts";
import { stepOptionsFrom } from "./build-options.ts";
import { parseSecret, parseSsh, written } from "./build-words.ts";
import { showTask } from "./show-task.ts";

const shortId = 12;

function shellOptions(cli: Cli, flags: ParsedFlags, command: readonly string[]): ShellOptions {
  const terminal = cli.stdin.isTTY && cli.stdout.isTTY;
  return {
    command,
    terminal,
    lendShell: flags.bool("busybox"),
    secrets: written(flags.list("secret")).map((text) => parseSecret(cli, text)),
    ssh: written(flags.list("ssh")).map((text) => parseSsh(cli, text)),
    ...(terminal ? {} : { stdin: cli.stdin.chunks }),
    onOutput: (stream, data) => (stream === 1 ? cli.stdout : cli.stderr).writeSlowly(data),
    onNote: (text) => cli.stderr.write(`NOTE: ${printable(text)}\n`),
    signal: cli.signal,
  };
}

/** "Dockerfile:7" */
function placeOf({ dockerfile, lines }: FailedStep): string {
  return lines === undefined ? dockerfile : `${dockerfile}:${lines.start}`;
}

function statusOf({ outcome, exitCode }: FailedStep): string {
  if (outcome === "failed") return exitCode === undefined ? "Failed" : `Exited (${exitCode})`;
  return outcome === "running" ? "Running" : outcome === "stopped" ? "Stopped" : "Interrupted";
}

/** What somebody at a terminal wants to know before the first prompt. */
export function introduction(step: FailedStep): string {
  const { exitCode, message, outcome } = step;
  const ends = {
    failed: exitCode === undefined ? `did not start: ${message}` : `ended with exit code ${exitCode}`,
    interrupted: "was interrupted",
    stopped: "has not run",
    running: "runs",
  };
  return printable(`${step.name} (${placeOf(step)}) ${ends[outcome]}`) + "\nWhat you change in this shell is thrown away.\n";
}

export async function runShell(cli: Cli, failure: Failure, flags: ParsedFlags, command: readonly string[]): Promise<number> {
  const options = shellOptions(cli, flags, command);
  if (options.terminal === true && command.length === 0) cli.stderr.write(introduction(failure.step));
  const { exitCode } = await failure.shell(options);
  return exitCode;
}

export const runDebug: Handler = async (cli, invocation) => {
  const { flags, args } = invocation;
  const [word, ...command] = args;
  const line = flags.number("at");
  if (line !== undefined) return await runAt(cli, invocation, line);
  if (word === "build") return await runBuildDebugged(cli, invocation);
  const bundle = word !== undefined && !/^[0-9a-f]+\*?$/.test(word) ? await openInputFile(cli.cwd, word) : undefined;
  const engine = await cli.open();
  const failure = bundle === undefined ? await engine.debug.open(word) : await engine.debug.load(bundle, { signal: cli.signal });
  return await runShell(cli, failure, flags, command);
};

export const runDebugSave: Handler = async (cli, { flags, args }) => {
  const output = flags.string("output");
  if (output === "" && cli.stdout.isTTY) throw cliError("cowardly refusing to save to a terminal. Use the -o flag or redirect", "NOT_A_TERMINAL");
  const engine = await cli.open();
  const failure = await engine.debug.open(args[0]);
  if (output === "" || output === "-") await writeToStdout(cli, failure.save());
  else await writeOutputFile(resolve(cli.cwd, output), failure.save());
  return 0;
};

async function runAt(cli: Cli, { flags, args, table }: Invocation, line: number): Promise<number> {
  if (!Number.isInteger(line) || line < 1) throw cliError("--at is a line of the Dockerfile, from 1 on");
  const [context, ...command] = args;
  if (context === undefined) throw cliError('--at needs a build context (e.g. "." for the current directory)');
  const mode = chooseMode(flags.string("progress"), false, cli);
  const options = await stepOptionsFrom(cli, { flags, args: [context] });
  const engine = await cli.open();
  let failure: Failure;
  try {
    failure = await showTask(cli, engine.debug.stopAt({ ...options, line }), { mode, expandWarnings: cli.debug });
  } catch (error) {
    if (isSlipwayError(error) && error.details["bare"] === true) throw error;
    return tellFailure(cli, table, error);
  }
  try {
    return await runShell(cli, failure, flags, command);
  } finally {
    engine.debug.remove(failure.step.id);
  }
}

/** A build as ever, and a shell where a step of it fails. Answers the build's exit code. */
async function runBuildDebugged(cli: Cli, { flags, args, table }: Invocation): Promise<number> {
  if (flags.string("on") !== "error") throw cliError("--on: a shell opens on error only; slipway debug --at LINE opens one before any line");
  const command = commandAt(table, "build")!;
  const line = parseFlags(command.flags, args.slice(1));
  checkArguments(command, "build", line.args.length);
  const build = await command.load();
  try {
    return await build(cli, { flags: line.flags, args: line.args, path: "build", command, table });
  } catch (error) {
    const { isStepFailedError } = await import("../../engine/index.ts");
    if (!isStepFailedError(error) || error.kind === "canceled") throw error;
    const exitCode = tellFailure(cli, table, error);
    await runShell(cli, error.failure, flags, splitWords(flags.string("invoke")));
    return exitCode;
  }
}

/** As `build` tells it. Answers its exit code. */
function tellFailure(cli: Cli, table: CommandTable, error: unknown): number {
  const { text, exitCode } = renderFailure(error, { command: commandAt(table, "build"), path: "build", debug: cli.debug, interrupt: cli.signal.reason });
  cli.stderr.write(text);
  return exitCode;
}

function splitWords(text: string): readonly string[] {
  return text.split(" ").filter((word) => word !== "");
}

const shownWidth = 60;

function rowType(nowMs: number, whole: boolean): RowType<FailedStep> {
  return {
    typeName: "*formatter.stepContext",
    fields: {
      ID: ({ id }) => (whole ? id : id.slice(0, shortId)),
      Status: statusOf,
      Place: placeOf,
      Created: ({ createdMs }) => formatAgo(createdMs, nowMs),
      Step: ({ name }) => ellipsis(printable(name.replaceAll(/\s+/g, " ")), whole ? Infinity : shownWidth),
      ExitCode: ({ exitCode }) => (exitCode === undefined ? "" : String(exitCode)),
      Error: ({ message }) => printable(message),
    },
    headings: { ID: "STEP ID", Place: "WHERE", Created: "BEGAN" },
  };
}

export const runDebugLs: Handler = async (cli, { flags }) => {
  const engine = await cli.open();
  const steps = engine.debug.list();
  const whole = flags.bool("no-trunc");
  if (flags.bool("quiet")) cli.stdout.write(steps.map(({ id }) => `${whole ? id : id.slice(0, shortId)}\n`).join(""));
  else {
    const table = "{{.ID}}\\t{{.Status}}\\t{{.Place}}\\t{{.Created}}\\t{{.Step}}";
    cli.stdout.write(renderRows(steps, rowType(cli.now(), whole), { format: flags.string("format"), table }));
  }
  return 0;
};

export const runDebugRm: Handler = async (cli, { flags, args }) => {
  const engine = await cli.open();
  const all = flags.bool("all") ? engine.debug.list().flatMap(({ id, outcome }) => (outcome === "running" ? [] : [id])) : [];
  for (const id of [...args, ...all]) cli.stdout.write(`${engine.debug.remove(id)}\n`);
  return 0;
};
