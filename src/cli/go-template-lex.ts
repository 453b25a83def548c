/** A template's text as literal pieces and actions, and each action's words as tokens with their offsets. */
import { cliError } from "./failure.ts";

export type Token =
  | { readonly kind: "field" | "variable" | "identifier" | "operator"; readonly text: string; readonly at: number; readonly spaced: boolean }
  | { readonly kind: "string"; readonly text: string; readonly value: string; readonly at: number; readonly spaced: boolean }
  | { readonly kind: "number"; readonly text: string; readonly value: number; readonly at: number; readonly spaced: boolean };

export type Piece = { readonly kind: "text"; readonly text: string } | { readonly kind: "action"; readonly tokens: readonly Token[]; readonly at: number };

export interface TemplateSource {
  readonly name: string;
  readonly text: string;
  /** begins the message of a text that is no template; "template parsing error: " if not given */
  readonly errorPrefix?: string | undefined;
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

/** Go's words for a text that is no template: code TEMPLATE. */
export function parseFailure(source: TemplateSource, offset: number, message: string): Error {
  const prefix = source.errorPrefix ?? "template parsing error: ";
  return cliError(`${prefix}template: ${source.name}:${lineOf(source.text, offset)}: ${message}`, "TEMPLATE");
}

/** Longer templates are refused: nobody writes them by hand. */
const maxTemplateLength = 1 << 20;

export function splitTemplate(source: TemplateSource): readonly Piece[] {
  const { text } = source;
  if (text.length > maxTemplateLength) throw parseFailure(source, 0, "template too long");
  const pieces: Piece[] = [];
  let at = 0;
  let trimNext = false;
  while (at < text.length) {
    const open = text.indexOf("{{", at);
    const trimBefore = open >= 0 && /^-[ \t\r\n]/.test(text.slice(open + 2, open + 4));
    let literal = text.slice(at, open < 0 ? text.length : open);
    if (trimNext) literal = literal.replace(/^[ \t\r\n]+/, "");
    if (trimBefore) literal = literal.replace(/[ \t\r\n]+$/, "");
    if (literal !== "") pieces.push({ kind: "text", text: literal });
    if (open < 0) break;
    const start = open + (trimBefore ? 3 : 2);
    const action = readAction(source, start);
    if (action.tokens !== undefined) pieces.push({ kind: "action", tokens: action.tokens, at: start });
    trimNext = action.trimAfter;
    at = action.end;
  }
  return pieces;
}

function readAction(source: TemplateSource, start: number): { tokens?: readonly Token[]; trimAfter: boolean; end: number } {
  const comment = /^\s*\/\*[^]*?\*\/(\s+-)?\}\}/.exec(source.text.slice(start));
  if (comment !== null) return { trimAfter: comment[1] !== undefined, end: start + comment[0].length };
  if (/^\s*\/\*/.test(source.text.slice(start))) throw parseFailure(source, start, "unclosed comment");
  return readTokens(source, start);
}

const tokenPatterns: readonly (readonly [kind: "field" | "variable" | "identifier" | "operator" | "number" | "string", pattern: RegExp])[] = [
  ["string", /"(?:[^"\\\n]|\\.)*"/y],
  ["string", /`[^`]*`/y],
  ["string", /'(?:[^'\\\n]|\\.)+'/y],
  ["number", /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)/y],
  ["field", /\.[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["variable", /\$[\p{L}\p{Nd}_]*/uy],
  ["identifier", /[\p{L}_][\p{L}\p{Nd}_]*/uy],
  ["operator", /:=|[=|(),.]/y],
];

function readTokens(source: TemplateSource, start: number): { tokens: readonly Token[]; trimAfter: boolean; end: number } {
  const { text } = source;
  const tokens: Token[] = [];
  let at = start;
  for (;;) {
    const blank = /[ \t\r\n]*/y;
    blank.lastIndex = at;
    const spaced = blank.exec(text)![0] !== "";
    at = blank.lastIndex;
    if (spaced && text.startsWith("-}}", at)) return { tokens, trimAfter: true, end: at + 3 };
    if (text.startsWith("}}", at)) return { tokens, trimAfter: false, end: at + 2 };
    if (at >= text.length) throw parseFailure(source, at, "unclosed action");
    const token = readToken(source, at, spaced);
    tokens.push(token);
    at += token.text.length;
  }
}

function readToken(source: TemplateSource, at: number, spaced: boolean): Token {
  for (const [kind, pattern] of tokenPatterns) {
    pattern.lastIndex = at;
    const text = pattern.exec(source.text)?.[0];
    if (text === undefined) continue;
    if (kind === "string") return literalToken(source, text, at, spaced);
    if (kind === "number") return { kind, text, value: Number(text.replaceAll("_", "")), at, spaced };
    return { kind, text, at, spaced };
  }
  const character = String.fromCodePoint(source.text.codePointAt(at)!);
  if (character === '"') throw parseFailure(source, at, "unterminated quoted string");
  if (character === "`") throw parseFailure(source, at, "unterminated raw quoted string");
  if (character === "'") throw parseFailure(source, at, "unterminated character constant");
  const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
  const operators = ["<", ">", "*", "!", "&", "+", "-", "/", "%", "^"];
  throw parseFailure(
    source,
    at,
    operators.includes(character) ? `unexpected ${JSON.stringify(character)} in command` : `bad character U+${code} '${character}'`,
  );
}

const escapes: Readonly<Record<string, string>> = { a: "\x07", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

/** The value between Go's quotes. */
function unquote(body: string): string {
  return body.replace(/\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))/g, (_, x, u, big, octal, other) => {
    const hex: string | undefined = x ?? u ?? big;
    if (hex !== undefined) return String.fromCodePoint(Math.min(parseInt(hex, 16), 0x10ffff));
    if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8));
    return escapes[other] ?? String(other);
  });
}

function literalToken(source: TemplateSource, text: string, at: number, spaced: boolean): Token {
  const body = text.slice(1, -1);
  if (text.startsWith("`")) return { kind: "string", text, value: body, at, spaced };
  const value = unquote(body);
  if (text.startsWith('"')) return { kind: "string", text, value, at, spaced };
  if ([...value].length !== 1) throw parseFailure(source, at, `malformed character constant: ${text}`);
  return { kind: "number", text, value: value.codePointAt(0)!, at, spaced };
}
