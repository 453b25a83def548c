/** Text → lossless tree. Failures carry Docker's words and, as `details.lines`, the lines Docker marks. */
import { SlipwayError } from "../base/errors.ts";
import { splitInstruction } from "./arguments.ts";
import { parseCheckDirective, parseDirective, parseEscape, type Directive } from "./directive.ts";
import { trimLeft, trimSpace } from "./go-text.ts";
import { findHeredocs, type HeredocOpening } from "./heredoc.ts";
import type { CheckDirective, Directives, LineRange } from "./instruction.ts";
import { atLines, dockerfileError, syntaxReason } from "./parse-error.ts";
import { LineReader, type SourceLine } from "./source-lines.ts";
import type { HeredocBody, InstructionNode, LinePiece, Position, Span, SplitInstruction, SyntaxNode, SyntaxTree } from "./syntax-tree.ts";

const mayOpenHeredocs = new Set(["add", "copy", "run"]);
const byteOrderMark = "\ufeff";

/** Reads a whole file. "file with no instructions" and the like are thrown as DOCKERFILE_PARSE. */
export function parseSyntax(text: string): SyntaxTree {
  const { tree, faults } = parseSyntaxWithFaults(text);
  if (faults[0] !== undefined) throw faults[0];
  return tree;
}

export interface FaultySyntax {
  /** without the instructions that cannot be split */
  readonly tree: SyntaxTree;
  /** why they cannot, in the order of the file */
  readonly faults: readonly SlipwayError[];
}

/** Goes on behind instructions that cannot be split. What makes the rest unreadable is thrown, unless there was a fault before. */
export function parseSyntaxWithFaults(text: string, ignoresCheck = false): FaultySyntax {
  return new SyntaxParser(text, ignoresCheck).parse();
}

/** The tree's text again. `replaced`: what stands in the place of some nodes, line ends included. */
export function formatSyntax({ text, nodes }: SyntaxTree, replaced: ReadonlyMap<SyntaxNode, string> = new Map()): string {
  return nodes.map((node) => replaced.get(node) ?? text.slice(node.span.start.offset, node.span.end.offset)).join("");
}

class SyntaxParser {
  readonly #text: string;
  readonly #reader: LineReader;
  readonly #nodes: SyntaxNode[] = [];
  readonly #directives = new Map<string, string>();
  #directivesEnded = false;
  #escape: "\\" | "`" = "\\";
  #check: CheckDirective | undefined;
  #comments: string[] = [];
  #hasInstruction = false;
  readonly #faults: SlipwayError[] = [];
  readonly #ignoresCheck: boolean;

  constructor(text: string, ignoresCheck: boolean) {
    this.#text = text;
    this.#ignoresCheck = ignoresCheck;
    this.#reader = new LineReader(text);
  }

