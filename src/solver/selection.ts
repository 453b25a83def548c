/** What a COPY takes from its source, walked once: every file with its place below the match, and a digest over all of it. */
import { createHash } from "node:crypto";
import { isSlipwayError, type SlipwayError } from "../base/errors.ts";
import type { CopyAction } from "../graph/op.ts";
import { createIgnoreMatcher, type IgnoreMatcher } from "../dockerfile/ignore.ts";
import { joinPath, type FileNode, type FileView } from "../store/index.ts";
import type { FileDigests } from "./file-digests.ts";
import { matchAll, requireLinkTarget, ofChecksum, type Lookup, type MatchedSource } from "./match-sources.ts";
import { sentFiles, type SentFiles } from "./sent-files.ts";

export interface SourceTree {
  readonly view: FileView;
  readonly digests: FileDigests;
  readonly origin: Origin;
  /** files that are said to be from a time: it is part of what is selected */
  readonly settled?: SettledTimes | undefined;
}

/** Seconds since 1970 by path, of what was looked up; what is missing has the time that it lies there with. */
export type SettledTimes = ReadonlyMap<string, number>;

export type Origin =
  | {
      readonly kind: "client";
      /** the sources that the whole build has from it; undefined: each instruction is on its own */
      readonly taken: readonly string[] | undefined;
    }
  /** `key`: what BuildKit calls the content of such a source, where that is known */
  | { readonly kind: "remote"; readonly key: string | undefined }
  /** an image or what steps made; "base": the very one that the copy stands on, which counts as a whole already */
  | { readonly kind: "base" | "layers" };

/** Files that come from outside carry no extended attributes into the image. */
export function keepsXattrs({ origin }: SourceTree): boolean {
  return origin.kind === "base" || origin.kind === "layers";
}

export interface SelectedFile {
  /** below the match, "" for the match itself */
  readonly relative: string;
  /** in the source tree, no symlink on the way */
  readonly path: string;
  readonly node: FileNode;
}

export interface SelectedSource {
  readonly match: MatchedSource;
  /** parents before children, names sorted */
  readonly files: readonly SelectedFile[];
}

const selections = new WeakMap<SourceTree, Map<CopyAction, readonly SelectedSource[]>>();

/** Looked up once for each copy of a build. Fails with SOURCE_NOT_FOUND. */
export function selectSources(action: CopyAction, tree: SourceTree): readonly SelectedSource[] {
  const known = selections.get(tree) ?? new Map<CopyAction, readonly SelectedSource[]>();
  selections.set(tree, known);
  const selected = known.get(action) ?? select(action, tree);
  known.set(action, selected);
  return selected;
}

function select(action: CopyAction, tree: SourceTree): readonly SelectedSource[] {
  const lookup = lookupFor(action, tree);
  const excluded = excludeMatcher(action.exclude);
  const selected = matchAll(lookup, action.sources).map((match) => ({ match, files: walk(tree.view, match.resolved, excluded) }));
  if (excluded !== undefined) for (const { match, files } of selected) if (match.path === "") followLinksOfRoot(lookup, files);
  return selected;
}

/** What selectSources() would miss when it makes a digest, without a look at what is below the sources. */
export function missingSource(action: CopyAction, tree: SourceTree): SlipwayError | undefined {
  // of other contexts each copy is asked for by itself, and then fails for reasons that come before
  if (tree.origin.kind !== "client" || tree.origin.taken === undefined) return undefined;
  try {
    matchAll(lookupFor(action, tree), action.sources);
    return undefined;
  } catch (error) {
    if (isSlipwayError(error)) return error.details["checksum"] === true ? error : undefined;
    throw error;
  }
}

function lookupFor(action: CopyAction, tree: SourceTree): Lookup {
  const { view, origin } = tree;
  const sent = origin.kind === "client" ? sentOf(tree, origin.taken, action.sources) : undefined;
  return { view, faults: origin.kind === "base" ? "copy" : "checksum", excludes: action.exclude.length > 0, sent };
}

function followLinksOfRoot(lookup: Lookup, files: readonly SelectedFile[]): void {
  for (const { relative, node } of files) if (node.type === "symlink" && !relative.includes("/")) requireLinkTarget(lookup, relative);
}

/** Of whole builds: looked at once for each of their directories. */
const sentOfTrees = new WeakMap<SourceTree, SentFiles>();

function sentOf(tree: SourceTree, taken: readonly string[] | undefined, sources: readonly string[]): SentFiles {
  if (taken === undefined) return sentFiles(tree.view, sources);
  const known = sentOfTrees.get(tree) ?? sentFiles(tree.view, taken);
  sentOfTrees.set(tree, known);
  return known;
}

function excludeMatcher(patterns: readonly string[]): IgnoreMatcher | undefined {
  try {
    return patterns.length === 0 ? undefined : createIgnoreMatcher(patterns);
  } catch (error) {
    throw isSlipwayError(error, "PATTERN_SYNTAX") ? ofChecksum(error, `invalid excludepatterns: [${patterns.join(" ")}]: `) : error;
  }
}

function walk(view: FileView, root: string, excluded: IgnoreMatcher | undefined): readonly SelectedFile[] {
  const files: SelectedFile[] = [];
  const visit = (path: string, relative: string): void => {
    const node = view.lookup(path);
    if (node === undefined) return;
    const hidden = relative !== "" && excluded?.matches(relative) === true;
    if (!hidden) files.push({ relative, path, node });
    if (node.type !== "directory" || (hidden && excluded?.canSkipDirectory(relative) === true)) return;
    for (const name of view.list(path)) visit(joinPath(path, name), joinPath(relative, name));
  };
  visit(root, "");
  return files;
}

/**
 * Digest over everything but modification times. undefined when the content of some file is not known yet: after the copy
 * was made it is.
 */
export function digestSelection(sources: readonly SelectedSource[], digests: FileDigests): string | undefined {
  const hash = createHash("sha256");
  for (const { match, files } of sources) {
    hash.update(`source ${match.path}\n`);
    for (const { relative, node } of files) {
      const content = node.type === "file" ? digests.get(node) : node.linkname;
      if (content === undefined) return undefined;
      hash.update(
        `${relative}\0${node.type}\0${node.mode}\0${node.uid}:${node.gid}\0${content}\0${node.devmajor}:${node.devminor}\0${node.inode === "" ? "" : "linked"}\n`,
      );
    }
  }
  return hash.digest("hex");
}

/** Digest over the times that were settled; "" where none was. */
export function digestTimes(sources: readonly SelectedSource[], { settled }: SourceTree): string {
  if (settled === undefined || settled.size === 0) return "";
  const hash = createHash("sha256");
  let any = false;
  for (const { match, files } of sources) {
    hash.update(`source ${match.path}\n`);
    for (const { relative, path } of files) {
      const seconds = settled.get(path);
      if (seconds === undefined) continue;
      any = true;
      hash.update(`${relative}\0${seconds}\n`);
    }
  }
  return any ? hash.digest("hex") : "";
}

/** Contents that are not known yet: how many files, how many bytes. */
export function unknownContent(sources: readonly SelectedSource[], digests: FileDigests): { readonly files: readonly FileNode[]; readonly total: number } {
  const files: FileNode[] = [];
  let total = 0;
  for (const source of sources) {
    for (const { node } of source.files) {
      if (node.type !== "file") continue;
      total++;
      if (digests.get(node) === undefined) files.push(node);
    }
  }
  return { files, total };
}
