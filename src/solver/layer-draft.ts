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

type Attributes = Pick<FileNode, "mode" | "uid" | "gid" | "mtimeNs">;

export function sameAttributes(a: Attributes, b: Attributes): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid && a.mtimeNs === b.mtimeNs;
}

export class LayerDraft implements FileView {
  readonly #base: FileView;
  readonly #nodes = new Map<string, DraftNode | "whiteout">();
  readonly #names = new Map<string, Set<string>>();
  /** names linked to a file of the draft */
  readonly #links = new Map<string, Set<string>>();
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
    this.#nodes.set(path, { node, content: parts.content, linkTo: parts.linkTo, xattrs: parts.xattrs ?? noXattrs });
    this.#register(path);
  }

  /** One more name for a file of the draft; the attributes of its last name hold for all of them, as they do on a disk. */
  link(path: string, target: string, attributes: Attributes): void {
    const file = this.#fileOf(target);
    const found = this.#nodes.get(file);
    if (found === undefined || found === "whiteout") return;
    const { mode, uid, gid, mtimeNs } = attributes;
    const node = { ...found.node, uid, gid, ...(found.node.type === "symlink" ? {} : { mode, mtimeNs }) };
    this.put(path, node, { linkTo: file, xattrs: found.xattrs });
    const names = this.#links.get(file) ?? new Set();
    this.#links.set(file, names.add(path));
    if (sameAttributes(node, found.node)) return;
    for (const name of [file, ...names]) {
      const own = this.#nodes.get(name);
      if (own !== undefined && own !== "whiteout" && (name === file || own.linkTo === file)) this.#nodes.set(name, { ...own, node });
    }
  }

  #fileOf(path: string): string {
    const own = this.#nodes.get(path);
    return own === undefined || own === "whiteout" ? path : (own.linkTo ?? path);
  }

  remove(path: string): void {
    for (const below of this.#nodes.keys()) if (below.startsWith(`${path}/`)) this.#nodes.delete(below);
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

  /** Brings a directory of the base into the layer with the attributes it has there. */
  copyUp(path: string): void {
    if (path === "" || this.#nodes.has(path)) return;
    const node = this.#base.lookup(path);
    if (node !== undefined) this.put(path, { ...node, mtimeNs: wholeSeconds(node.mtimeNs), diskPath: undefined }, { xattrs: this.#base.xattrs(path) });
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
