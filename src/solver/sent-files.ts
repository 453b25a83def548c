/**
 * What Docker's client sends of a directory: what the build's sources select, read as patterns, and nothing else. Here nothing
 * is sent; but what would not have been is not there for Docker, and a build that it refuses is not to succeed here.
 */
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { compileGlob, hasGlob } from "../dockerfile/glob.ts";
import { compilePathPattern } from "../dockerfile/path-pattern.ts";
import { joinPath, parentOf, type FileView } from "../store/index.ts";

export interface SentFiles {
  /** Whether Docker would have the file or directory. Cost: it may walk what is below. */
  has(path: string): boolean;
}

/** Fails with PATTERN_SYNTAX in the client's words: no line is to blame, for the patterns of all sources go together. */
export function sentFiles(view: FileView, sources: readonly string[]): SentFiles {
  const patterns = withoutRepeats(followLinks(view, byBytes(sources.map(cleanPattern))));
  const matchers = compileAll(patterns);
  const isTaken = (path: string): boolean => matchers.some(({ matches }) => matches(path));
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

function byBytes(patterns: readonly string[]): readonly string[] {
  return patterns.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

/** Sorted by bytes; what lies below another is sent with it. */
function withoutRepeats(patterns: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const pattern of byBytes(patterns)) {
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

/**
 * A source that is a symlink, or lies behind one, brings what it leads to. A part with wildcards counts only where the parts
 * before it have none: what links it finds deeper down stay without their targets.
 */
function followLinks(view: FileView, sources: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const follow = (source: string): void => {
    const parts = source.split("/");
    for (const index of parts.keys()) {
      const current = parts.slice(0, index + 1).join("/");
      const rest = parts.slice(index + 1).join("/");
      const targets = linkTargets(view, current);
      if ((rest === "" || targets.length > 0) && found.has(current)) return;
      if (rest === "" || targets.length > 0) found.add(current);
      for (const target of targets) follow(joinPath(target, rest));
      if (targets.length > 0) return;
    }
  };
  for (const source of sources) follow(source);
  return [...found];
}

function linkTargets(view: FileView, path: string): readonly string[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const directory = parentOf(path);
  const names = hasGlob(name) ? namesOf(view, directory, name) : [name];
  return names.flatMap((one) => {
    const node = view.lookup(joinPath(directory, one));
    if (node?.type !== "symlink") return [];
    return [cleanPattern(node.linkname.startsWith("/") ? node.linkname : `${directory}/${node.linkname}`)];
  });
}

/** Entries that the pattern finds; none where it cannot be read. */
function namesOf(view: FileView, directory: string, pattern: string): readonly string[] {
  if (directory !== "" && view.lookup(directory)?.type !== "directory") return [];
  try {
    return view.list(directory).filter(compileGlob(pattern));
  } catch (error) {
    if (!isSlipwayError(error, "PATTERN_SYNTAX")) throw error;
    return [];
  }
}
