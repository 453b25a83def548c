/**
 * Layers as one tree, overlay's rules in user space: the topmost layer that knows a path wins, whiteouts hide, directories
 * merge until an opaque one. Nothing is mounted, and a layer that was never unpacked takes part through its index.
 */
import { impliedDirectory, joinPath, parentOf, rootNode, type FileNode, type FileView } from "./file-view.ts";

/** One layer, seen alone. */
export interface LayerTree {
  /** "whiteout" hides the path in the layers below. */
  get(path: string): FileNode | "whiteout" | undefined;
  isOpaque(path: string): boolean;
  /** names present in a directory of this layer, whiteouts included */
  names(path: string): readonly string[];
  xattrs(path: string): ReadonlyMap<string, Uint8Array>;
}

/** Which layers make up a directory, top first; undefined: not a directory. */
type Contributors = readonly LayerTree[] | undefined;

export class MergedView implements FileView {
  readonly #layers: readonly LayerTree[];
  readonly #directories = new Map<string, Contributors>();

  /** `layers` bottom first, as a chain. */
  constructor(layers: readonly LayerTree[]) {
    this.#layers = layers.toReversed();
    this.#directories.set("", this.#layers);
  }

  #contributors(path: string): Contributors {
    const known = this.#directories.get(path);
    if (known !== undefined || this.#directories.has(path)) return known;
    const found: LayerTree[] = [];
    for (const layer of this.#contributors(parentOf(path)) ?? []) {
      const node = layer.get(path);
      if (node === undefined) continue;
      if (node === "whiteout" || node.type !== "directory") break;
      found.push(layer);
      if (layer.isOpaque(path)) break;
    }
    const result = found.length === 0 ? undefined : found;
    this.#directories.set(path, result);
    return result;
  }

  #owner(path: string): { readonly layer: LayerTree; readonly node: FileNode } | undefined {
    let implied: { readonly layer: LayerTree; readonly node: FileNode } | undefined;
    for (const layer of this.#contributors(parentOf(path)) ?? []) {
      const node = layer.get(path);
      if (node === undefined) continue;
      if (node === "whiteout" || (implied !== undefined && node.type !== "directory")) return implied;
      if (node !== impliedDirectory) return { layer, node };
      implied ??= { layer, node };
    }
    return implied;
  }

  lookup(path: string): FileNode | undefined {
    if (path === "") return this.#rootNode();
    return this.#owner(path)?.node;
  }

  #rootNode(): FileNode {
    for (const layer of this.#layers) {
      const node = layer.get("");
      if (node !== undefined && node !== "whiteout") return node;
    }
    return rootNode;
  }

  list(path: string): readonly string[] {
    const names = new Set<string>();
    for (const layer of this.#contributors(path) ?? []) for (const name of layer.names(path)) names.add(name);
    return [...names].filter((name) => this.lookup(joinPath(path, name)) !== undefined).sort();
  }

  xattrs(path: string): ReadonlyMap<string, Uint8Array> {
    return this.#owner(path)?.layer.xattrs(path) ?? new Map();
  }
}
