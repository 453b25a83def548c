/** How a step is called in progress output, behind `[2/3] `. */
import { parseHeredocWord } from "./heredoc.ts";
import { trimSpace } from "./go-text.ts";
import type { AddInstruction, CopyInstruction, RunInstruction, WorkdirInstruction } from "./instruction.ts";
import { expandWord, type VariableLookup } from "./word.ts";

export interface StepNameOptions {
  /** the Dockerfile's escape directive; default `\` */
  readonly escape?: "\\" | "`" | undefined;
  /** variables that hold secrets: shown as `****` */
  readonly masked?: ReadonlySet<string> | undefined;
}

/**
 * The instruction's code with its keyword in upper case and the stage's variables put in. RUN keeps its quotes and
 * the variables that have no value, the others lose both. Never throws: what cannot be expanded is shown as written.
 */
export function formatStepName(
  instruction: RunInstruction | CopyInstruction | AddInstruction | WorkdirInstruction,
  variables: VariableLookup,
  { escape, masked }: StepNameOptions = {},
): string {
  const isRun = instruction.type === "run";
  const value = (name: string) => (masked?.has(name) === true ? "****" : typeof variables === "function" ? variables(name) : variables.get(name));
  const code = isRun ? instruction.code + heredocSummary(instruction) : instruction.code;
  const expanded = tryExpand(code, value, { escape, rawQuotes: isRun, skipUnset: isRun });
  const blank = expanded.indexOf(" ");
  return blank < 0 ? expanded.toUpperCase() : expanded.slice(0, blank).toUpperCase() + expanded.slice(blank);
}

function tryExpand(code: string, variables: VariableLookup, options: Parameters<typeof expandWord>[2]): string {
  try {
    return expandWord(code, variables, options).result;
  } catch {
    return code;
  }
}

/** ` (first line...)` when a heredoc is the whole script. */
function heredocSummary({ command }: RunInstruction): string {
  const [script] = command.heredocs;
  const [word] = command.args;
  if (script === undefined || word === undefined || parseHeredocWord(word) === undefined) return "";
  const [first = "", ...others] = trimSpace(script.raw).split(/\r?\n/);
  return ` (${first}${others.length > 0 ? "..." : ""})`;
}
