/** What several commands ask about an image: its names as Docker shows them, its time, its size, its platform. */
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { formatPlatform, platformFrom } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";
import { familiar } from "../image-names.ts";

export function familiarTags(store: Store, id: Digest): readonly string[] {
  return store.images.names(id).map(familiar);
}

/** "nginx@sha256:…", each once. */
export function familiarDigests(store: Store, id: Digest): readonly string[] {
  return store.images.repoDigests(id).map(({ repository, digest }) => familiar(`${repository}@${digest}`));
}

/** Milliseconds since the epoch; 0 for an image that says none. What was built here from inputs that have a time of their own was made here and then. */
export function createdMs(store: Store, id: Digest, config: ImageConfig): number {
  const ms = store.images.origin(id)?.madeMs ?? Date.parse(config.created ?? "");
  return Number.isNaN(ms) ? 0 : ms;
}

export function platformOf(config: ImageConfig): string {
  return formatPlatform(platformFrom(config));
}

/** Bytes of the unpacked layers; a layer that was collected behind the image's back counts nothing. */
export function layerSize(store: Store, diffId: Digest): number {
  return store.layers.has(diffId) ? store.layers.size(diffId) : 0;
}

export function imageSize(store: Store, id: Digest): number {
  return store.images.chain(id).reduce((sum, diffId) => sum + layerSize(store, diffId), 0);
}
