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

/** The layers that make up a directory, top first, as far as somebody asked for them; none: not a directory. */
interface Contributors {
  readonly found: LayerTree[];
  /** how many of the parent's layers were looked at */
  looked: number;
  complete: boolean;
}

/** Layers are asked from the top down and no further than the answer needs: one that throws may be asked again once it can answer. */
export class MergedView implements FileView {
  readonly #layers: readonly LayerTree[];
  readonly #directories = new Map<string, Contributors>();

  /** `layers` bottom first, as a chain. */
  constructor(layers: readonly LayerTree[]) {
    this.#layers = layers.toReversed();
    this.#directories.set("", { found: [...this.#layers], looked: 0, complete: true });
  }

  #contributor(path: string, position: number): LayerTree | undefined {
    let known = this.#directories.get(path);
    if (known === undefined) this.#directories.set(path, (known = { found: [], looked: 0, complete: false }));
    while (!known.complete && known.found.length <= position) this.#lookFurther(path, known);
    return known.found[position];
  }

  #lookFurther(path: string, known: Contributors): void {
    const layer = this.#contributor(parentOf(path), known.looked);
    const node = layer?.get(path);
    known.looked++;
    if (layer === undefined) known.complete = true;
    if (layer === undefined || node === undefined) return;
    const merges = node !== "whiteout" && node.type === "directory";
    if (merges) known.found.push(layer);
    known.complete = !merges || layer.isOpaque(path);
  }

  *#contributors(path: string): Generator<LayerTree> {
    for (let position = 0; ; position++) {
      const layer = this.#contributor(path, position);
      if (layer === undefined) return;
      yield layer;
    }
  }

  #owner(path: string): { readonly layer: LayerTree; readonly node: FileNode } | undefined {
    let implied: { readonly layer: LayerTree; readonly node: FileNode } | undefined;
    for (const layer of this.#contributors(parentOf(path))) {
      const node = layer.get(path);
      if (node === undefined) continue;
      if (node === "whiteout" || (implied !== undefined && node.type !== "directory")) return implied;
      if (node !== impliedDirectory) return { layer, node };
      implied ??= { layer, node };
    }
    return implied;
  }

  /** The layer that the node at `path` comes from; undefined where there is none. */
  layerOf(path: string): LayerTree | undefined {
    return this.#owner(path)?.layer;
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
    for (const layer of this.#contributors(path)) for (const name of layer.names(path)) names.add(name);
    return [...names].filter((name) => this.lookup(joinPath(path, name)) !== undefined).sort();
  }

  xattrs(path: string): ReadonlyMap<string, Uint8Array> {
    return this.#owner(path)?.layer.xattrs(path) ?? new Map();
  }
}
