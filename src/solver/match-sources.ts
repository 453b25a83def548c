/** COPY's sources: names and patterns → paths that exist in the source tree. */
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { hasGlob, matchGlob } from "../dockerfile/glob.ts";
import { joinPath, type FileView } from "../store/index.ts";
import { resolveInTree } from "./resolve-path.ts";

export interface MatchedSource {
  /** as matched: its last part names the copy */
  readonly path: string;
  /** where its content is, symlinks followed */
  readonly resolved: string;
  /** what `--parents` keeps of the path: all of it, or what follows a `/./` */
  readonly kept: string;
}

/**
 * A pattern without a match gives nothing; a plain name that is missing fails with SOURCE_NOT_FOUND (not_found) in BuildKit's
 * words, also when it is (or a pattern finds) a symlink that leads nowhere.
 */
export function matchSources(view: FileView, source: string): readonly MatchedSource[] {
  const { parts, pivot } = splitSource(source);
  const pattern = parts.join("/");
  const matched = (path: string, resolved: string): MatchedSource => ({ path, resolved, kept: path.split("/").slice(pivot).join("/") });
  if (!hasGlob(pattern)) {
    const resolved = resolveSource(view, pattern);
    const node = view.lookup(resolved);
    if (node === undefined || (source.endsWith("/") && pattern !== "" && node.type !== "directory")) throw notFound(source);
    return [matched(pattern, resolved)];
  }
  return expandPattern(view, parts).map(({ path, real }) => {
    const resolved = resolveSource(view, real);
    if (view.lookup(resolved) === undefined) throw notFound(`/${path}`);
    return matched(path, resolved);
  });
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

function resolveSource(view: FileView, path: string): string {
  try {
    return resolveInTree(view, path);
  } catch (error) {
    if (!isSlipwayError(error, "TOO_MANY_LINKS")) throw error;
    throw new SlipwayError(error.kind, error.code, `${checksumFailure}too many links`, error.details, error);
  }
}

/** BuildKit's words; it names its own reference to the source, of which there is none here. */
const checksumFailure = "failed to compute cache key: failed to calculate checksum of ref context: ";

function notFound(source: string): SlipwayError {
  const shown = source.startsWith("/") ? source : `/${source}`;
  return new SlipwayError("not_found", "SOURCE_NOT_FOUND", `${checksumFailure}${JSON.stringify(shown)}: not found`, { source });
}

interface Candidate {
  /** as matched */
  readonly path: string;
  /** where it is, symlinks of the part without wildcards followed */
  readonly real: string;
}

/** Only directories that the pattern can reach are listed; from the first wildcard on no symlink is followed on the way. */
function expandPattern(view: FileView, parts: readonly string[]): readonly Candidate[] {
  const first = parts.findIndex(hasGlob);
  const prefix = parts.slice(0, first).join("/");
  let candidates: readonly Candidate[] = [{ path: prefix, real: resolveSource(view, prefix) }];
  for (const part of parts.slice(first)) {
    candidates = candidates.flatMap(({ path, real }) => {
      const names = hasGlob(part) ? view.list(real).filter((name) => matchGlob(part, name)) : [part];
      return names.map((name) => ({ path: joinPath(path, name), real: joinPath(real, name) })).filter((next) => view.lookup(next.real) !== undefined);
    });
  }
  return candidates;
}
