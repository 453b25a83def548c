/** COPY and ADD. */
import { parseFlags, type FlagKind, type Flags } from "./flags.ts";
import { parseHeredocWord } from "./heredoc.ts";
import type { AddInstruction, CopyInstruction, Heredoc } from "./instruction.ts";
import { syntaxReason } from "./parse-error.ts";
import type { InstructionNode } from "./syntax-tree.ts";
import { baseOf, heredocFromBody, wordsOf } from "./syntax-words.ts";

const sharedFlags = { chown: "string", chmod: "string", link: "boolean", exclude: "strings" } as const satisfies Record<string, FlagKind>;

export function buildCopy(node: InstructionNode): CopyInstruction {
  requireDestination(node, "COPY");
  const flags = parseFlags(node.flags, { ...sharedFlags, from: "string", parents: "boolean" });
  return {
    type: "copy",
    ...baseOf(node),
    ...sourcesAndDestination(node, flags, "COPY"),
    from: flags.text("from"),
    parents: flags.boolean("parents") ?? false,
  };
}

export function buildAdd(node: InstructionNode): AddInstruction {
  requireDestination(node, "ADD");
  const flags = parseFlags(node.flags, { ...sharedFlags, "keep-git-dir": "boolean", checksum: "string", unpack: "boolean" });
  return {
    type: "add",
    ...baseOf(node),
    ...sourcesAndDestination(node, flags, "ADD"),
    parents: false,
    keepGitDir: flags.boolean("keep-git-dir"),
    checksum: flags.text("checksum"),
    unpack: flags.boolean("unpack"),
  };
}

function requireDestination(node: InstructionNode, instruction: string): void {
  if (wordsOf(node).length >= 2) return;
  throw syntaxReason(`${instruction} requires at least two arguments, but only one was provided. Destination could not be determined`);
}

function sourcesAndDestination(node: InstructionNode, flags: Flags, instruction: string) {
  const words = wordsOf(node);
  const destination = words.at(-1) ?? "";
  if (opensHeredoc(destination)) throw syntaxReason(`${instruction} cannot accept a heredoc as a destination`);
  const written = words.slice(0, -1);
  return {
    destination,
    sources: written.filter((word) => !opensHeredoc(word)),
    heredocs: written.flatMap((word) => heredocOf(node, word) ?? []),
    chown: flags.text("chown"),
    chmod: flags.text("chmod"),
    link: flags.boolean("link") ?? false,
    exclude: flags.all("exclude"),
  };
}

function opensHeredoc(word: string): boolean {
  return heredocOpening(word) !== undefined;
}

function heredocOpening(word: string): ReturnType<typeof parseHeredocWord> {
  try {
    return parseHeredocWord(word);
  } catch {
    return undefined;
  }
}

/** The last body of that name counts; a name without body (in JSON form) is an empty file. */
function heredocOf(node: InstructionNode, word: string): Heredoc | undefined {
  const opening = heredocOpening(word);
  if (opening === undefined) return undefined;
  const body = node.heredocs.findLast(({ name }) => name === opening.name);
  return body === undefined ? { ...opening, content: "", raw: "" } : { ...heredocFromBody(body), expand: opening.expand };
}
