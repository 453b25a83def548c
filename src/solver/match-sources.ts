/** COPY's sources: names and patterns → paths that exist in the source tree. */
import { goQuote } from "../base/go-text.ts";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { compileGlob, hasGlob } from "../dockerfile/glob.ts";
import { joinPath, type FileView } from "../store/index.ts";
import { resolveAsKernel, resolveInTree } from "./resolve-path.ts";
import type { SentFiles } from "./sent-files.ts";

export interface MatchedSource {
  /** as matched: its last part names the copy */
  readonly path: string;
  /** where its content is, symlinks followed */
  readonly resolved: string;
  /** what `--parents` keeps of the path: all of it, or what follows a `/./` */
  readonly kept: string;
}

/** How a source's faults are found, and said. */
export interface Lookup {
  readonly view: FileView;
  /**
   * "copy": Docker looks at the files when it copies them, and a pattern that cannot be read matches nothing; "checksum": a
   * digest of what is selected comes first
   */
  readonly faults: "copy" | "checksum";
  /** with `--exclude` a name that is nowhere is missed by the copy, not by the digest */
  readonly excludes?: boolean;
  /** what is there at all; undefined: everything */
  readonly sent: SentFiles | undefined;
}

/** All of a copy's sources, in their order. Fails as matchSources(). */
export function matchAll(lookup: Lookup, sources: readonly string[]): readonly MatchedSource[] {
  const names = sources.map((source) => splitSource(source).parts.join("/")).filter((name) => !hasGlob(name));
  return sources.flatMap((source) => matchSources(isBelowAnother(source, names) ? { ...lookup, faults: "copy" } : lookup, source));
}

/** What another source brings with it has no digest of its own, so that it is missed by the copy. */
function isBelowAnother(source: string, names: readonly string[]): boolean {
  const name = splitSource(source).parts.join("/");
  return !hasGlob(name) && names.some((other) => other !== name && (other === "" || name.startsWith(`${other}/`)));
}

/**
 * A pattern without a match gives nothing, unless the directory that it begins with is missing; a plain name that is missing
 * fails with SOURCE_NOT_FOUND (not_found) in BuildKit's words, also when it is (or a pattern finds) a symlink that leads nowhere.
 */
export function matchSources(lookup: Lookup, source: string): readonly MatchedSource[] {
  const { parts, pivot } = splitSource(source);
  const pattern = parts.join("/");
  const matched = (path: string, real: string): MatchedSource => {
    const resolved = resolveSource(lookup, real);
    if (!isThere(lookup, resolved)) throw notFound(lookup, `/${path}`, resolved);
    return { path, resolved, kept: path.split("/").slice(pivot).join("/") };
  };
  if (hasGlob(pattern)) return expandPattern(lookup, parts).map(({ path, real }) => matched(path, real));
  // A backslash is sent as a pattern's escape, and then looked for as it is.
  if (pattern.includes("\\") && lookup.sent?.has(pattern) === false) throw notFound(lookup, `/${pattern}`, pattern);
  if (lookup.excludes === true) requireName(lookup, pattern);
  return [matched(pattern, pattern)];
}

function requireName(lookup: Lookup, path: string): void {
  const cut = path.lastIndexOf("/");
  const place = joinPath(resolveSource(lookup, path.slice(0, Math.max(cut, 0))), path.slice(cut + 1));
  if (!isThere(lookup, place)) throw missingAtCopy(place);
}

function isThere({ view, sent }: Lookup, path: string): boolean {
  return view.lookup(path) !== undefined && sent?.has(path) !== false;
}

/** BuildKit looks at each entry of a root that it takes with `--exclude`, and follows the symlinks among them. */
export function requireLinkTarget(lookup: Lookup, path: string): void {
  const resolved = resolveSource({ ...lookup, faults: "checksum" }, path);
  if (!isThere(lookup, resolved)) throw notFound({ ...lookup, faults: "checksum" }, `/${path}`, resolved);
}

/** Clean parts, none of which climbs, and how many of them stand before a `/./`. */
function splitSource(source: string): { readonly parts: readonly string[]; readonly pivot: number } {
  const at = source.indexOf("/./");
  const before = at < 0 ? [] : cleanParts(source.slice(0, at));
  return { parts: [...before, ...cleanParts(at < 0 ? source : source.slice(at + 3))], pivot: before.length };
}

function cleanParts(path: string): readonly string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}

function resolveSource({ view, faults }: Lookup, path: string): string {
  if (faults === "copy") return resolveAsKernel(view, path);
  try {
    return resolveInTree(view, path);
  } catch (error) {
    throw isSlipwayError(error, "TOO_MANY_LINKS") ? ofChecksum(error) : error;
  }
}

/** BuildKit's words; it names its own reference to the source, of which there is none here. */
const checksumFailure = "failed to compute cache key: failed to calculate checksum of ref context: ";

/** The same failure, met while a selection's digest was computed: `details.checksum`. */
export function ofChecksum(error: SlipwayError, what = ""): SlipwayError {
  return new SlipwayError(error.kind, error.code, `${checksumFailure}${what}${error.message}`, { ...error.details, checksum: true }, error);
}

function notFound({ faults }: Lookup, source: string, resolved: string): SlipwayError {
  if (faults === "copy") return missingAtCopy(resolved);
  return new SlipwayError("not_found", "SOURCE_NOT_FOUND", `${checksumFailure}${goQuote(source)}: not found`, { source, checksum: true });
}

function missingAtCopy(path: string): SlipwayError {
  return new SlipwayError("not_found", "SOURCE_NOT_FOUND", `lstat /${path}: no such file or directory`, { source: `/${path}` });
}

interface Candidate {
  /** as matched */
  readonly path: string;
  /** where it is, symlinks of the part without wildcards followed */
  readonly real: string;
}

/** Only directories that the pattern can reach are listed; from the first wildcard on no symlink is followed on the way. */
function expandPattern(lookup: Lookup, parts: readonly string[]): readonly Candidate[] {
  const { view, faults, sent } = lookup;
  const first = parts.findIndex(hasGlob);
  const prefix = parts.slice(0, first).join("/");
  const real = resolveSource(lookup, prefix);
  let candidates: readonly Candidate[] = [{ path: prefix, real }];
  try {
    for (const part of parts.slice(first)) candidates = candidates.flatMap((candidate) => expandPart(view, candidate, part));
  } catch (error) {
    if (!isSlipwayError(error, "PATTERN_SYNTAX")) throw error;
    if (faults === "checksum") throw ofChecksum(error);
    candidates = [];
  }
  if (candidates.length === 0 && real !== "" && (view.lookup(real) === undefined || sent?.has(real) === false)) throw missingAtCopy(real);
  return candidates;
}

function expandPart(view: FileView, { path, real }: Candidate, part: string): readonly Candidate[] {
  const names = hasGlob(part) ? view.list(real).filter(compileGlob(part)) : [part];
  return names.map((name) => ({ path: joinPath(path, name), real: joinPath(real, name) })).filter((next) => view.lookup(next.real) !== undefined);
}
