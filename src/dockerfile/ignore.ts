/** `.dockerignore`: which paths of a context the build sees. */
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

export interface IgnoreMatcher {
  readonly patterns: readonly IgnorePattern[];
  /** true when the context-relative path (with `/`, without leading `/`) is left out of the context */
  matches(path: string): boolean;
  /** the pattern that decided, undefined when none says anything about the path */
  explain(path: string): IgnoreExplanation | undefined;
  /** true when the directory is ignored and nothing below it can be re-included */
  canSkipDirectory(path: string): boolean;
}

export function parseIgnore(text: string | Uint8Array): readonly IgnorePattern[] {
  throw new Error(`not written yet ${text.length}`);
}

export function createIgnoreMatcher(patterns: readonly (string | IgnorePattern)[]): IgnoreMatcher {
  throw new Error(`not written yet ${patterns.length}`);
}