  parse(): FaultySyntax {
    try {
      this.#lines();
    } catch (error) {
      if (!(error instanceof SlipwayError) || this.#faults.length === 0) throw error;
      this.#faults.push(error);
    }
    return { tree: { text: this.#text, nodes: this.#nodes, directives: this.#allDirectives() }, faults: this.#faults };
  }

  #lines(): void {
    for (let line = this.#reader.next(); line !== undefined; line = this.#reader.next()) this.#line(line);
    const lastLine = { start: this.#reader.lineNumber, end: this.#reader.lineNumber };
    if (!this.#hasInstruction) throw dockerfileError("file with no instructions", lastLine);
    if (this.#reader.stoppedAtLongLine) throw dockerfileError("dockerfile line greater than max allowed size of 65535", lastLine);
  }

  #allDirectives(): Directives {
    const [syntax] = this.#directives.get("syntax")?.split(" ", 1) ?? [];
    return { syntax, escape: this.#escape, check: this.#check };
  }

  #line(line: SourceLine): void {
    const whole = line.number === 1 && line.text.startsWith(byteOrderMark) ? line.text.slice(1) : line.text;
    const text = trimLeft(whole);
    const directive = this.#directive(text, line.number);
    if (directive !== undefined) this.#nodes.push({ kind: "directive", ...directive, span: this.#span(line) });
    else if (text.startsWith("#")) this.#comment(line, whole);
    else if (text === "") this.#nodes.push({ kind: "blank", span: this.#span(line) });
    else this.#instruction(line, text);
  }

  #directive(text: string, lineNumber: number): Directive | undefined {
    if (this.#directivesEnded) return undefined;
    const directive = parseDirective(text);
    if (directive === undefined) {
      this.#directivesEnded = true;
      return undefined;
    }
    atLines({ start: lineNumber, end: lineNumber }, false, () => this.#apply(directive));
    this.#directives.set(directive.name, directive.value);
    return directive;
  }

  #apply({ name, value }: Directive): void {
    if (this.#directives.has(name)) throw syntaxReason(`only one ${name} parser directive can be used`);
    if (name === "escape") this.#escape = parseEscape(value);
    if (name === "check" && !this.#ignoresCheck) this.#check = parseCheckDirective(value);
  }

  #comment(line: SourceLine, whole: string): void {
    const text = trimSpace(trimLeft(whole).slice(1));
    this.#nodes.push({ kind: "comment", text, span: this.#span(line) });
    // an empty comment separates what stands above from the instruction below
    if (text === "") this.#comments = [];
    else this.#comments.push(text);
  }

  #instruction(first: SourceLine, firstText: string): void {
    const start = positionOf(first);
    const { joined, pieces, hasEmptyLine } = this.#join(first, firstText);
    const joinedEnd = this.#reader.lineNumber;
    const split = this.#split(joined, { start: first.number, end: joinedEnd });
    this.#hasInstruction = true;
    if (split === undefined) return;
    const openings = canOpenHeredocs(split) ? findHeredocs(joined) : [];
    const heredocs = openings.map((opening) => this.#heredoc(opening, first.number));
    const node: InstructionNode = {
      kind: "instruction",
      ...split,
      span: { start, end: this.#reader.position },
      lines: { start: first.number, end: this.#reader.lineNumber },
      joined,
      pieces,
      heredocs,
      comments: this.#comments,
      emptyContinuationLine: hasEmptyLine ? joinedEnd : undefined,
    };
    this.#nodes.push(node);
    this.#comments = [];
  }

  #split(joined: string, lines: LineRange): SplitInstruction | undefined {
    try {
      return atLines(lines, false, () => splitInstruction(joined, this.#escape));
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      this.#faults.push(error);
      return undefined;
    }
  }

  #join(first: SourceLine, firstText: string): { joined: string; pieces: readonly LinePiece[]; hasEmptyLine: boolean } {
    const pieces: LinePiece[] = [];
    const texts: string[] = [];
    let hasEmptyLine = false;
    let length = 0;
    const append = (line: SourceLine, whole: string, indent: number): boolean => {
      const { text, continued } = this.#withoutContinuation(whole);
      const source = positionOf(line);
      pieces.push({ at: length, length: text.length, source: { ...source, offset: source.offset + indent, column: indent + 1 } });
      texts.push(text);
      length += text.length;
      return continued;
    };
    let continued = append(first, firstText, first.text.length - firstText.length);
    while (continued) {
      const line = this.#reader.next();
      if (line === undefined) break;
      const text = trimLeft(line.text);
      if (text === "") hasEmptyLine = true;
      else if (!text.startsWith("#")) continued = append(line, line.text, 0);
    }
    return { joined: texts.join(""), pieces, hasEmptyLine };
  }

  /** The escape at the end of a line continues it, unless another escape stands before. */
  #withoutContinuation(text: string): { text: string; continued: boolean } {
    let end = text.length;
    while (end > 0 && (text[end - 1] === " " || text[end - 1] === "\t")) end--;
    const continued = end > 0 && text[end - 1] === this.#escape && (end === 1 || text[end - 2] !== this.#escape);
    return continued ? { text: text.slice(0, end - 1), continued } : { text, continued };
  }

  #heredoc(opening: HeredocOpening, firstLine: number): HeredocBody {
    const start = this.#reader.position;
    for (;;) {
      const end = this.#reader.position;
      const line = this.#reader.next();
      if (line === undefined) throw dockerfileError("unterminated heredoc", { start: firstLine, end: this.#reader.lineNumber });
      const text = opening.chomp ? line.text.replace(/^\t+/, "") : line.text;
      if (text === opening.name) return { ...opening, raw: this.#text.slice(start.offset, end.offset), span: { start, end } };
    }
  }

  #span(line: SourceLine): Span {
    return { start: positionOf(line), end: this.#reader.position };
  }
}

function positionOf(line: SourceLine): Position {
  return { offset: line.offset, line: line.number, column: 1 };
}

function canOpenHeredocs(split: SplitInstruction): boolean {
  const inner = split.arguments.form === "nested" ? split.arguments.instruction : split;
  return mayOpenHeredocs.has(inner.keyword.toLowerCase()) && inner.arguments.form !== "json";
}
