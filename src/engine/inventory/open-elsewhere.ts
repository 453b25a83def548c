/** An image of a registry, an archive or a layout, opened for looking into its layers. */
import { hostPlatform, parsePlatform } from "../../oci/platform.ts";
import { chooseManifest } from "../files/choose-manifest.ts";
import { keptBlob } from "../files/open-files.ts";
import { readImageConfig } from "../files/read-config.ts";
import type { Location } from "../transports/location.ts";
import { openSource, type Surroundings } from "../transports/open-source.ts";
import { inventoriesOfLayers } from "./layer-inventories.ts";
import type { OpenedImage } from "./open-image.ts";

/** Fails as openSource, and with NO_MATCHING_PLATFORM (not_found). */
export async function openElsewhere(surroundings: Surroundings, image: string, location: Location, platform: string | undefined): Promise<OpenedImage> {
  const { store, signal } = surroundings;
  const opened = await openSource(surroundings, location);
  try {
    const root = await opened.root(signal);
    const source = { ...opened, root: async () => root };
    const wanted = platform === undefined || platform === "" ? hostPlatform() : parsePlatform(platform);
    const { manifest, document } = await chooseManifest(source, wanted, signal);
    const config = await readImageConfig(source, manifest, signal);
    const diffIds = config.rootfs.diff_ids ?? [];
    const open = (layer: (typeof manifest.layers)[number]): AsyncIterable<Uint8Array> =>
      source.reference === undefined ? source.blob(layer, signal) : keptBlob(store, source, layer, signal);
    return {
      name: image,
      id: manifest.config.digest,
      manifest: document.descriptor.digest,
      config,
      diffIds,
      reference: source.reference,
      claimedBases: async () => (await import("./claimed-bases.ts")).claimedBases({ source, root, document, manifest }, signal),
      inventories: async () => await inventoriesOfLayers(store, manifest.layers, { diffIds, open, ...(signal === undefined ? {} : { signal }) }),
      visit: async (at, visitor) => {
        const layer = manifest.layers[at];
        const { visitArchive } = await import("./read-layer.ts");
        if (layer !== undefined) await visitArchive(open(layer), visitor, signal);
      },
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  } catch (error) {
    await opened[Symbol.asyncDispose]();
    throw error;
  }
}
