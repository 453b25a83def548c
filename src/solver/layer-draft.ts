/** A layer while file operations compose it: nodes in memory, contents wherever they lie. Seen over its base as one tree. */
import { parentOf, type FileNode, type FileView } from "../store/index.ts";
import { wholeSeconds } from "./whole-seconds.ts";

export type Content =
  | { readonly kind: "disk"; readonly path: string; /** digest hex, when known without reading */ readonly known: string | undefined }
  | { readonly kind: "slice"; readonly path: string; readonly offset: number }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

export interface DraftNode {
  readonly node: FileNode;
  /** of files that are no hardlink */
  readonly content: Content | undefined;
  /** path of the draft's file that this name is linked to */
  readonly linkTo: string | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

export class LayerDraft implements FileView {
  readonly #base: FileView;
  readonly #nodes = new Map<string, DraftNode | "whiteout">();
  /** names that others are linked to */
  readonly #linkTargets = new Set<string>();
  readonly #names = new Map<string, Set<string>>();
  /** answers of #isBlocked, for the directories that were asked about */
  readonly #blocked = new Map<string, boolean>();

  constructor(base: FileView) {
    this.#base = base;
  }

  put(
    path: string,
    node: FileNode,
    parts: { readonly content?: Content; readonly linkTo?: string; readonly xattrs?: ReadonlyMap<string, Uint8Array> } = {},
  ): void {
    this.#handOn(path);
    if (parts.linkTo !== undefined) this.#linkTargets.add(parts.linkTo);
    this.#nodes.set(path, { node, content: parts.content, linkTo: parts.linkTo, xattrs: parts.xattrs ?? noXattrs });
    this.#register(path);
  }

  /** `path` becomes another name of the draft's file at `target`; all its names get the attributes of `node`. */
  link(path: string, target: string, node: FileNode): void {
    const own = this.#nodes.get(target);
    if (own === undefined || own === "whiteout") throw new Error(`no file of the draft to link to: ${target}`);
    const original = own.linkTo ?? target;
    if (this.#nodes.get(path) !== own) this.put(path, node, { linkTo: original, xattrs: own.xattrs });
    for (const [name, other] of this.#nodes) {
      if (other !== "whiteout" && (name === original || other.linkTo === original)) this.#nodes.set(name, { ...other, node });
    }
  }

  /** A file that other names are linked to goes away: the first of them carries the content from now on. */
  #handOn(path: string): void {
    const own = this.#nodes.get(path);
    if (!this.#linkTargets.delete(path) || own === undefined || own === "whiteout") return;
    let heir: string | undefined;
    for (const [name, other] of this.#nodes) {
      if (other === "whiteout" || other.linkTo !== path) continue;
      if (heir !== undefined) this.#linkTargets.add(heir);
      this.#nodes.set(name, heir === undefined ? { ...own, linkTo: undefined } : { ...other, linkTo: heir });
      heir ??= name;
    }
  }

  remove(path: string): void {
    for (const below of [...this.#nodes.keys()].filter((name) => name.startsWith(`${path}/`))) {
      this.#handOn(below);
      this.#nodes.delete(below);
    }
    this.#handOn(path);
    if (this.#base.lookup(path) === undefined) this.#nodes.delete(path);
    else this.#nodes.set(path, "whiteout");
    this.#register(path);
  }

  #register(path: string): void {
    if (this.#blocked.has(path)) this.#blocked.clear();
    const parent = parentOf(path);
    let names = this.#names.get(parent);
    if (names === undefined) this.#names.set(parent, (names = new Set()));
    names.add(path.slice(parent === "" ? 0 : parent.length + 1));
  }

  has(path: string): boolean {
    return this.#nodes.has(path);
  }

  lookup(path: string): FileNode | undefined {
    const own = this.#nodes.get(path);
    if (own === "whiteout") return undefined;
    if (own !== undefined) return own.node;
    return this.#hidesBase(path) ? undefined : this.#base.lookup(path);
  }

  /** Something of the draft's that is no directory stands above the path. */
  #hidesBase(path: string): boolean {
    return this.#nodes.size > 0 && this.#isBlocked(parentOf(path));
  }

  #isBlocked(directory: string): boolean {
    if (directory === "") return false;
    const known = this.#blocked.get(directory);
    if (known !== undefined) return known;
    const own = this.#nodes.get(directory);
    const blocked = own === "whiteout" || (own !== undefined && own.node.type !== "directory") || this.#isBlocked(parentOf(directory));
    this.#blocked.set(directory, blocked);
    return blocked;
  }

  list(path: string): readonly string[] {
    const names = new Set(this.#hidesBase(path) || this.#nodes.get(path) === "whiteout" ? [] : this.#base.list(path));
    for (const name of this.#names.get(path) ?? []) names.add(name);
    return [...names].filter((name) => this.lookup(path === "" ? name : `${path}/${name}`) !== undefined).sort();
  }

  xattrs(path: string): ReadonlyMap<string, Uint8Array> {
    const own = this.#nodes.get(path);
    if (own === "whiteout") return noXattrs;
    return own === undefined ? this.#base.xattrs(path) : own.xattrs;
  }

  isInBase(path: string): boolean {
    return this.#base.lookup(path) !== undefined;
  }

  /** Brings a directory of the base into the layer with the attributes it has there. */
  copyUp(path: string): void {
    if (path === "" || this.#nodes.has(path)) return;
    const node = this.#base.lookup(path);
    if (node !== undefined) this.put(path, { ...node, mtimeNs: wholeSeconds(node.mtimeNs), diskPath: undefined }, { xattrs: this.#base.xattrs(path) });
  }

  /** Gives a directory of the draft or its base another time; the root has none in a layer. */
  setTime(path: string, mtimeNs: bigint): void {
    this.copyUp(path);
    const own = this.#nodes.get(path);
    if (own !== undefined && own !== "whiteout") this.#nodes.set(path, { ...own, node: { ...own.node, mtimeNs } });
  }

  /** In the order of an archive: names by their bytes, parents first, link targets before links. */
  sorted(): readonly (readonly [path: string, node: DraftNode | "whiteout"])[] {
    const keys = [...this.#nodes].map(([path, node]) => ({ path, node, key: sortKey(path) }));
    keys.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    return targetsFirst(keys.map(({ path, node }) => [path, node] as const));
  }

  get empty(): boolean {
    return this.#nodes.size === 0;
  }
}

/** "/" must sort before every other byte, so that a directory's content directly follows it. */
function sortKey(path: string): string {
  return path.replaceAll("/", "\u0000");
}

type Sorted = readonly (readonly [path: string, node: DraftNode | "whiteout"])[];

/** Of names linked to one file the first in the archive's order carries the content. */
function targetsFirst(sorted: Sorted): Sorted {
  const holders = new Map<string, string>();
  const nodes = new Map(sorted);
  return sorted.map(([path, draft]) => {
    if (draft === "whiteout") return [path, draft];
    const original = draft.linkTo ?? path;
    const target = nodes.get(original);
    if (target === undefined || target === "whiteout") return [path, draft];
    const holder = holders.get(original);
    if (holder !== undefined) return [path, { ...draft, content: undefined, linkTo: holder }];
    if (draft.linkTo === undefined) {
      holders.set(path, path);
      return [path, draft];
    }
    holders.set(original, path);
    return [path, { ...target, linkTo: undefined }];
  });
}
