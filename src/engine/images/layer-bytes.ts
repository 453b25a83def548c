/** How much disk layers take: all their forms, without walking directories. */
import { lstatSync } from "node:fs";
import type { Digest } from "../../oci/digest.ts";
import { indexPath } from "../../store/layout.ts";
import type { Chain, Store } from "../../store/index.ts";

export type LayerBytes = ReadonlyMap<Digest, number>;

/** Bytes by layer, each once however many chains have it. A directory counts as the bytes of its files. */
export function bytesOfLayers(store: Store, chains: Iterable<Chain>): LayerBytes {
  const bytes = new Map<Digest, number>();
  for (const chain of chains) {
    for (const [index, diffId] of chain.entries()) if (!bytes.has(diffId)) bytes.set(diffId, bytesOfLayer(store, chain, index, diffId));
  }
  return bytes;
}

function bytesOfLayer(store: Store, chain: Chain, index: number, diffId: Digest): number {
  const blobs = store.layers.blobForms(diffId).reduce((sum, { size }) => sum + size, 0);
  const unpacked = store.layers.directory(chain, index) !== undefined && store.layers.has(diffId) ? store.layers.size(diffId) : 0;
  return blobs + unpacked + (lstatSync(indexPath(store.layout, diffId), { throwIfNoEntry: false })?.size ?? 0);
}

export function sumOf(bytes: LayerBytes, wanted: (diffId: Digest) => boolean = () => true): number {
  let sum = 0;
  for (const [diffId, size] of bytes) if (wanted(diffId)) sum += size;
  return sum;
}

/** Layers of images, of cache records and of containers, each kind as a set. */
export function layerHolders(store: Store): {
  readonly images: ReadonlySet<Digest>;
  readonly cache: ReadonlySet<Digest>;
  readonly containers: ReadonlySet<Digest>;
} {
  const images = new Set(store.images.all().flatMap(({ id }) => store.images.chain(id)));
  const cache = new Set(store.cache.all().flatMap(({ layers }) => layers));
  const containers = new Set(
    store
      .containers()
      .list()
      .flatMap(({ id }) => store.containers().chain(id)),
  );
  return { images, cache, containers };
}
