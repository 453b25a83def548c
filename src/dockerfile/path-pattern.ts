/**
 * Patterns over slash-separated paths, compiled once and matched by simulating all positions at the same time:
 * the work is bounded by pattern length × path length, whatever the pattern is.
 */
import { SlipwayError } from "../base/errors.ts";

/**
 * `*` and `?` stop at slashes; a class may match one, as in Docker. `below` is any number of whole directories
 * (`(…/)?`), split into its entry and its loop; `rest` is everything up to the end.
 */
type Token =
  | { readonly kind: "literal"; readonly code: number }
  | { readonly kind: "any" }
  | { readonly kind: "star" }
  | { readonly kind: "class"; readonly negated: boolean; readonly ranges: readonly (readonly [number, number])[] }
  | { readonly kind: "belowEntry" }
  | { readonly kind: "belowLoop" }
  | { readonly kind: "rest" };

export interface PathPattern {
  matches(path: string): boolean;
  /** whether some path that begins with `start` could match */
  couldMatchFrom(start: string): boolean;
}

const slash = 47;
const star = 42;
const maximumPatternLength = 16_384;

/** Throws PATTERN_SYNTAX. With `doubleStar`, `**` spans directories; without, it is two stars. */
export function compilePathPattern(pattern: string, { doubleStar }: { readonly doubleStar: boolean }): PathPattern {
  const tokens = new PatternParser(pattern, doubleStar).parse();
  return new TokenMatcher(tokens);
}

export function patternSyntaxError(message: string, pattern: string): SlipwayError {
  return new SlipwayError("invalid_argument", "PATTERN_SYNTAX", message, { pattern });
}

class PatternParser {
  readonly #pattern: string;
  readonly #doubleStar: boolean;
  readonly #codes: readonly number[];
  readonly #tokens: Token[] = [];
  #position = 0;

  constructor(pattern: string, doubleStar: boolean) {
    if (pattern.length > maximumPatternLength) throw patternSyntaxError("pattern is too long", pattern.slice(0, 80));
    this.#pattern = pattern;
    this.#doubleStar = doubleStar;
    this.#codes = Array.from(pattern, (character) => character.codePointAt(0) ?? 0);
  }

  parse(): readonly Token[] {
    while (this.#position < this.#codes.length) this.#token(this.#next());
    return this.#tokens;
  }

  #next(): number {
    const code = this.#codes[this.#position++];
    if (code === undefined) throw patternSyntaxError("syntax error in pattern", this.#pattern);
    return code;
  }

  #take(character: string): boolean {
    if (this.#codes[this.#position] !== character.codePointAt(0)) return false;
    this.#position++;
    return true;
  }

  #token(code: number): void {
    switch (String.fromCodePoint(code)) {
      case "*":
        this.#star();
        return;
      case "?":
        this.#tokens.push({ kind: "any" });
        return;
      case "[":
        this.#tokens.push(this.#class());
        return;
      case "\\":
        this.#tokens.push({ kind: "literal", code: this.#next() });
        return;
      default:
        this.#tokens.push({ kind: "literal", code });
    }
  }

  #star(): void {
    if (!this.#doubleStar || this.#codes[this.#position] !== star) {
      this.#tokens.push({ kind: "star" });
      return;
    }
    this.#position++;
    this.#take("/");
    if (this.#position >= this.#codes.length) this.#tokens.push({ kind: "rest" });
    else this.#tokens.push({ kind: "belowEntry" }, { kind: "belowLoop" });
  }

  #class(): Token {
    const negated = this.#take("^");
    const ranges: (readonly [number, number])[] = [];
    while (ranges.length === 0 || !this.#take("]")) {
      const low = this.#classCharacter();
      ranges.push([low, this.#take("-") ? this.#classCharacter() : low]);
    }
    return { kind: "class", negated, ranges };
  }

  #classCharacter(): number {
    const code = this.#next();
    const character = String.fromCodePoint(code);
    if (character === "-" || character === "]") throw patternSyntaxError("syntax error in pattern", this.#pattern);
    return character === "\\" ? this.#next() : code;
  }
}

class TokenMatcher implements PathPattern {
  readonly #tokens: readonly Token[];
  /** the states in `#current[0…#count]` are alive; `#marks[state] === #generation` says that it is in `#next` */
  #current: Int32Array;
  #next: Int32Array;
  #count = 0;
  #nextCount = 0;
  readonly #marks: Int32Array;
  #generation = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
    this.#current = new Int32Array(tokens.length + 1);
    this.#next = new Int32Array(tokens.length + 1);
    this.#marks = new Int32Array(tokens.length + 1);
  }

  matches(path: string): boolean {
    return this.#run(path) && this.#isAlive(this.#tokens.length);
  }

  couldMatchFrom(start: string): boolean {
    return this.#run(start);
  }

  #isAlive(state: number): boolean {
    for (let index = 0; index < this.#count; index++) if (this.#current[index] === state) return true;
    return false;
  }

  /** Reads the whole text; false as soon as no state is alive. */
  #run(text: string): boolean {
    this.#begin();
    this.#enter(0);
    this.#swap();
    for (let position = 0; position < text.length && this.#count > 0; position++) {
      const code = text.codePointAt(position) ?? 0;
      if (code > 0xffff) position++;
      this.#begin();
      for (let index = 0; index < this.#count; index++) this.#read(this.#current[index] ?? 0, code);
      this.#swap();
    }
    return this.#count > 0;
  }

  #begin(): void {
    this.#nextCount = 0;
    this.#generation++;
  }

  #swap(): void {
    [this.#current, this.#next] = [this.#next, this.#current];
    this.#count = this.#nextCount;
  }

  #enter(state: number): void {
    if (this.#marks[state] === this.#generation) return;
    this.#marks[state] = this.#generation;
    this.#next[this.#nextCount++] = state;
    const kind = this.#tokens[state]?.kind;
    if (kind === "star" || kind === "rest") this.#enter(state + 1);
    else if (kind === "belowEntry") {
      this.#enter(state + 1);
      this.#enter(state + 2);
    }
  }

  #read(state: number, code: number): void {
    const token = this.#tokens[state];
    if (token === undefined) return;
    switch (token.kind) {
      case "literal":
        if (token.code === code) this.#enter(state + 1);
        return;
      case "any":
        if (code !== slash) this.#enter(state + 1);
        return;
      case "star":
        if (code !== slash) this.#enter(state);
        return;
      case "class":
        if (token.ranges.some(([low, high]) => low <= code && code <= high) !== token.negated) this.#enter(state + 1);
        return;
      case "belowEntry":
        return;
      case "belowLoop":
        this.#enter(state);
        if (code === slash) this.#enter(state + 1);
        return;
      case "rest":
        this.#enter(state);
    }
  }
}
