/** A layer's changes as the rows of a tree. Pure. */
import type { LayerChange } from "../../engine/api.ts";

export interface FileRow {
  readonly path: string;
  readonly name: string;
  readonly depth: number;
  /** undefined: a directory that only leads to what changed */
  readonly kind: LayerChange["kind"] | undefined;
  /** of all that is in it, what the layer brings and what it removes alike */
  readonly sizeBytes: number;
  readonly hasChildren: boolean;
}

export interface RowOptions {
  readonly kinds: ReadonlySet<LayerChange["kind"]>;
  /** a part of the path */
  readonly filter: string;
  readonly bySize: boolean;
  readonly collapsed: ReadonlySet<string>;
}

interface Node {
  readonly path: string;
  readonly name: string;
  kind: LayerChange["kind"] | undefined;
  sizeBytes: number;
  readonly children: Map<string, Node>;
}

export function fileRows(changes: readonly LayerChange[], options: RowOptions): readonly FileRow[] {
  const root: Node = { path: "", name: "", kind: undefined, sizeBytes: 0, children: new Map() };
  const wanted = options.filter.toLowerCase();
  for (const change of changes) {
    if (options.kinds.has(change.kind) && change.path.toLowerCase().includes(wanted)) insert(root, change);
  }
  const rows: FileRow[] = [];
  flatten(root, 0, options, rows);
  return rows;
}

function insert(root: Node, change: LayerChange): void {
  const bytes = change.kind === "removed" ? change.beforeBytes : change.sizeBytes;
  let node = root;
  for (const name of change.path.split("/").slice(1)) {
    let child = node.children.get(name);
    if (child === undefined) node.children.set(name, (child = { path: `${node.path}/${name}`, name, kind: undefined, sizeBytes: 0, children: new Map() }));
    child.sizeBytes += bytes;
    node = child;
  }
  node.kind = change.kind;
}

function flatten(node: Node, depth: number, options: RowOptions, rows: FileRow[]): void {
  const byName = (a: Node, b: Node): number => (a.name < b.name ? -1 : 1);
  const children = [...node.children.values()].sort(options.bySize ? (a, b) => b.sizeBytes - a.sizeBytes || byName(a, b) : byName);
  for (const { path, name, kind, sizeBytes, children: below } of children) {
    rows.push({ path, name, depth, kind, sizeBytes, hasChildren: below.size > 0 });
    if (!options.collapsed.has(path)) flatten(node.children.get(name)!, depth + 1, options, rows);
  }
}
