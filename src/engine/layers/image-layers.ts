/** An image's layers one by one, wherever it lies, with its config. */
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { hostPlatform, parsePlatform } from "../../oci/platform.ts";
import type { BuildOrigin, LayerTree } from "../../store/index.ts";
import { chooseManifest } from "../files/choose-manifest.ts";
import { readLayers } from "../files/layered-files.ts";
import { keptBlob } from "../files/open-files.ts";
import { readImageConfig } from "../files/read-config.ts";
import { chooseImage } from "../images/variants.ts";
import { parseLocation } from "../transports/location.ts";
import { openSource, settleName, type Surroundings } from "../transports/open-source.ts";

export interface ImageLayers {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly diffIds: readonly Digest[];
  readonly origin: BuildOrigin | undefined;
  /** bottom first */
  readonly trees: readonly LayerTree[];
}

/** Fails as openSource, and with NO_MATCHING_PLATFORM (not_found). */
export async function openImageLayers(surroundings: Surroundings, image: string, platform: string | undefined): Promise<ImageLayers> {
  const { store, signal } = surroundings;
  const location = settleName(surroundings, parseLocation(image));
  if (location.kind === "store") {
    const { image: id } = chooseImage(store, location.name, platform);
    const diffIds = store.images.chain(id);
    const trees = await store.materializer.trees(diffIds, signal);
    return { id, config: store.images.config(id), diffIds, origin: store.images.origin(id), trees };
  }
  await using source = await openSource(surroundings, location);
  const wanted = platform === undefined || platform === "" ? hostPlatform() : parsePlatform(platform);
  const { manifest } = await chooseManifest(source, wanted, signal);
  const config = await readImageConfig(source, manifest, signal);
  const open = manifest.layers.map((layer) => () => (source.reference === undefined ? source.blob(layer, signal) : keptBlob(store, source, layer, signal)));
  const id = manifest.config.digest;
  return { id, config, diffIds: config.rootfs.diff_ids ?? [], origin: store.images.origin(id), trees: await readLayers(open, signal) };
}
