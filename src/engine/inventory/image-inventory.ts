/** The inventory of an image at any place. */
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { formatPlatform, platformFrom } from "../../oci/platform.ts";
import type { BuildOrigin } from "../../store/index.ts";
import type { ImageInventory } from "../../trust/packages/image-inventory.ts";
import type { LayerInventory } from "../../trust/packages/layer-inventory.ts";
import { mergeLayers } from "../../trust/packages/merge-layers.ts";
import type { Surroundings } from "../transports/open-source.ts";
import { findBase } from "./find-base.ts";
import { layerOrigins } from "./layer-origins.ts";
import { openImage, type OpenedImage } from "./open-image.ts";

/** Fails as openImage, and with LAYER_MISSING (not_found), DIFF_ID_MISMATCH (data_loss); with a `base` that is none NOT_THE_BASE. */
export async function imageInventory(surroundings: Surroundings, image: string, { platform, base }: InventoryOptions = {}): Promise<ImageInventory> {
  await using opened = await openImage(surroundings, image, platform);
  return await inventoryOfOpened(surroundings, opened, base);
}

export interface InventoryOptions {
  readonly platform?: string | undefined;
  /** which image it was built on; default: as it is known, found or claimed */
  readonly base?: string | undefined;
}

export async function inventoryOfOpened(surroundings: Surroundings, opened: OpenedImage, given?: string): Promise<ImageInventory> {
  const { name, id, manifest, config, diffIds, kind } = opened;
  const { base, claimed } = await findBase(surroundings, opened, given);
  const inventory = assembleInventory({ name, id, manifest, config, layers: await opened.inventories() }, diffIds, surroundings.store.images.origin(id), base);
  if (kind === "files") return { ...inventory, kind, platform: "" };
  return claimed === undefined ? inventory : { ...inventory, claimedBase: claimed };
}

export interface InventoryParts {
  readonly name: string;
  readonly id: Digest;
  readonly manifest: Digest | undefined;
  readonly config: ImageConfig;
  readonly layers: readonly LayerInventory[];
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
