/** BuildKit's rules that speak while an instruction is parsed: of one that then turns out to be wrong, too. */
import type { Warning } from "./instruction.ts";
import { createWarning } from "./rules.ts";
import type { InstructionNode } from "./syntax-tree.ts";
import { wordsOf } from "./syntax-words.ts";

export function emptyContinuation({ emptyContinuationLine: line }: InstructionNode): readonly Warning[] {
  return line === undefined ? [] : [createWarning("NoEmptyContinuation", { start: line, end: line })];
}

export function keywordWarnings(node: InstructionNode): readonly Warning[] {
  switch (node.keyword.toLowerCase()) {
    case "maintainer":
      return [createWarning("MaintainerDeprecated", node.lines)];
    case "from":
      return fromWarnings(node);
    default:
      return [];
  }
}

function fromWarnings(node: InstructionNode): readonly Warning[] {
  const [, keyword, name, ...others] = wordsOf(node);
  if (keyword === undefined || name === undefined) return [];
  const found: Warning[] = [];
  if (others.length === 0 && name !== name.toLowerCase()) found.push(createWarning("StageNameCasing", node.lines, name));
  if (!isSameCase(node.keyword, keyword)) found.push(createWarning("FromAsCasing", node.lines, node.keyword, keyword));
  return found;
}

/** A keyword in mixed case is another rule's matter. */
function isSameCase(from: string, as: string): boolean {
  if (from === from.toLowerCase()) return as === as.toLowerCase();
  return from !== from.toUpperCase() || as === as.toUpperCase();
}
