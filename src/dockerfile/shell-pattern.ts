/**
 * The patterns of `${name#pattern}`, `%` and `/`: `*` any text, `?` any character (neither crosses a newline), `\`
 * before `*`, `?` and `\`. Matched by simulating all positions at once: linear in the value for a given pattern.
 */
import { SlipwayError } from "../base/errors.ts";

type Token = { readonly kind: "star" } | { readonly kind: "any" } | { readonly kind: "literal"; readonly character: string };

export type ShellPattern = readonly Token[];

const maximumSteps = 1 << 25;

/** Throws SHELL_PATTERN with Docker's "invalid escape" for `\` before an ordinary character. */
export function parseShellPattern(pattern: string): ShellPattern {
  const tokens: Token[] = [];
  const characters = [...pattern];
  for (let index = 0; index < characters.length; index++) {
    let character = characters[index] ?? "";
    if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "any" });
    else {
      if (character === "\\") {
        const next = characters[index + 1];
        // the escape of `}` and `/` belongs to `${}`, not to the pattern
        if (next === "}" || next === "/") continue;
        if (next !== "*" && next !== "?" && next !== "\\") throw invalidEscape(next ?? "\ufffd");
        character = next;
        index++;
      }
      tokens.push({ kind: "literal", character });
    }
  }
  return tokens;
}

function invalidEscape(character: string): SlipwayError {
  return new SlipwayError("invalid_argument", "SHELL_PATTERN", `invalid escape '\\${character}'`, { character });
}

/** The value without the shortest or longest beginning that matches. */
export function trimPrefix(pattern: ShellPattern, value: string, longest: boolean): string {
  const characters = [...value];
  const end = matchEnd(pattern, characters, 0, longest);
  return end === undefined ? value : characters.slice(end).join("");
}

/** The pattern backwards, for an end is the beginning of the value backwards. An escape stays before what it escapes. */
export function reversePattern(pattern: string): string {
  return (pattern.match(/\\[\s\S]|[\s\S]/gu) ?? []).toReversed().join("");
}

/** The value without the shortest or longest end that matches; the pattern was reversed before it was parsed. */
export function trimSuffix(reversed: ShellPattern, value: string, longest: boolean): string {
  const characters = [...value].reverse();
  const end = matchEnd(reversed, characters, 0, longest);
  return end === undefined ? value : characters.slice(end).reverse().join("");
}

/** Replaces the first match (the leftmost, as long as possible) or all. `$0` in the replacement of all is the match. */
export function replacePattern(pattern: ShellPattern, value: string, replacement: string, all: boolean): string {
  const characters = [...value];
  const starts = matchStarts(pattern, characters);
  const parts: string[] = [];
  let copied = 0;
  let lastEnd = -1;
  for (let start = 0; start <= characters.length; start++) {
    if (!starts[start]) continue;
    const end = matchEnd(pattern, characters, start, true) ?? start;
    // an empty match directly behind a match does not count
    if (end === start && start === lastEnd) continue;
    parts.push(characters.slice(copied, start).join(""));
    parts.push(all ? expandTemplate(replacement, characters.slice(start, end).join("")) : replacement);
    copied = end;
    lastEnd = end;
    if (!all) break;
    if (end > start) start = end - 1;
  }
  parts.push(characters.slice(copied).join(""));
  return parts.join("");
}

/** `$0` and `${0}` are the match, other groups are empty, `$$` is a dollar, anything else stays. */
function expandTemplate(template: string, match: string): string {
  if (!template.includes("$")) return template;
  return template.replace(/\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu, (whole, braced, bare) => {
    if (whole === "$$") return "$";
    return (braced ?? bare) === "0" ? match : "";
  });
}

function matchesCharacter(token: Token, character: string): boolean {
  return token.kind === "literal" ? token.character === character : character !== "\n";
}

/** Marks the states reachable from `state` without reading: a star may match nothing. */
function addState(pattern: ShellPattern, states: Uint8Array, state: number): void {
  for (let current = state; ; current++) {
    states[current] = 1;
    if (pattern[current]?.kind !== "star") return;
  }
}

function step(pattern: ShellPattern, states: Uint8Array, character: string): { states: Uint8Array; alive: boolean } {
  const next = new Uint8Array(pattern.length + 1);
  let alive = false;
  for (let state = 0; state < pattern.length; state++) {
    const token = pattern[state];
    if (states[state] !== 1 || token === undefined || !matchesCharacter(token, character)) continue;
    alive = true;
    addState(pattern, next, token.kind === "star" ? state : state + 1);
  }
  return { states: next, alive };
}

function assertAffordable(pattern: ShellPattern, length: number): void {
  if ((pattern.length + 1) * (length + 1) <= maximumSteps) return;
  throw new SlipwayError("resource_exhausted", "SUBSTITUTION_TOO_LARGE", "pattern and value of the substitution are too large", {
    patternLength: pattern.length,
    valueLength: length,
  });
}

/** Where the shortest or longest match that begins at `start` ends, undefined without a match. */
function matchEnd(pattern: ShellPattern, characters: readonly string[], start: number, longest: boolean): number | undefined {
  assertAffordable(pattern, characters.length - start);
  let states: Uint8Array = new Uint8Array(pattern.length + 1);
  addState(pattern, states, 0);
  let end: number | undefined;
  for (let position = start; ; position++) {
    if (states[pattern.length] === 1) {
      end = position;
      if (!longest) return end;
    }
    const character = characters[position];
    if (character === undefined) return end;
    const stepped = step(pattern, states, character);
    if (!stepped.alive) return end;
    states = stepped.states;
  }
}

/** For each position whether a match begins there, found in one pass backwards. */
function matchStarts(pattern: ShellPattern, characters: readonly string[]): readonly boolean[] {
  assertAffordable(pattern, characters.length);
  const backwards = pattern.toReversed();
  const starts: boolean[] = Array.from({ length: characters.length + 1 }, () => false);
  let states: Uint8Array = new Uint8Array(pattern.length + 1);
  for (let position = characters.length; position >= 0; position--) {
    addState(backwards, states, 0);
    starts[position] = states[pattern.length] === 1;
    if (position > 0) states = step(backwards, states, characters[position - 1] ?? "").states;
  }
  return starts;
}
