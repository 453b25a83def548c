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
}

/**
 * A pattern without a match gives nothing; a plain name that is missing fails with SOURCE_NOT_FOUND (not_found) in BuildKit's
 * words, also when it is a symlink that leads nowhere.
 */
export function matchSources(view: FileView, source: string): readonly MatchedSource[] {
  const pattern = source.replace(/^\/+/, "").replace(/\/+$/, "");
  if (!hasGlob(pattern)) {
    const resolved = resolveSource(view, pattern);
    const node = view.lookup(resolved);
    if (node === undefined || (source.endsWith("/") && pattern !== "" && node.type !== "directory")) throw notFound(source);
    return [{ path: pattern, resolved }];
  }
  return expandPattern(view, pattern.split("/")).map((path) => ({ path, resolved: resolveInTree(view, path) }));
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

/** Only directories that the pattern can reach are listed. */
function expandPattern(view: FileView, parts: readonly string[]): readonly string[] {
  let candidates: readonly string[] = [""];
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    candidates = candidates.flatMap((directory) => {
      const real = directory === "" ? "" : resolveInTree(view, directory);
      const names = hasGlob(part) ? view.list(real).filter((name) => matchGlob(part, name)) : [part];
      return names.map((name) => joinPath(directory, name)).filter((path) => exists(view, path, last));
    });
  }
  return candidates;
}

function exists(view: FileView, path: string, last: boolean): boolean {
  const node = view.lookup(resolveInTree(view, path));
  return node !== undefined && (last || node.type === "directory");
}
