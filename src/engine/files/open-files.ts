/** The file system of an image at any place. Layers of a registry are kept in the store as they come, so that neither a second look nor a pull fetches them again. */
import type { Descriptor, Manifest } from "../../oci/manifest.ts";
import { hostPlatform, parsePlatform } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";
import { withoutMark } from "../debug/step-mark.ts";
import { findStepResult } from "../debug/step-result.ts";
import { chooseImage } from "../images/variants.ts";
import type { ImageSource } from "../transports/image-source.ts";
import { findLayerChain } from "../layers/find-layer.ts";
import { parseLocation } from "../transports/location.ts";
import { openSource, settleName, type Surroundings } from "../transports/open-source.ts";
import { chooseManifest } from "./choose-manifest.ts";
import type { ImageFiles } from "./image-files.ts";
import { layeredFiles } from "./layered-files.ts";
import { storeFiles } from "./store-files.ts";

export interface FilesOptions {
  readonly platform?: string | undefined;
  /** as the topmost layer found it */
  readonly withoutTop?: boolean;
}

/** Fails as openSource, and with NO_MATCHING_PLATFORM (not_found). */
export async function openImageFiles(surroundings: Surroundings, ref: string, options: FilesOptions = {}): Promise<ImageFiles> {
  const { platform, withoutTop = false } = options;
  const { store, signal } = surroundings;
  // the parser of names takes 64 digits for an id only after the algorithm
  const image = withoutMark(ref).replace(/^(?=[0-9a-f]{64}$)/, "sha256:");
  const below = <Layer>(layers: readonly Layer[]): readonly Layer[] => (withoutTop ? layers.slice(0, -1) : layers);
  const named = parseLocation(image);
  const location = settleName(surroundings, named);
  const unnamed = named.kind === "name" && location.kind === "registry" ? (findStepResult(store, image)?.chain ?? findLayerChain(store, image)) : undefined;
  if (unnamed !== undefined) return storeFiles(store, below(unnamed), signal);
  if (location.kind === "store") return storeFiles(store, below(store.images.chain(chooseImage(store, location.name, platform).image)), signal);
  const source = await openSource(surroundings, location);
  try {
    const { manifest } = await chooseManifest(source, platform === undefined || platform === "" ? hostPlatform() : parsePlatform(platform), signal);
    return { ...layeredFiles(below(layersOf(store, source, manifest, signal)), signal), [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

function layersOf(store: Store, source: ImageSource, { layers }: Manifest, signal: AbortSignal | undefined) {
  return layers.map((layer) => () => (source.reference === undefined ? source.blob(layer, signal) : keptBlob(store, source, layer, signal)));
}

/** Of a registry: kept in the store as it comes. */
export async function* keptBlob(store: Store, source: ImageSource, layer: Descriptor, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  if (!store.blobs.has(layer.digest)) {
    using ingest = store.blobs.ingest(layer.digest);
    for await (const chunk of source.blob(layer, signal)) ingest.write(chunk);
    ingest.commit({ digest: layer.digest, size: layer.size });
  }
  yield* store.blobs.verified(layer.digest);
}
