/** Shell completion: small scripts that ask `slipway __complete`, and the answer, which comes from the table of commands. */
import { findCommand, membersOf, topGroups } from "./command.ts";
import type { Command, CommandTable } from "./command.ts";
import type { FlagSpec } from "./flags.ts";

/** What the shell completes by itself when no candidate is listed. */
export type Fallback = "none" | "file" | "directory";

export interface Candidate {
  readonly value: string;
  readonly description: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly fallback: Fallback;
}

/** Names that only the store knows; failures there mean no names. */
export interface DynamicNames {
  images(): Promise<readonly Candidate[]>;
  containers(): Promise<readonly Candidate[]>;
  volumes(): Promise<readonly Candidate[]>;
}

type Source = FlagSpec["complete"];

const nothing: Completion = { candidates: [], fallback: "none" };

function startingWith(candidates: readonly Candidate[], start: string): Completion {
  return { candidates: candidates.filter((candidate) => candidate.value.startsWith(start)), fallback: "none" };
}

async function fromSource(source: Source, start: string, names: DynamicNames): Promise<Completion> {
  if (source === undefined) return nothing;
  if (source === "file" || source === "directory") return { candidates: [], fallback: source };
  if (source === "image") return startingWith(await names.images(), start);
  if (source === "container") return startingWith(await names.containers(), start);
  if (source === "volume") return startingWith(await names.volumes(), start);
  return startingWith(
    source.map((value) => ({ value, description: "" })),
    start,
  );
}

function flagCandidates(flags: readonly FlagSpec[]): readonly Candidate[] {
  return flags.filter((flag) => flag.hidden !== true).map((flag) => ({ value: `--${flag.name}`, description: flag.usage.split("\n")[0]! }));
}

function takesValue(flag: FlagSpec): boolean {
  return flag.type !== "bool" && flag.bare === undefined;
}

/** The flag whose value the next word is. */
function openFlag(flags: readonly FlagSpec[], word: string | undefined): FlagSpec | undefined {
  if (word === undefined || !word.startsWith("-") || word === "-" || word === "--" || word.includes("=")) return undefined;
  const flag = word.startsWith("--")
    ? flags.find((spec) => `--${spec.name}` === word)
    : flags.find((spec) => spec.short !== undefined && word.endsWith(spec.short));
  return flag !== undefined && takesValue(flag) ? flag : undefined;
}

function positionals(flags: readonly FlagSpec[], words: readonly string[]): readonly string[] {
  return words.filter((word, index) => !word.startsWith("-") && openFlag(flags, words[index - 1]) === undefined);
}

async function completeFlagValue(flags: readonly FlagSpec[], word: string, names: DynamicNames): Promise<Completion> {
  const [name, start] = [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)] as const;
  const flag = flags.find((spec) => `--${spec.name}` === name);
  const { candidates, fallback } = await fromSource(flag?.complete, start, names);
  return { candidates: candidates.map((candidate) => ({ ...candidate, value: `${name}=${candidate.value}` })), fallback };
}

async function completeCommand(command: Command, before: readonly string[], current: string, names: DynamicNames): Promise<Completion> {
  const given = positionals(command.flags, before);
  const passing = command.interspersed === false && given.length > 0;
  if (passing) return { candidates: [], fallback: "file" };
  const open = openFlag(command.flags, before.at(-1));
  if (open !== undefined) return fromSource(open.complete, current, names);
  if (current.startsWith("--") && current.includes("=")) return completeFlagValue(command.flags, current, names);
  if (current.startsWith("-")) return startingWith([...flagCandidates(command.flags), { value: "--help", description: "Print help" }], current);
  if (command.args.max !== undefined && given.length >= command.args.max) return nothing;
  return fromSource(command.complete, current, names);
}

function rootCandidates(table: CommandTable): readonly Candidate[] {
  const commands = table.commands.filter((command) => command.group !== undefined).map((command) => ({ value: command.name, description: command.short }));
  return [...commands, ...topGroups(table).map((group) => ({ value: group.name, description: group.short }))];
}

/** Leaves out flags in front of the command, with their values. */
function withoutGlobals(table: CommandTable, words: readonly string[]): readonly string[] {
  let index = 0;
  while (words[index]?.startsWith("-") === true) index += openFlag(table.globals, words[index]) === undefined ? 1 : 2;
  return words.slice(index);
}

/** `words` are those behind the program's name; the last is the one being typed, "" when nothing is typed yet. */
export async function completeWords(table: CommandTable, words: readonly string[], names: DynamicNames): Promise<Completion> {
  const current = words.at(-1) ?? "";
  const all = words.slice(0, -1);
  const before = withoutGlobals(table, all);
  if (before.length === 0) {
    const open = openFlag(table.globals, all.at(-1));
    if (open !== undefined) return fromSource(open.complete, current, names);
    return startingWith(current.startsWith("-") ? flagCandidates(table.globals) : rootCandidates(table), current);
  }
  const found = findCommand(table, before);
  if (found.kind === "command") return completeCommand(found.command, found.rest, current, names);
  if (found.kind !== "group") return nothing;
  return startingWith(
    membersOf(table, found.group).map(({ name, command }) => ({ value: name, description: command.short })),
    current,
  );
}

/** A candidate a line, `value TAB description`, and last what the shell shall do if there is none. */
export function formatCompletion({ candidates, fallback }: Completion): string {
  return `${candidates.map(({ value, description }) => `${value}\t${description}\n`).join("")}:${fallback}\n`;
}

const bash = `# bash completion for slipway
_slipway() {
  local line=\${COMP_LINE:0:COMP_POINT} cur prefix reply
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=\${words[\${#words[@]}-1]}
  COMPREPLY=()
  while IFS= read -r reply; do
    case $reply in
      :file) ((\${#COMPREPLY[@]})) || compopt -o default 2>/dev/null ;;
      :directory) ((\${#COMPREPLY[@]})) || compopt -o dirnames 2>/dev/null ;;
      :*) ;;
      *) COMPREPLY+=("\${reply%%$'\\t'*}") ;;
    esac
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
  # readline replaces only what follows the last break character
  prefix=\${cur%"\${cur##*[:=]}"}
  if [[ -n $prefix && $COMP_WORDBREAKS == *"\${prefix: -1}"* ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
  fi
}
complete -F _slipway slipway
`;

const zsh = `#compdef slipway
_slipway() {
  local reply fallback=none
  local -a entries
  for reply in "\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $reply in
      :*) fallback=\${reply#:} ;;
      *) entries+=("\${\${reply%%$'\\t'*}//:/\\\\:}:\${reply#*$'\\t'}") ;;
    esac
  done
  if (( \${#entries} )); then
    _describe -V 'slipway' entries
  elif [[ $fallback == file ]]; then
    _files
  elif [[ $fallback == directory ]]; then
    _files -/
  fi
}
if [[ \${funcstack[1]} == _slipway ]]; then _slipway "$@"; else compdef _slipway slipway; fi
`;

const fish = `# fish completion for slipway
function __slipway_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l lines ($words[1] __complete -- $words[2..] 2>/dev/null)
  switch $lines[-1]
    case ':file' ':directory'
      test (count $lines) -eq 1; and __fish_complete_path (commandline -ct)
  end
  string match -v -r '^:' -- $lines
end
complete -c slipway -e
complete -c slipway -f -a '(__slipway_complete)'
`;

export const completionScripts: Readonly<Record<string, string>> = { bash, zsh, fish };
