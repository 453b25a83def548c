/**
 * What Docker's client sends of a directory: what the build's sources select, read as patterns, and nothing else. Here nothing
 * is sent; but what would not have been is not there for Docker, and a build that it refuses is not to succeed here.
 */
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { compilePathPattern } from "../dockerfile/path-pattern.ts";
import { joinPath, parentOf, type FileView } from "../store/index.ts";
import { resolveInTree } from "./resolve-path.ts";

export interface SentFiles {
  /** Whether Docker would have the file or directory. Cost: it may walk what is below. */
  has(path: string): boolean;
}

/** Fails with PATTERN_SYNTAX in the client's words: no line is to blame, for the patterns of all sources go together. */
export function sentFiles(view: FileView, sources: readonly string[]): SentFiles {
  const patterns = withoutRepeats(sources.map(cleanPattern));
  const matchers = compileAll(patterns);
  // A source that is a symlink, or lies behind one, brings the file that it leads to; a backslash is an escape here.
  let targets: ReadonlySet<string> | undefined;
  const targetsOf = (): ReadonlySet<string> =>
    new Set(patterns.filter((pattern) => !pattern.includes("\\")).flatMap((pattern) => linkTarget(view, pattern) ?? []));
  const isTaken = (path: string): boolean => (targets ??= targetsOf()).has(path) || matchers.some(({ matches }) => matches(path));
  const isTakenWhole = (path: string): boolean => isTaken(path) || (path !== "" && isTakenWhole(parentOf(path)));
  const hasBelow = (path: string): boolean => {
    return view.list(path).some((name) => isTaken(joinPath(path, name)) || hasBelow(joinPath(path, name)));
  };
  return { has: (path) => patterns.includes("") || isTakenWhole(path) || hasBelow(path) };
}

function cleanPattern(source: string): string {
  const parts: string[] = [];
  for (const part of source.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Sorted by bytes; what lies below another is sent with it. */
function withoutRepeats(patterns: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const pattern of patterns.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const last = kept.at(-1);
    if (last === undefined || (pattern !== last && !pattern.startsWith(`${last}/`))) kept.push(pattern);
  }
  return kept;
}

function compileAll(patterns: readonly string[]): readonly { readonly matches: (path: string) => boolean }[] {
  try {
    return patterns.map((pattern) => compilePathPattern(pattern, { doubleStar: true })).map((compiled) => ({ matches: (path) => compiled.matches(path) }));
  } catch (error) {
    if (!isSlipwayError(error, "PATTERN_SYNTAX")) throw error;
    const message = `rpc error: code = Unknown desc = invalid includepatterns: [${patterns.join(" ")}]: ${error.message}`;
    throw new SlipwayError(error.kind, error.code, message, { ...error.details, lines: undefined }, error);
  }
}

function linkTarget(view: FileView, pattern: string): string | undefined {
  try {
    return resolveInTree(view, pattern);
  } catch {
    return undefined;
  }
}
