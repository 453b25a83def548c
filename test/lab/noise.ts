/** What differs between any two builds, whoever builds. */
import type { Outcome } from "../conformance/outcome.ts";

/** Their content holds times or orders of a run: only type, mode and owner are compared. */
const noisyContent: readonly RegExp[] = [
  /^var\/log\/./,
  /^var\/cache\/ldconfig\/aux-cache$/,
  /^var\/cache\/apt\/(?:src)?pkgcache\.bin$/,
  /(?:^|\/)_cacache\/index-v5\/./,
  /(?:^|\/)node-compile-cache\/./,
  /\.pyc$/,
];

/** Their names hold a time. */
const noisyNames: readonly RegExp[] = [/(?:^|\/)_logs\/[^/]*-debug-\d+\.log$/];

export function withoutNoise(outcome: Outcome): Outcome {
  if ("error" in outcome) return outcome;
  const kept = Object.entries(outcome.tree).filter(([path]) => !matches(noisyNames, path));
  const lines = kept.map(([path, line]): readonly [string, string] => [path, matches(noisyContent, path) ? withoutContent(line) : line]);
  return { ...outcome, tree: Object.fromEntries(lines) };
}

function matches(patterns: readonly RegExp[], path: string): boolean {
  return patterns.some((pattern) => pattern.test(path));
}

function withoutContent(line: string): string {
  return line.replace(/^(f \S+ \S+ \S+) \d+ \w+/, "$1");
}
