/**
 * The lossless tree: every character of the file belongs to exactly one node, in order, so that the slices of all
 * nodes joined are the file again. Instructions are split into keyword, flags and arguments, not yet understood.
 */
import type { Directives, LineRange } from "./instruction.ts";

/** `offset` counts UTF-16 units from the beginning of the text; line and column are 1-based. */
export interface Position {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** `end` is behind the last character. */
export interface Span {
  readonly start: Position;
  readonly end: Position;
}

/** A part of an instruction's joined line and where it stands in the file. */
export interface LinePiece {
  /** offset in the joined line */
  readonly at: number;
  readonly length: number;
  readonly source: Position;
}

export interface HeredocBody {
  readonly name: string;
  /** as written, leading tabs included, the closing line excluded */
  readonly raw: string;
  readonly expand: boolean;
  readonly chomp: boolean;
  readonly fd: number;
  /** the body's lines without the closing one */
  readonly span: Span;
}

/** What stands behind the flags, split as the instruction's kind asks for. */
export type Arguments =
  | { readonly form: "json"; readonly words: readonly string[] }
  | { readonly form: "words"; readonly words: readonly string[] }
  | { readonly form: "pairs"; readonly pairs: readonly ArgumentPair[] }
  /** HEALTHCHECK: its first word, then the command */
  | { readonly form: "healthcheck"; readonly type: string; readonly command: Arguments }
  /** ONBUILD: the instruction that will be triggered */
  | { readonly form: "nested"; readonly instruction: SplitInstruction };

export interface ArgumentPair {
  readonly key: string;
  readonly value: string;
  /** written as `key value`, without `=` */
  readonly legacy: boolean;
}

export interface SplitInstruction {
  /** as written */
  readonly keyword: string;
  /** as written, with their `--` and `=value`, quotes removed */
  readonly flags: readonly string[];
  readonly arguments: Arguments;
}

export interface BlankNode {
  readonly kind: "blank";
  readonly span: Span;
}

export interface CommentNode {
  readonly kind: "comment";
  readonly span: Span;
  /** without `#` and outer blanks */
  readonly text: string;
}

export interface DirectiveNode {
  readonly kind: "directive";
  readonly span: Span;
  readonly name: "syntax" | "escape" | "check";
  readonly value: string;
}

export interface InstructionNode extends SplitInstruction {
  readonly kind: "instruction";
  /** heredoc bodies and their closing lines included */
  readonly span: Span;
  readonly lines: LineRange;
  /** continuations joined, comments and blank lines between them dropped */
  readonly joined: string;
  readonly pieces: readonly LinePiece[];
  readonly heredocs: readonly HeredocBody[];
  /** comments directly above */
  readonly comments: readonly string[];
  /** the last line of the joined line when a blank line stood inside it */
  readonly emptyContinuationLine: number | undefined;
}

export type SyntaxNode = BlankNode | CommentNode | DirectiveNode | InstructionNode;

export interface SyntaxTree {
  readonly text: string;
  readonly nodes: readonly SyntaxNode[];
  readonly directives: Directives;
}

export function isInstruction(node: SyntaxNode): node is InstructionNode {
  return node.kind === "instruction";
}

/** Where a character of the joined line stands in the file. */
export function positionInFile(node: InstructionNode, joinedOffset: number): Position {
  const piece = node.pieces.findLast(({ at }) => at <= joinedOffset) ?? node.pieces[0];
  if (piece === undefined) return node.span.start;
  const distance = Math.min(joinedOffset - piece.at, piece.length);
  return { offset: piece.source.offset + distance, line: piece.source.line, column: piece.source.column + distance };
}
