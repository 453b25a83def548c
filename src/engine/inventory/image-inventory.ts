/** The inventory of an image at any place. */
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { formatPlatform, platformFrom } from "../../oci/platform.ts";
import type { BuildOrigin, Store } from "../../store/index.ts";
import { mergeLayers, type ImageInventory, type LayerInventory } from "../../trust/packages/index.ts";
import type { Surroundings } from "../transports/open-source.ts";
import { layerOrigins } from "./layer-origins.ts";
import { openImage, type OpenedImage } from "./open-image.ts";

/** Fails as openImage, and with LAYER_MISSING (not_found), DIFF_ID_MISMATCH (data_loss). */
export async function imageInventory(surroundings: Surroundings, image: string, platform?: string): Promise<ImageInventory> {
  await using opened = await openImage(surroundings, image, platform);
  return await inventoryOfOpened(surroundings.store, opened);
}

export async function inventoryOfOpened(store: Store, opened: OpenedImage): Promise<ImageInventory> {
  const { name, id, manifest, config, diffIds } = opened;
  const origin = store.images.origin(id);
  const base = origin === undefined ? localBase(store, id, diffIds) : origin.base;
  return assembleInventory({ name, id, manifest, config, layers: await opened.inventories() }, diffIds, origin, base);
}

export interface InventoryParts {
  readonly name: string;
  readonly id: Digest;
  readonly manifest: Digest | undefined;
  readonly config: ImageConfig;
  readonly layers: readonly LayerInventory[];
}

/** As the build knew it; of images from elsewhere the image with the most layers that this one begins with, if the store has one. */
function localBase(store: Store, id: Digest, diffIds: readonly Digest[]): BuildOrigin["base"] {
  let best: { readonly id: Digest; readonly layers: number } | undefined;
  for (const other of store.images.all()) {
    const layers = store.images.chain(other.id);
    if (other.id === id || layers.length >= diffIds.length || layers.length <= (best?.layers ?? 0)) continue;
    if (layers.every((diffId, at) => diffId === diffIds[at])) best = { id: other.id, layers: layers.length };
  }
  return best === undefined ? undefined : { reference: store.images.names(best.id)[0] ?? best.id, layers: best.layers };
}

export function assembleInventory(
  { name, id, manifest, config, layers }: InventoryParts,
  diffIds: readonly Digest[],
  origin: BuildOrigin | undefined,
  base = origin?.base,
): ImageInventory {
  const created = Date.parse(config.created ?? "");
  return {
    ...mergeLayers(layers),
    name,
    id,
    manifest,
    platform: formatPlatform(platformFrom(config)),
    createdSeconds: Number.isNaN(created) ? undefined : Math.floor(created / 1000),
    layers: layerOrigins(config, diffIds, origin, base),
    base,
  };
}
