/** `--squash`: everything above the base as one layer, whiteouts kept. */
import type { Digest } from "../../oci/digest.ts";
import { emptyView, joinPath, type Chain, type FileView, type Store } from "../../store/index.ts";
import { DirectoryLayer } from "../../store/layer-tree.ts";
import { emitLayer } from "../../solver/emit-layer.ts";
import { FileDigests } from "../../solver/file-digests.ts";
import { LayerDraft } from "../../solver/layer-draft.ts";

/** The chain of the base and one new layer. Nothing above the base: the chain as it is. */
export async function squashChain(store: Store, chain: Chain, baseLayers: number, signal: AbortSignal): Promise<readonly Digest[]> {
  if (chain.length - baseLayers < 2) return chain;
  const base = chain.slice(0, baseLayers);
  const directories = await store.materializer.directories(chain, signal);
  const above = directories.slice(baseLayers).map((directory) => new DirectoryLayer(directory));
  const baseView: FileView = base.length === 0 ? emptyView : await store.materializer.readableView(base, signal);
  const merged = await store.materializer.readableView(chain, signal);
  const draft = new LayerDraft(baseView);
  const links = new Map<string, string>();
  const visit = (directory: string): void => {
    for (const name of namesIn(above, directory)) {
      const path = joinPath(directory, name);
      const node = merged.lookup(path);
      if (node === undefined) {
        if (baseView.lookup(path) !== undefined) draft.remove(path);
        continue;
      }
      const replaced = baseView.lookup(path);
      // An opaque directory, or one that was deleted and made again, hides what the base has in it.
      if (replaced?.type === "directory" && node.type === "directory") {
        for (const hidden of baseView.list(path)) if (merged.lookup(joinPath(path, hidden)) === undefined) draft.remove(joinPath(path, hidden));
      }
      const linkTo = node.inode === "" ? undefined : links.get(node.inode);
      if (node.inode !== "" && linkTo === undefined) links.set(node.inode, path);
      draft.put(
        path,
        { ...node, inode: "" },
        {
          xattrs: merged.xattrs(path),
          ...(linkTo === undefined ? {} : { linkTo }),
          ...(node.type === "file" && linkTo === undefined ? { content: { kind: "disk", path: node.diskPath ?? "", known: undefined } } : {}),
        },
      );
      if (node.type === "directory") visit(path);
    }
  };
  visit("");
  const layer = await emitLayer(store, draft, new FileDigests(), { signal });
  return [...base, layer.diffId];
}

function namesIn(layers: readonly DirectoryLayer[], directory: string): readonly string[] {
  return [...new Set(layers.filter((layer) => isDirectory(layer, directory)).flatMap((layer) => layer.names(directory)))].sort();
}

function isDirectory(layer: DirectoryLayer, path: string): boolean {
  const node = layer.get(path);
  return node !== undefined && node !== "whiteout" && node.type === "directory";
}
