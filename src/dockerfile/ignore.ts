/**
 * `.dockerignore`: which paths of a context the build sees. Lines apply in order and the last that says something
 * wins; a line about a directory goes for all below it. COPY --exclude uses the same patterns.
 * @see https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
import { trimSpace } from "./go-text.ts";
import { cleanPath, compileIgnorePattern, type CompiledIgnorePattern } from "./ignore-pattern.ts";
import { patternSyntaxError } from "./path-pattern.ts";

export interface IgnorePattern {
  /** cleaned pattern, with its leading `!` */
  readonly pattern: string;
  /** 1-based line in the ignore file; 0 when the pattern does not come from a file */
  readonly line: number;
}

export interface IgnoreExplanation {
  readonly ignored: boolean;
  readonly pattern: string;
  readonly line: number;
}

/** Paths are relative to the context, with `/` between names and none at the ends. */
export interface IgnoreMatcher {
  readonly patterns: readonly IgnorePattern[];
  /** some pattern begins with `!` */
  readonly hasExclusions: boolean;
  /**
   * true when the path itself is left out. A directory that is left out may still hold paths that are not:
   * then it is part of the context as their parent. Cheapest when siblings are asked for one after the other.
   */
  matches(path: string): boolean;
  /** the pattern that decided, undefined when none says anything about the path */
  explain(path: string): IgnoreExplanation | undefined;
  /** true when the directory is ignored and nothing below it can be taken back in */
  canSkipDirectory(path: string): boolean;
}

const maximumLineLength = 65_535;

/** Comments and blank lines dropped, paths cleaned, line numbers kept. Throws PATTERN_SYNTAX for an endless line. */
export function parseIgnore(source: string | Uint8Array): readonly IgnorePattern[] {
  const text = typeof source === "string" ? source : new TextDecoder().decode(source);
  return text
    .replace(/^\ufeff/, "")
    .split("\n")
    .flatMap((line, index) => patternFromLine(line, index + 1));
}

function patternFromLine(line: string, number: number): readonly IgnorePattern[] {
  if (line.length > maximumLineLength) throw patternSyntaxError(`line ${number} of the ignore file is too long`, line.slice(0, 80));
  if (line.startsWith("#")) return [];
  const trimmed = trimSpace(line);
  if (trimmed === "") return [];
  const exclusion = trimmed.startsWith("!");
  const path = exclusion ? trimSpace(trimmed.slice(1)) : trimmed;
  const cleaned = path === "" ? "" : cleanPath(path);
  const relative = cleaned.length > 1 && cleaned.startsWith("/") ? cleaned.slice(1) : cleaned;
  return [{ pattern: exclusion ? `!${relative}` : relative, line: number }];
}

/** Throws PATTERN_SYNTAX in Docker's words ("syntax error in pattern", `illegal exclusion pattern: "!"`). */
export function createIgnoreMatcher(patterns: readonly (string | IgnorePattern)[]): IgnoreMatcher {
  const compiled: CompiledIgnorePattern[] = [];
  const origins: IgnorePattern[] = [];
  for (const entry of patterns) {
    const { pattern, line } = typeof entry === "string" ? { pattern: entry, line: 0 } : entry;
    const one = compileIgnorePattern(pattern);
    if (one === undefined) continue;
    compiled.push(one);
    origins.push({ pattern: one.pattern, line });
  }
  return new OrderedMatcher(compiled, origins);
}

/** What the patterns say about one path; `matched[i]` is inherited by everything below. */
interface Verdict {
  readonly ignored: boolean;
  readonly matched: Uint8Array;
  /** index of the pattern that decided, -1 for none */
  readonly decidedBy: number;
}

class OrderedMatcher implements IgnoreMatcher {
  readonly patterns: readonly IgnorePattern[];
  readonly hasExclusions: boolean;
  readonly #compiled: readonly CompiledIgnorePattern[];
  readonly #top: Verdict;
  /** the verdicts of the directories on the way to the last path */
  readonly #trail: { readonly prefix: string; readonly verdict: Verdict }[] = [];

  constructor(compiled: readonly CompiledIgnorePattern[], origins: readonly IgnorePattern[]) {
    this.patterns = origins;
    this.#compiled = compiled;
    this.hasExclusions = compiled.some(({ exclusion }) => exclusion);
    this.#top = { ignored: false, matched: new Uint8Array(compiled.length), decidedBy: -1 };
  }

  matches(path: string): boolean {
    return this.#verdict(path).ignored;
  }

  explain(path: string): IgnoreExplanation | undefined {
    const { ignored, decidedBy } = this.#verdict(path);
    const origin = this.patterns[decidedBy];
    return origin === undefined ? undefined : { ignored, ...origin };
  }

  canSkipDirectory(path: string): boolean {
    if (!this.matches(path)) return false;
    return !this.#compiled.some((pattern) => pattern.exclusion && pattern.couldMatchFrom(`${path}/`));
  }

  #verdict(path: string): Verdict {
    if (path === "" || path === "." || this.#compiled.length === 0) return this.#top;
    const parent = this.#directory(path);
    if (parent.ignored && !this.hasExclusions) return parent;
    return this.#judge(path, parent);
  }

  /** The verdict on the path's directory, found step by step from the nearest one that is known. */
  #directory(path: string): Verdict {
    while (this.#trail.length > 0 && !path.startsWith(this.#trail.at(-1)?.prefix ?? "")) this.#trail.pop();
    let verdict = this.#trail.at(-1)?.verdict ?? this.#top;
    let from = this.#trail.at(-1)?.prefix.length ?? 0;
    for (let end = path.indexOf("/", from); end >= 0; end = path.indexOf("/", from)) {
      verdict = this.#judge(path.slice(0, end), verdict);
      from = end + 1;
      this.#trail.push({ prefix: path.slice(0, from), verdict });
    }
    return verdict;
  }

  // A pattern that could change nothing is not tried, and then what is below inherits no match of it:
  // `a/x`, `!a` leaves a/x out although `!a` alone covers it. Docker walks the context in this way.
  #judge(path: string, parent: Verdict): Verdict {
    const matched = new Uint8Array(this.#compiled.length);
    let ignored = false;
    let decidedBy = -1;
    for (let index = 0; index < this.#compiled.length; index++) {
      const pattern = this.#compiled[index];
      if (pattern === undefined) continue;
      const inherited = parent.matched[index] === 1;
      if (!inherited && (pattern.exclusion !== ignored || !pattern.matches(path))) continue;
      matched[index] = 1;
      ignored = !pattern.exclusion;
      decidedBy = index;
    }
    return { ignored, matched, decidedBy };
  }
}
