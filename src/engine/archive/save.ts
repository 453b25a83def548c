/** `save`: images of the store as one tar. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatPlatform, normalizePlatform, parsePlatform, platformDistance } from "../../oci/platform.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import type { Store } from "../../store/index.ts";
import { familiar, requireImage } from "../image-names.ts";
import { archiveImages } from "./archive-images.ts";
import type { ArchivedImage } from "./archive-plan.ts";

export interface SaveOptions {
  readonly platform?: string;
  readonly signal?: AbortSignal;
}

interface Chosen {
  readonly id: Digest;
  readonly names: Set<string>;
}

/**
 * A repository without a tag means all its tags, as with Docker; an id goes without a name. Fails with NO_SUCH_IMAGE,
 * NO_MATCHING_PLATFORM (not_found) and LAYER_MISSING before the first byte.
 */
export async function* saveImages(store: Store, refs: readonly string[], options: SaveOptions = {}): AsyncGenerator<Uint8Array> {
  const chosen = new Map<Digest, Chosen>();
  for (const ref of refs) {
    for (const { id, name } of imagesOf(store, ref)) {
      checkPlatform(store, id, ref, options.platform);
      const entry = chosen.get(id) ?? { id, names: new Set<string>() };
      if (name !== undefined) entry.names.add(name);
      chosen.set(id, entry);
    }
  }
  const images = [...chosen.values()].map((entry) => archived(store, entry));
  yield* archiveImages(store, images, { format: "docker", ...(options.signal === undefined ? {} : { signal: options.signal }) });
}

function imagesOf(store: Store, ref: string): readonly { readonly id: Digest; readonly name: string | undefined }[] {
  const tagged = allTags(store, ref);
  if (tagged.length > 0) return tagged;
  const { id, name } = requireImage(store, ref);
  return [{ id, name }];
}

/** The tags of a bare repository name. */
function allTags(store: Store, ref: string): readonly { readonly id: Digest; readonly name: string }[] {
  try {
    const reference = parseReference(ref);
    if (reference.tag !== undefined || reference.digest !== undefined) return [];
    const prefix = `${formatReference(reference)}:`;
    return store.images.allNames().flatMap(({ name, image }) => (name.startsWith(prefix) ? [{ id: image, name }] : []));
  } catch {
    return [];
  }
}

function archived(store: Store, { id, names }: Chosen): ArchivedImage {
  const manifest = store.images.get(id)?.manifest;
  return { config: store.blobs.read(id), chain: store.images.chain(id), names: [...names], ...(manifest === undefined ? {} : { manifest }) };
}

function checkPlatform(store: Store, id: Digest, ref: string, platform: string | undefined): void {
  if (platform === undefined || platform === "") return;
  const want = normalizePlatform(parsePlatform(platform));
  const { os, architecture, variant } = store.images.config(id);
  if (platformDistance(want, { os, architecture, ...(variant === undefined ? {} : { variant }) }) === 0) return;
  const message = `no suitable export target found: image with reference ${shown(ref)} was found but does not provide the specified platform (${formatPlatform(want)})`;
  throw new SlipwayError("not_found", "NO_MATCHING_PLATFORM", message, { ref, platform });
}

function shown(ref: string): string {
  try {
    return familiar(ref);
  } catch {
    return ref;
  }
}
