/** What the typed instructions take from a syntax node, and the errors about the number of arguments. */
import type { SlipwayError } from "../base/errors.ts";
import { trimSpace } from "./go-text.ts";
import { chompTabs } from "./heredoc.ts";
import type { Heredoc } from "./instruction.ts";
import { syntaxReason } from "./parse-error.ts";
import type { ArgumentPair, HeredocBody, InstructionNode } from "./syntax-tree.ts";

export type InstructionBase = Pick<InstructionNode, "keyword" | "lines" | "comments"> & { readonly code: string };

export function baseOf(node: InstructionNode): InstructionBase {
  return { keyword: node.keyword, code: trimSpace(node.joined), lines: node.lines, comments: node.comments };
}

export function wordsOf(node: InstructionNode): readonly string[] {
  const parsed = node.arguments;
  return parsed.form === "words" || parsed.form === "json" ? parsed.words : [];
}

export function pairsOf(node: InstructionNode): readonly ArgumentPair[] {
  return node.arguments.form === "pairs" ? node.arguments.pairs : [];
}

export function heredocFromBody({ name, raw, expand, chomp, fd }: HeredocBody): Heredoc {
  return { name, raw, content: chomp ? chompTabs(raw) : raw, expand, chomp, fd };
}

export function singleWord(node: InstructionNode, instruction: string): string {
  const words = wordsOf(node);
  const [word] = words;
  if (word === undefined || words.length !== 1) throw syntaxReason(`${instruction} requires exactly one argument`);
  return word;
}

export function atLeastOne(instruction: string): SlipwayError {
  return syntaxReason(`${instruction} requires at least one argument`);
}
