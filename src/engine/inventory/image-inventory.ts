/** The inventory of an image at any place. */
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { formatPlatform, hostPlatform, parsePlatform, platformFrom } from "../../oci/platform.ts";
import { mergeLayers, type ImageInventory, type LayerInventory } from "../../trust/packages/index.ts";
import { chooseManifest } from "../files/choose-manifest.ts";
import { keptBlob } from "../files/open-files.ts";
import { readImageConfig } from "../files/read-config.ts";
import { chooseImage } from "../images/variants.ts";
import { parseLocation } from "../transports/location.ts";
import { openSource, settleName, type Surroundings } from "../transports/open-source.ts";
import { inventoriesOfChain, inventoriesOfLayers } from "./layer-inventories.ts";
import { layerOrigins } from "./layer-origins.ts";
import type { BuildOrigin, Store } from "../../store/index.ts";

/** Fails as openSource, and with NO_MATCHING_PLATFORM (not_found), LAYER_MISSING, DIFF_ID_MISMATCH. */
export async function imageInventory(surroundings: Surroundings, image: string, platform?: string): Promise<ImageInventory> {
  const { store, signal } = surroundings;
  const location = settleName(store, parseLocation(image));
  if (location.kind === "store") {
    const { image: id } = chooseImage(store, location.name, platform);
    const chain = store.images.chain(id);
    const layers = await inventoriesOfChain(store, chain, signal);
    return assemble({ name: image, id, manifest: store.images.get(id)?.manifest, config: store.images.config(id), layers }, store, chain);
  }
  await using source = await openSource(surroundings, location);
  const wanted = platform === undefined || platform === "" ? hostPlatform() : parsePlatform(platform);
  const { manifest, document } = await chooseManifest(source, wanted, signal);
  const config = await readImageConfig(source, manifest, signal);
  const diffIds = config.rootfs.diff_ids ?? [];
  const open = (layer: (typeof manifest.layers)[number]): AsyncIterable<Uint8Array> =>
    source.reference === undefined ? source.blob(layer, signal) : keptBlob(store, source, layer, signal);
  const layers = await inventoriesOfLayers(store, manifest.layers, { diffIds, open, ...(signal === undefined ? {} : { signal }) });
  const id = manifest.config.digest;
  return assemble({ name: image, id, manifest: document.descriptor.digest, config, layers }, store, diffIds);
}

interface Parts {
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

function assemble({ name, id, manifest, config, layers }: Parts, store: Store, diffIds: readonly Digest[]): ImageInventory {
  const origin = store.images.origin(id);
  const base = origin === undefined ? localBase(store, id, diffIds) : origin.base;
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
