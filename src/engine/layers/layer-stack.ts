/** Layers put on each other one by one, with what each does to the files below it and which bytes it hides. Pure. */
import { joinPath, type FileNode } from "../../store/index.ts";
import type { LayerTree } from "../../store/index.ts";
import type { LayerChange } from "../layers-api.ts";

/** Bytes of one layer, under one name or several. */
interface Content {
  readonly layer: number;
  readonly sizeBytes: number;
  /** names that are still seen */
  names: number;
}

interface Held {
  readonly node: FileNode;
  readonly content: Content | undefined;
  readonly children: Map<string, Held>;
}

/** A file whose bytes are not seen any more. */
export interface HiddenFile {
  /** without the leading slash */
  readonly path: string;
  readonly layer: number;
  readonly hiddenBy: number;
  readonly sizeBytes: number;
  readonly how: "changed" | "removed";
}

export interface StackedLayer {
  readonly changes: readonly LayerChange[];
  readonly sizeBytes: number;
}

export class LayerStack {
  readonly #root: Map<string, Held> = new Map();
  readonly hidden: HiddenFile[] = [];
  #count = 0;

  push(tree: LayerTree): StackedLayer {
    const step = new StackStep(this.#count++, tree, this.hidden);
    step.directory("", this.#root, tree.isOpaque(""));
    return { changes: step.changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)), sizeBytes: step.sizeBytes };
  }
}

class StackStep {
  readonly changes: LayerChange[] = [];
  sizeBytes = 0;
  readonly #layer: number;
  readonly #tree: LayerTree;
  readonly #hidden: HiddenFile[];
  /** hardlinks: the inode of a directory, the node of an index */
  readonly #contents = new Map<unknown, Content>();

  constructor(layer: number, tree: LayerTree, hidden: HiddenFile[]) {
    this.#layer = layer;
    this.#tree = tree;
    this.#hidden = hidden;
  }

  /** `opaque`: of what lies below only what this layer has again is left. */
  directory(path: string, children: Map<string, Held>, opaque: boolean): void {
    const names = new Set(this.#tree.names(path));
    if (opaque) for (const [name, held] of children) if (!names.has(name)) this.#remove(joinPath(path, name), name, held, children);
    for (const name of names) this.#entry(joinPath(path, name), name, children, opaque);
  }

  #entry(path: string, name: string, children: Map<string, Held>, opaque: boolean): void {
    const node = this.#tree.get(path);
    const before = children.get(name);
    if (node === undefined) return;
    if (node === "whiteout") {
      if (before !== undefined) this.#remove(path, name, before, children);
      return;
    }
    const merges = node.type === "directory" && before?.node.type === "directory";
    const content = this.#contentOf(node);
    const held: Held = { node, content, children: merges ? before.children : new Map() };
    if (before === undefined) this.#say("added", path, node, content, 0);
    else if (!merges || !sameDirectory(before.node, node)) this.#say("changed", path, node, content, merges ? 0 : bytesOf(before));
    if (before !== undefined && !merges) this.#hide(path, before, "changed");
    children.set(name, held);
    if (node.type === "directory") this.directory(path, held.children, merges && (opaque || this.#tree.isOpaque(path)));
  }

  #say(kind: LayerChange["kind"], path: string, node: FileNode, content: Content | undefined, beforeBytes: number): void {
    this.changes.push({ kind, path: `/${path}`, type: node.type, sizeBytes: kind === "removed" ? 0 : (content?.sizeBytes ?? 0), beforeBytes });
  }

  #contentOf(node: FileNode): Content | undefined {
    if (node.type !== "file") return undefined;
    const key = node.inode === "" ? node : node.inode;
    let content = this.#contents.get(key);
    if (content === undefined) {
      content = { layer: this.#layer, sizeBytes: node.size, names: 0 };
      this.#contents.set(key, content);
      this.sizeBytes += node.size;
    }
    content.names++;
    return content;
  }

  #remove(path: string, name: string, held: Held, children: Map<string, Held>): void {
    this.#say("removed", path, held.node, undefined, bytesOf(held));
    this.#hide(path, held, "removed");
    children.delete(name);
  }

  #hide(path: string, held: Held, how: HiddenFile["how"]): void {
    const { content } = held;
    if (content !== undefined && --content.names === 0 && content.sizeBytes > 0)
      this.#hidden.push({ path, layer: content.layer, hiddenBy: this.#layer, sizeBytes: content.sizeBytes, how });
    for (const [name, child] of held.children) this.#hide(joinPath(path, name), child, how);
  }
}

function bytesOf(held: Held): number {
  let sum = held.content?.sizeBytes ?? 0;
  for (const child of held.children.values()) sum += bytesOf(child);
  return sum;
}

/** A directory that a layer names only because of what it has in it. Its time does not count. */
function sameDirectory(a: FileNode, b: FileNode): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}
