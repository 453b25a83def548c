/**
 * The patterns of COPY and ADD sources: `*`, `?`, `[a-z]`, `[^a]` and `\x`, as Go's filepath.Match reads them.
 * `**` has no meaning of its own here; `--exclude` takes the patterns of ignore.ts.
 */
import { compilePathPattern } from "./path-pattern.ts";

/** Whether the whole path matches; `*` and `?` never match a slash. Throws PATTERN_SYNTAX. */
export function matchGlob(pattern: string, path: string): boolean {
  return compileGlob(pattern)(path);
}

/** For one pattern and many paths. Throws PATTERN_SYNTAX at once. */
export function compileGlob(pattern: string): (path: string) => boolean {
  const compiled = compilePathPattern(pattern, { doubleStar: false });
  return (path) => compiled.matches(path);
}

/** Whether COPY treats the source as a pattern: it has `*`, `?` or `[` without a backslash before. */
export function hasGlob(pattern: string): boolean {
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern.charAt(index);
    if (character === "\\") index++;
    else if ("*?[".includes(character)) return true;
  }
  return false;
}

/** Splits before the first component with a wildcard: `a/b/*.txt` → `a/b/` and `*.txt`. */
export function splitGlob(pattern: string): { readonly directory: string; readonly pattern: string } {
  const parts = pattern.split("/");
  const index = parts.findIndex(hasGlob);
  if (index < 0) return { directory: pattern, pattern: "" };
  const directory = parts.slice(0, index).map((part) => `${part}/`);
  return { directory: directory.join(""), pattern: parts.slice(index).join("/") };
}
