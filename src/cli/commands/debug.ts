/** `debug`: a shell in the state of a step that failed; `debug ls`, `debug rm`: those that are kept. */
import { printable } from "../../base/printable.ts";
import type { FailedStep, Failure, ShellOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import type { ParsedFlags } from "../flags.ts";
import { renderRows, type RowType } from "../render.ts";
import { ellipsis } from "../table.ts";
import { formatAgo } from "../units.ts";
import { parseSecret, parseSsh } from "./build-words.ts";

const shortId = 12;

function shellOptions(cli: Cli, flags: ParsedFlags, command: readonly string[]): ShellOptions {
  const terminal = cli.stdin.isTTY && cli.stdout.isTTY;
  return {
    command,
    terminal,
    lendShell: flags.bool("busybox"),
    secrets: flags.list("secret").map((text) => parseSecret(cli, text)),
    ssh: flags.list("ssh").map((text) => parseSsh(cli, text)),
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

export const runDebug: Handler = async (cli, { flags, args }) => {
  const [word, ...command] = args;
  const engine = await cli.open();
  return await runShell(cli, await engine.debug.open(word), flags, command);
};

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
