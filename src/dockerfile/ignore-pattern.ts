/** One line of an ignore file, compiled: most lines are names, prefixes or suffixes and need no real matching. */
import { posix } from "node:path";
import { trimSpace } from "./go-text.ts";
import { compilePathPattern, patternSyntaxError, type PathPattern } from "./path-pattern.ts";

export interface CompiledIgnorePattern extends PathPattern {
  /** cleaned, with its leading `!` */
  readonly pattern: string;
  /** begins with `!`: takes paths back in */
  readonly exclusion: boolean;
}

/** undefined for a blank pattern. Throws PATTERN_SYNTAX in Docker's words. */
export function compileIgnorePattern(pattern: string): CompiledIgnorePattern | undefined {
  const trimmed = trimSpace(pattern);
  if (trimmed === "") return undefined;
  const cleaned = cleanPath(trimmed);
  const exclusion = cleaned.startsWith("!");
  if (cleaned === "!") throw patternSyntaxError('illegal exclusion pattern: "!"', cleaned);
  const body = exclusion ? cleaned.slice(1) : cleaned;
  // checks the syntax even where a shortcut matches
  const general = compilePathPattern(body, { doubleStar: true });
  return { pattern: cleaned, exclusion, ...(shortcutOf(body) ?? guarded(body, general)) };
}

/** Go's filepath.Clean: `.` and `..` resolved, no double and no final slash. */
export function cleanPath(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith("/") ? normal.slice(0, -1) : normal;
}

function isPlain(text: string): boolean {
  return !/[*?[\\\]]/.test(text);
}

function shortcutOf(body: string): PathPattern | undefined {
  if (isPlain(body)) return { matches: (path) => path === body, couldMatchFrom: (start) => body.startsWith(start) };
  if (body.endsWith("**") && isPlain(body.slice(0, -2)) && body !== "**") {
    const prefix = body.slice(0, -2);
    return {
      matches: (path) => path.startsWith(prefix),
      couldMatchFrom: (start) => start.startsWith(prefix) || prefix.startsWith(start),
    };
  }
  if (!body.startsWith("**") || !isPlain(body.slice(2))) return undefined;
  const suffix = body.slice(2);
  const name = suffix.startsWith("/") ? suffix.slice(1) : undefined;
  return { matches: (path) => path.endsWith(suffix) || path === name, couldMatchFrom: () => true };
}

/** A literal beginning or end rules most paths out before the real matching. */
function guarded(body: string, general: PathPattern): PathPattern {
  const prefix = /^[^*?[\\\]]*/.exec(body)?.[0] ?? "";
  const end = endOfPlain(body);
  return {
    matches: (path) => path.startsWith(prefix) && path.endsWith(end) && general.matches(path),
    couldMatchFrom: (start) => general.couldMatchFrom(start),
  };
}

function endOfPlain(body: string): string {
  let start = body.length;
  while (start > 0 && isPlain(body.charAt(start - 1))) start--;
  const end = body.slice(start);
  // the first character may be escaped, and a slash behind `**` need not be in the path
  return end.startsWith("/") || body[start - 1] === "\\" ? end.slice(1) : end;
}
