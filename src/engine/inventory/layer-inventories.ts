/** The inventory of each layer of an image, from what is kept of it where that is here, else from reading the layer. */
import { SlipwayError } from "../../base/errors.ts";
import { isDigest, type Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import type { Chain, Store } from "../../store/index.ts";
import { formatLayerInventory, LayerInventories, parseLayerInventory, type LayerInventory } from "../../trust/packages/layer-inventory.ts";

/** `diffId`, or the digest of a blob: of those the text is the diffID, under which the inventory is. */
function keptInventory(store: Store, digest: Digest): { readonly inventory: LayerInventory; readonly diffId: Digest } | undefined {
  const text = store.inventories.read(digest);
  if (text === undefined) return undefined;
  if (isDigest(text)) return text === digest ? undefined : keptInventory(store, text);
  const inventory = parseLayerInventory(text);
  return inventory === undefined ? undefined : { inventory, diffId: digest };
}

function mismatch(expected: Digest, actual: Digest): SlipwayError {
  return new SlipwayError("data_loss", "DIFF_ID_MISMATCH", `layer ${expected}: its archive unpacks to ${actual}`, { expected, actual });
}

/** Of an image of the store. Fails with LAYER_MISSING (not_found), DIFF_ID_MISMATCH (data_loss). */
export async function inventoriesOfChain(store: Store, chain: Chain, signal?: AbortSignal): Promise<readonly LayerInventory[]> {
  const kept = new LayerInventories();
  for (const [at, diffId] of chain.entries()) {
    const inventory = keptInventory(store, diffId)?.inventory ?? (await readStoredLayer(store, chain, at, diffId, signal));
    kept.push(inventory);
  }
  return kept.inventories;
}

async function readStoredLayer(store: Store, chain: Chain, at: number, diffId: Digest, signal: AbortSignal | undefined): Promise<LayerInventory> {
  const { inventoryOfArchive, inventoryOfDirectory } = await import("./read-layer.ts");
  const directory = store.layers.directory(chain, at);
  if (directory !== undefined) return keep(store, diffId, inventoryOfDirectory(directory, signal));
  const read = await inventoryOfArchive(store.materializer.tar(diffId), signal);
  if (read.diffId !== diffId) throw mismatch(diffId, read.diffId);
  return keep(store, diffId, read.inventory);
}

function keep(store: Store, diffId: Digest, inventory: LayerInventory): LayerInventory {
  store.inventories.write(diffId, formatLayerInventory(inventory));
  return inventory;
}

/**
 * Of an image elsewhere: `layers` as its manifest has them, `diffIds` as its config says. What the config says is not believed: a layer that is
 * another than it claims would be taken for one that is known.
 */
export async function inventoriesOfLayers(
  store: Store,
  layers: readonly Descriptor[],
  {
    diffIds,
    open,
    signal,
  }: { readonly diffIds: readonly Digest[]; readonly open: (layer: Descriptor) => AsyncIterable<Uint8Array>; readonly signal?: AbortSignal },
): Promise<readonly LayerInventory[]> {
  const kept = new LayerInventories();
  for (const [at, layer] of layers.entries()) {
    const known = keptInventory(store, layer.digest) ?? (await readForeignLayer(store, layer, open, signal));
    const claimed = diffIds[at];
    if (claimed !== undefined && claimed !== known.diffId) throw mismatch(claimed, known.diffId);
    kept.push(known.inventory);
  }
  return kept.inventories;
}

async function readForeignLayer(
  store: Store,
  layer: Descriptor,
  open: (layer: Descriptor) => AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<{ readonly inventory: LayerInventory; readonly diffId: Digest }> {
  const { inventoryOfArchive } = await import("./read-layer.ts");
  const read = await inventoryOfArchive(open(layer), signal);
  keep(store, read.diffId, read.inventory);
  if (read.diffId !== layer.digest) store.inventories.write(layer.digest, read.diffId);
  return read;
}
