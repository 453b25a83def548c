/** Maven's order of versions. @see https://maven.apache.org/pom.html#version-order-specification */
import { compareDigits } from "./dpkg-version.ts";

const qualifiers = ["alpha", "beta", "milestone", "rc", "snapshot", "", "sp"];
const synonyms: Readonly<Record<string, string>> = { ga: "", final: "", release: "", cr: "rc" };
const abbreviations: Readonly<Record<string, string>> = { a: "alpha", b: "beta", m: "milestone" };

interface Token {
  readonly separator: "." | "-";
  readonly text: string;
  readonly isNumber: boolean;
}

/** Cut at dots, hyphens and where digits meet letters, which is a hyphen too. */
function tokensOf(version: string): readonly Token[] {
  const tokens: Token[] = [];
  let separator: "." | "-" = ".";
  let wasDigits: boolean | undefined;
  for (const [part] of version
    .toLowerCase()
    .replaceAll("_", "-")
    .matchAll(/[.-]|\d+|[^\d.-]+/g)) {
    if (part === "." || part === "-") {
      // nothing between two separators is a zero
      if (wasDigits === undefined) tokens.push({ separator, text: "0", isNumber: true });
      separator = part;
      wasDigits = undefined;
      continue;
    }
    const isNumber = /^\d/.test(part);
    if (wasDigits !== undefined) separator = "-";
    const nextIsDigit = !isNumber && /^[abm]$/.test(part);
    const expanded = nextIsDigit && followedByDigit(version.toLowerCase(), part) ? (abbreviations[part] ?? part) : part;
    tokens.push({ separator, text: isNumber ? part : (synonyms[expanded] ?? expanded), isNumber });
    wasDigits = isNumber;
  }
  return trimmed(tokens);
}

/** "a1" is "alpha1", "a" alone is a word of its own. */
function followedByDigit(version: string, letter: string): boolean {
  return new RegExp(`(?:^|[\\d.-])${letter}\\d`).test(version);
}

const isNull = ({ text, isNumber }: Token): boolean => text === "" || (isNumber && /^0+$/.test(text));

/** Zeros and empty qualifiers before a hyphen, a qualifier or the end say nothing. */
function trimmed(tokens: readonly Token[]): readonly Token[] {
  const kept: Token[] = [];
  for (const token of tokens) {
    if (token.separator === "-" || !token.isNumber) while (kept.length > 0 && isNull(kept.at(-1) as Token)) kept.pop();
    kept.push(token);
  }
  while (kept.length > 0 && isNull(kept.at(-1) as Token)) kept.pop();
  return kept;
}

function qualifierRank(text: string): string {
  const at = qualifiers.indexOf(text);
  return at < 0 ? `9${text}` : String(at);
}

/** Qualifiers with a dot, with a hyphen; then numbers with a hyphen, with a dot. */
function kindOf({ separator, isNumber }: Token): number {
  return isNumber ? (separator === "-" ? 2 : 3) : separator === "." ? 0 : 1;
}

function compareTokens(a: Token, b: Token): number {
  if (a.isNumber && b.isNumber && a.separator === b.separator) return compareDigits(a.text, b.text);
  if (!a.isNumber && !b.isNumber) {
    const [first, second] = [qualifierRank(a.text), qualifierRank(b.text)];
    return first === second ? 0 : first < second ? -1 : 1;
  }
  return kindOf(a) - kindOf(b);
}

/** What the shorter one is thought to go on with. */
function padding(other: Token): Token {
  return other.isNumber ? { separator: other.separator, text: "0", isNumber: true } : { separator: other.separator, text: "", isNumber: false };
}

export function compareMavenVersions(a: string, b: string): number {
  const [first, second] = [tokensOf(a), tokensOf(b)];
  for (let at = 0; at < Math.max(first.length, second.length); at++) {
    const [x, y] = [first[at], second[at]];
    const difference = compareTokens(x ?? padding(y as Token), y ?? padding(x as Token));
    if (difference !== 0) return difference;
  }
  return 0;
}
