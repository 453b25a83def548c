/** What the tests of this folder share: trees in memory, layers that are emitted and read back, a store with a busybox image. */
import type { CopyAction } from "../graph/op.ts";
import type { FileNode, FileView } from "../store/index.ts";
import { directoryNode, type Placement } from "./apply-copy.ts";
import { FileDigests } from "./file-digests.ts";
import type { LayerDraft } from "./layer-draft.ts";
import type { SourceTree } from "./selection.ts";

export type Leaf =
  | string
  | { readonly link: string }
  | { readonly mode: number; readonly uid?: number; readonly text?: string; readonly directory?: boolean; readonly inode?: string }
  | { readonly fifo: true };

/** A tree from `path → content`; parents are made, `{ link }` is a symlink, a path that ends in "/" is a directory. */
export function treeOf(leaves: Readonly<Record<string, Leaf>>): FileView {
  const nodes = new Map<string, FileNode>([["", directoryNode]]);
  const put = (path: string, node: FileNode): void => {
    const slash = path.lastIndexOf("/");
    const parent = slash < 0 ? "" : path.slice(0, slash);
    if (!nodes.has(parent)) put(parent, directoryNode);
    nodes.set(path, node);
  };
  for (const [path, leaf] of Object.entries(leaves)) put(path.replace(/\/$/, ""), nodeOf(leaf, path.endsWith("/")));
  return {
    lookup: (path) => nodes.get(path),
    list: (path) =>
      [...nodes.keys()]
        .filter((key) => key !== "" && parentOf(key) === path)
        .map((key) => key.slice(path === "" ? 0 : path.length + 1))
        .sort(),
    xattrs: () => new Map(),
  };
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}

function nodeOf(leaf: Leaf, isDirectory: boolean): FileNode {
  if (typeof leaf === "string")
    return isDirectory ? directoryNode : { ...directoryNode, type: "file", mode: 0o644, size: leaf.length, diskPath: `text:${leaf}` };
  if ("link" in leaf) return { ...directoryNode, type: "symlink", mode: 0o777, linkname: leaf.link };
  if ("fifo" in leaf) return { ...directoryNode, type: "fifo", mode: 0o644 };
  const { mode, uid = 0, text = "", directory = isDirectory, inode = "" } = leaf;
  const node = { ...directoryNode, mode, uid, gid: uid, inode };
  return directory ? node : { ...node, type: "file", size: text.length, diskPath: `text:${text}` };
}

export function sourceOf(leaves: Readonly<Record<string, Leaf>>): SourceTree {
  return { view: treeOf(leaves), digests: new FileDigests(), origin: { kind: "client", taken: undefined } };
}

/** Everything in a draft: path → "mode owner content", "→ target", "= first name" for hard links, "gone". */
export function draftListing(draft: LayerDraft): Readonly<Record<string, string>> {
  return Object.fromEntries(
    draft.sorted().map(([path, entry]) => {
      if (entry === "whiteout") return [path, "gone"];
      const { node, linkTo, content } = entry;
      const owner = node.uid === 0 && node.gid === 0 ? "" : ` ${node.uid}:${node.gid}`;
      const mode = `${node.mode.toString(8)}${owner}`;
      if (linkTo !== undefined) return [path, `= ${linkTo}`];
      if (node.type === "symlink") return [path, `→ ${node.linkname}${owner}`];
      if (node.type !== "file") return [path, node.type === "directory" ? `${mode}/` : `${mode} ${node.type}`];
      return [
        path,
        `${mode} ${content?.kind === "disk" ? content.path.replace("text:", "") : Buffer.from(content?.kind === "bytes" ? content.bytes : []).toString()}`,
      ];
    }),
  );
}

export function copyAction(sources: readonly string[], destination: string, changes: Partial<CopyAction> = {}): CopyAction {
  return {
    type: "copy",
    input: 0,
    sources,
    destination,
    chmod: undefined,
    chown: undefined,
    exclude: [],
    parents: false,
    unpack: false,
    verb: "COPY",
    ...changes,
  };
}

export const plainPlacement: Placement = { owner: undefined, mode: undefined, directoryMode: 0o755, createdNs: 0n };
