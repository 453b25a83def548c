/**
 * The digest that BuildKit gives to what a step takes from a tree: of each file a tar header without name and time, then
 * its bytes; of a directory its header and its entries, sorted by their bytes. Contents are read here: nothing else knows
 * these digests. Kept per tree, so that a file is read once for all steps of a build.
 */
import { createHash } from "node:crypto";
import { createIgnoreMatcher } from "../../dockerfile/ignore.ts";
import { compileGlob } from "../../dockerfile/glob.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { joinPath, type FileNode, type FileView } from "../../store/index.ts";
import { readContent } from "../file-digests.ts";
import { resolveInTree } from "../resolve-path.ts";
import type { ContentSelector } from "./definition.ts";

const typeFlags: Readonly<Record<FileNode["type"], string>> = { file: "0", symlink: "2", char: "3", block: "4", directory: "5", fifo: "6" };

/** What a tree's root has instead of a header. */
const rootHeader = digestOf("");

/** undefined: a path that is not there. */
export function contentDigest(view: FileView, selectors: readonly ContentSelector[]): Digest | undefined {
  const digests = digestsOf(view);
  const parts: string[] = [];
  for (const selector of selectors) {
    const part = isPlain(selector) ? digests.ofPath(selector.path.slice(1), selector.followLinks) : selectedDigest(view, digests, selector);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return digestOf(parts.join("\0"));
}

function isPlain({ wildcard, include, exclude }: ContentSelector): boolean {
  return !wildcard && include.length === 0 && exclude.length === 0;
}

const known = new WeakMap<FileView, TreeDigests>();

function digestsOf(view: FileView): TreeDigests {
  const digests = known.get(view) ?? new TreeDigests(view);
  known.set(view, digests);
  return digests;
}

class TreeDigests {
  readonly #view: FileView;
  readonly #byPath = new Map<string, Digest>();

  constructor(view: FileView) {
    this.#view = view;
  }

  ofPath(path: string, followLast: boolean): Digest | undefined {
    const resolved = resolveInTree(this.#view, path, { followLast });
    return this.#view.lookup(resolved) === undefined ? undefined : this.ofNode(resolved);
  }

  /** Of a file or link itself, of a directory all that is in it. */
  ofNode(path: string): Digest {
    let digest = this.#byPath.get(path);
    if (digest === undefined) {
      const node = this.#view.lookup(path);
      digest = node?.type === "directory" ? this.#ofDirectory(path) : this.#ofFile(node);
      this.#byPath.set(path, digest);
    }
    return digest;
  }

  header(path: string): Digest {
    return path === "" ? rootHeader : this.#ofFile(this.#view.lookup(path));
  }

  #ofDirectory(path: string): Digest {
    const hash = createHash("sha256").update(`\0${this.header(path)}`);
    for (const name of sortedNames(this.#view, path)) hash.update(`\0${name}${this.ofNode(joinPath(path, name))}`);
    return `sha256:${hash.digest("hex")}` as Digest;
  }

  #ofFile(node: FileNode | undefined): Digest {
    if (node === undefined) return digestOf("");
    const hash = createHash("sha256").update(headerOf(node));
    if (node.type === "file" && node.diskPath !== undefined) for (const chunk of readContent(node.diskPath, node.size)) hash.update(chunk);
    return `sha256:${hash.digest("hex")}` as Digest;
  }
}

function headerOf({ type, mode, uid, gid, size, linkname, devmajor, devminor }: FileNode): string {
  const bytes = type === "file" ? size : 0;
  return `namemode${mode}uid${uid}gid${gid}size${bytes}typeflag${typeFlags[type]}linkname${linkname}unamegnamedevmajor${devmajor}devminor${devminor}`;
}

function sortedNames(view: FileView, path: string): readonly string[] {
  return view.list(path).toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

interface Included {
  readonly path: string;
  readonly digest: Digest;
}

/** Directories count by their headers here, because not all that is in them is taken. */
function selectedDigest(view: FileView, digests: TreeDigests, selector: ContentSelector): Digest | undefined {
  const included = includedPaths(view, digests, selector).map(({ path, digest }): Included => {
    const isLink = selector.followLinks && view.lookup(path)?.type === "symlink";
    return { path, digest: (isLink ? digests.ofPath(path, true) : undefined) ?? digest };
  });
  const [only] = included;
  if (only === undefined) return digestOf("");
  if (included.length === 1 && baseName(selector.path) === baseName(only.path)) return only.digest;
  return digestOf(included.map(({ path, digest }) => `${baseName(path)}${digest}`).join("\0"));
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function includedPaths(view: FileView, digests: TreeDigests, { path, wildcard, include, exclude }: ContentSelector): readonly Included[] {
  const included: Included[] = [];
  const wanted = include.length === 0 ? undefined : createIgnoreMatcher(include);
  const unwanted = exclude.length === 0 ? undefined : createIgnoreMatcher(exclude);
  const takes = (relative: string): boolean => wanted?.matches(relative) !== false && unwanted?.matches(relative) !== true;
  const pattern = path.slice(1);
  const isMatch = compileGlob(wildcard ? pattern : "");
  /** `match`: the path that the pattern stood for; undefined while nothing did */
  const visit = (at: string, match: string | undefined, headers: readonly Included[]): void => {
    const node = view.lookup(at);
    if (node === undefined) return;
    const isDirectory = node.type === "directory";
    const here = match ?? (!wildcard || isMatch(at) ? at : undefined);
    const isSkipped = here === undefined || (at === "" && !wildcard);
    const entry: Included = { path: at, digest: isDirectory ? digests.header(at) : digests.ofNode(at) };
    if (!isSkipped && takes(at.slice(here.length).replace(/^\//, ""))) {
      for (const header of headers) if (!included.includes(header)) included.push(header);
      included.push(entry);
    }
    if (!isDirectory) return;
    const inside = isSkipped ? headers : [...headers, entry];
    for (const name of sortedNames(view, at)) visit(joinPath(at, name), here, inside);
  };
  if (wildcard) visit("", undefined, []);
  else {
    const start = resolveInTree(view, pattern);
    if (view.lookup(start)?.type === "directory") visit(start, undefined, []);
  }
  return included;
}
