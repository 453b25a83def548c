/**
 * Text rules of the language Docker is written in, where they differ from JavaScript's: what counts as a blank,
 * and how a quoted string looks in an error message.
 */

const space = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const leadingSpace = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const printableCharacter = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** Unicode's White_Space property (`\s` differs: it has U+FEFF and lacks U+0085). */
export function isSpace(character: string): boolean {
  return space.test(character);
}

export function trimLeft(text: string): string {
  return text.replace(leadingSpace, "");
}

// a regex anchored at the end would try every run of blanks in the middle: quadratic on hostile text
export function trimRight(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

export function trimSpace(text: string): string {
  return trimLeft(trimRight(text));
}

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ["\u0007", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** The text in double quotes as Docker's messages show it. */
export function quoteText(text: string): string {
  let quoted = '"';
  for (const character of text) quoted += shortEscapes.get(character) ?? escapeUnprintable(character);
  return `${quoted}"`;
}

function escapeUnprintable(character: string): string {
  if (printableCharacter.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
  return `\\U${code.toString(16).padStart(8, "0")}`;
}
