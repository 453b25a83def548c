/** `--help` in Docker's layout: usage, description, aliases, options with their text wrapped to the terminal, commands. */
import { membersOf, topGroups } from "./command.ts";
import type { Command, CommandGroup, CommandTable } from "./command.ts";
import { shownType } from "./flag-value.ts";
import type { FlagSpec } from "./flags.ts";
import { usageLine } from "./usage-line.ts";

const program = "slipway";
/** cobra leaves five columns of slack so that a line does not end in one orphaned word */
const slack = 5;
const narrowest = 24;

/** The width that help is wrapped to: the terminal's, 80 where it is none. */
export function helpWidth(columns: number | undefined): number {
  return columns === undefined || columns < 40 ? 80 : columns;
}

function takeLine(text: string, width: number): [line: string, rest: string] {
  if (width + slack > text.length) return [text, ""];
  const head = text.slice(0, width);
  const space = Math.max(head.lastIndexOf(" "), head.lastIndexOf("\t"), head.lastIndexOf("\n"));
  if (space <= 0) return [text, ""];
  const newline = head.lastIndexOf("\n");
  const end = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, end), text.slice(end + 1)];
}

/** Wraps a flag's text that starts at column `indent`; lines that the text itself has are kept. */
export function wrapUsage(text: string, indent: number, columns: number): string {
  const width = columns - indent;
  const margin = `\n${" ".repeat(indent)}`;
  if (width < narrowest) return text.replaceAll("\n", margin);
  const lines: string[] = [];
  for (let rest = text; rest !== "";) {
    const [line, after] = takeLine(rest, width - slack);
    lines.push(line);
    rest = after;
  }
  return lines.join("\n").replaceAll("\n", margin);
}

export function formatFlags(flags: readonly FlagSpec[], columns: number): string {
  const rows = flags
    .filter((flag) => flag.hidden !== true)
    .map((flag) => {
      const start = flag.short === undefined ? `      --${flag.name}` : `  -${flag.short}, --${flag.name}`;
      const type = shownType(flag.type);
      return { left: type === "" ? start : `${start} ${type}`, text: usageOf(flag) };
    });
  const width = Math.max(0, ...rows.map((row) => row.left.length)) + 3;
  return rows.map((row) => `${row.left.padEnd(width)}${wrapUsage(row.text, width, columns)}\n`).join("");
}

function usageOf(flag: FlagSpec): string {
  const zero = flag.default === undefined || ["", "false", '""', "0", "[]", "map[]", "0s"].includes(flag.default);
  return zero ? flag.usage : `${flag.usage} (default ${flag.default})`;
}

export function formatCommandHelp(command: Command, path: string, columns: number): string {
  const parts = [`Usage:  ${usageLine(command, path)}\n`, `${command.short}\n`];
  if (command.paths.length > 1) parts.push(`Aliases:\n  ${command.paths.map((alias) => `${program} ${alias}`).join(", ")}\n`);
  if (command.examples !== undefined) parts.push(`Examples:\n${command.examples.map((example) => `  # ${example.text}\n  ${example.command}\n`).join("")}`);
  const options = formatFlags(command.flags, columns);
  if (options !== "") parts.push(`Options:\n${options}`);
  return parts.join("\n");
}

function formatList(title: string, entries: readonly (readonly [string, string])[]): string {
  const width = Math.max(12, ...entries.map(([name]) => name.length + 1));
  return `${title}:\n${entries.map(([name, text]) => `  ${name.padEnd(width)}${text}\n`).join("")}`;
}

export function formatGroupHelp(table: CommandTable, group: CommandGroup, path: string): string {
  const entries = membersOf(table, group).map(({ name, command }) => [name, command.short] as const);
  return [
    `Usage:  ${program} ${path} COMMAND\n`,
    `${group.short}\n`,
    formatList("Commands", entries),
    `Run '${program} ${path} COMMAND --help' for more information on a command.\n`,
  ].join("\n");
}

const commonOrder = ["run", "exec", "ps", "build", "pull", "images", "version", "info", "doctor"];

export function formatRootHelp(table: CommandTable, columns: number): string {
  const shown = table.commands.filter((command) => command.hidden !== true);
  const entry = (command: Command): readonly [string, string] => [command.name, command.short];
  const common = shown.filter((command) => command.group === "common").sort((a, b) => commonOrder.indexOf(a.name) - commonOrder.indexOf(b.name));
  const plain = shown.filter((command) => command.group === "plain").sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    `Usage:  ${program} [OPTIONS] COMMAND\n`,
    "Build, keep and run container images without a daemon\n",
    formatList("Common Commands", common.map(entry)),
    formatList(
      "Management Commands",
      topGroups(table).map((group) => [group.name, group.short]),
    ),
    formatList("Commands", plain.map(entry)),
    `Global Options:\n${formatFlags(table.globals, columns)}`,
    `Run '${program} COMMAND --help' for more information on a command.\n`,
  ].join("\n");
}
