/**
 * What a command is, and how words find one: the same table feeds the parser, `--help`, the shell completions and the
 * pages under docs/cli. Handlers are loaded when they run, so that `--help` and `version` stay quick.
 */
import type { Cli } from "./cli.ts";
import type { FlagSpec, ParsedFlags } from "./flags.ts";

export interface Invocation {
  readonly flags: ParsedFlags;
  readonly args: readonly string[];
  /** as it was called: "slipway image ls" */
  readonly path: string;
  readonly command: Command;
  /** the table that the command stands in */
  readonly table: CommandTable;
}

/** Answers the exit code; failures are thrown. */
export type Handler = (cli: Cli, invocation: Invocation) => Promise<number>;

export interface ArgumentRule {
  readonly min: number;
  /** absent: any number */
  readonly max?: number;
}

export interface Example {
  readonly text: string;
  readonly command: string;
}

export interface Command {
  /** the last word of its path */
  readonly name: string;
  /** one line */
  readonly short: string;
  /** what its docs page and `--help` say instead of the line; plain paragraphs */
  readonly long?: string;
  /** behind the path in the usage line: "[OPTIONS] IMAGE [IMAGE...]" */
  readonly usage: string;
  readonly flags: readonly FlagSpec[];
  readonly args: ArgumentRule;
  /** every path that leads here, the canonical one first: ["image ls", "image list", "images"] */
  readonly paths: readonly string[];
  /** shown under its name in the list of the root command */
  readonly group?: "common" | "plain";
  readonly examples?: readonly Example[];
  /** flags of other programs for the same, and what is said of them here */
  readonly elsewhere?: Readonly<Record<string, string>>;
  readonly interspersed?: boolean;
  readonly complete?: "file" | "directory" | "image" | "container" | "volume" | readonly string[];
  readonly hidden?: boolean;
  readonly load: () => Promise<Handler>;
}

/** `image`, `container`, …: a word that only leads to others. */
export interface CommandGroup {
  readonly name: string;
  readonly short: string;
  readonly paths: readonly string[];
}

export interface CommandTable {
  readonly commands: readonly Command[];
  readonly groups: readonly CommandGroup[];
  /** flags in front of the command */
  readonly globals: readonly FlagSpec[];
}

export type Found =
  | { readonly kind: "command"; readonly command: Command; readonly path: string; readonly rest: readonly string[] }
  | { readonly kind: "group"; readonly group: CommandGroup; readonly path: string; readonly rest: readonly string[] }
  | { readonly kind: "unknown"; readonly path: string; readonly word: string }
  | { readonly kind: "root" };

/** Finds the command that the words name; a group's flags are looked at by the caller. */
export function findCommand(table: CommandTable, words: readonly string[]): Found {
  const [first, second] = words;
  if (first === undefined) return { kind: "root" };
  const two = second === undefined || second.startsWith("-") ? undefined : `${first} ${second}`;
  const group = table.groups.find((candidate) => candidate.paths.includes(first));
  if (group !== undefined) {
    if (two === undefined) return { kind: "group", group, path: first, rest: words.slice(1) };
    const nested = table.groups.find((candidate) => candidate.paths.includes(two));
    if (nested !== undefined) return findNested(table, nested, two, words.slice(2));
    const command = commandAt(table, two);
    return command === undefined ? { kind: "unknown", path: first, word: second! } : { kind: "command", command, path: two, rest: words.slice(2) };
  }
  // a command may have others below it
  const below = two === undefined ? undefined : commandAt(table, two);
  if (below !== undefined && two !== undefined) return { kind: "command", command: below, path: two, rest: words.slice(2) };
  const command = commandAt(table, first);
  return command === undefined ? { kind: "unknown", path: "", word: first } : { kind: "command", command, path: first, rest: words.slice(1) };
}

/** `buildx imagetools inspect`: a group within a group. */
function findNested(table: CommandTable, group: CommandGroup, path: string, words: readonly string[]): Found {
  const [word] = words;
  if (word === undefined || word.startsWith("-")) return { kind: "group", group, path, rest: words };
  const command = commandAt(table, `${path} ${word}`);
  return command === undefined ? { kind: "unknown", path, word } : { kind: "command", command, path: `${path} ${word}`, rest: words.slice(1) };
}

export function commandAt(table: CommandTable, path: string): Command | undefined {
  return table.commands.find((command) => command.paths.includes(path));
}

/** The commands that a group leads to, once each, under the name that they have there. */
export function membersOf(table: CommandTable, group: CommandGroup): readonly { readonly name: string; readonly command: Pick<Command, "short"> }[] {
  const prefix = `${group.paths[0]} `;
  const nested = table.groups.flatMap((inner) => {
    const path = inner.paths.find((candidate) => candidate.startsWith(prefix));
    return path === undefined ? [] : [{ name: path.slice(prefix.length), command: { short: inner.short } }];
  });
  const members = table.commands
    .filter((command) => command.hidden !== true)
    .flatMap((command) => {
      const path = command.paths.find((candidate) => candidate.startsWith(prefix));
      const name = path?.slice(prefix.length);
      return name === undefined || name.includes(" ") ? [] : [{ name, command }];
    });
  return [...members, ...nested].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Those that stand by themselves. */
export function topGroups(table: CommandTable): readonly CommandGroup[] {
  return table.groups.filter(({ paths }) => !paths[0]?.includes(" "));
}
