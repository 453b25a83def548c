/** Go's filepath.Match: `*`, `?`, `[a-z]`, `\x`; `*` never crosses a `/`. Throws GLOB_SYNTAX for a malformed pattern. */
export function matchGlob(pattern: string, path: string): boolean {
  throw new Error(`not written yet ${pattern} ${path}`);
}

/** Whether COPY treats the source as a pattern rather than as a name. */
export function hasGlob(pattern: string): boolean {
  throw new Error(`not written yet ${pattern}`);
}
