/** `save`: images of the store as one tar. */
import { isDeepStrictEqual } from "node:util";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { formatReference, parseReference } from "../../oci/reference.ts";
import { platformFrom } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";
import { keptAttestations, readIndexDocument } from "../attestations/kept-attestations.ts";
import { noAnnotations, type Annotations } from "../build/annotations.ts";
import { imageEvent } from "../events/tell.ts";
import { requireImage } from "../image-names.ts";
import { readImageIndex } from "../images/image-index.ts";
import { chooseVariant } from "../images/variants.ts";
import { archiveImages } from "./archive-images.ts";
import { readManifest, type ArchivedImage, type ArchivedIndex } from "./archive-plan.ts";

export interface SaveOptions {
  readonly platform?: string;
  readonly signal?: AbortSignal;
}

interface Chosen {
  readonly id: Digest;
  readonly names: Set<string>;
}

/**
 * A repository without a tag means all its tags, as with Docker; an id goes without a name. An index goes with all its images, or as
 * the one for `platform`. Fails with NO_SUCH_IMAGE, NO_MATCHING_PLATFORM (not_found) and LAYER_MISSING before the first byte.
 */
export async function* saveImages(store: Store, refs: readonly string[], options: SaveOptions = {}): AsyncGenerator<Uint8Array> {
  const chosen = new Map<Digest, Chosen>();
  for (const ref of refs) {
    for (const { id: found, name } of imagesOf(store, ref)) {
      const id = withPlatform(store, found, ref, options.platform);
      const entry = chosen.get(id) ?? { id, names: new Set<string>() };
      if (name !== undefined) entry.names.add(name);
      chosen.set(id, entry);
    }
  }
  const isPart = options.platform !== undefined && options.platform !== "";
  const images = [...chosen.values()].map(({ id, names }) => archivedFrom(store, id, [...names], isPart));
  store.events.append([...chosen.values()].map(({ id }) => imageEvent(store, "save", { image: id })));
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

/** What an image or index of the store is in an archive. `isPart`: the image alone was asked for, without the index that it came with. */
export function archivedFrom(store: Store, id: Digest, names: readonly string[], isPart = false): ArchivedImage | ArchivedIndex {
  const index = store.indexes.get(id);
  if (index === undefined) {
    const image = archivedImage(store, id, names);
    return isPart ? image : withAttestations(store, id, image);
  }
  const { parts, annotations } = readImageIndex(store, id);
  const here = new Set(store.indexes.members(id).map(({ image }) => image));
  return {
    names,
    images: parts
      .filter(({ image }) => here.has(image))
      .map(({ image, platform, annotations: manifest, descriptorAnnotations: manifestDescriptor = {} }) => {
        const archived = archivedImage(store, image, [], manifest);
        return { ...archived, platform, annotations: { ...(archived.annotations ?? noAnnotations), manifestDescriptor } };
      }),
    annotations: { ...noAnnotations, index: annotations },
    ...(index.document === undefined ? {} : { document: index.document }),
  };
}

/** An image that is all that its index has goes as that index; one of several goes for itself. */
function withAttestations(store: Store, id: Digest, image: ArchivedImage): ArchivedImage | ArchivedIndex {
  const document = store.images.get(id)?.document;
  const found = readIndexDocument(store, document);
  if (document === undefined || found === undefined || image.manifest === undefined) return image;
  const here = new Set([image.manifest, ...keptAttestations(store, found.index).map(({ descriptor }) => descriptor.digest)]);
  const own = found.index.manifests.find(({ digest }) => digest === image.manifest);
  if (own === undefined || found.index.manifests.some(({ digest }) => !here.has(digest))) return image;
  return { images: [{ ...image, names: [], platform: own.platform ?? platformFrom(store.images.config(id)) }], names: image.names, document };
}

/** The manifest that it came with is kept unless the image was built since with other annotations. */
function archivedImage(store: Store, id: Digest, names: readonly string[], ofPart?: Annotations["manifest"]): ArchivedImage {
  const record = store.images.get(id);
  store.images.config(id);
  const wanted = ofPart ?? record?.annotations;
  const origin = store.images.origin(id);
  const image = {
    config: store.blobs.read(id),
    chain: store.images.chain(id),
    names,
    ...(origin === undefined ? {} : { baseLayers: origin.base?.layers ?? 0 }),
    ...(wanted === undefined ? {} : { annotations: { ...noAnnotations, manifest: wanted } }),
  };
  const kept = record?.manifest === undefined ? undefined : { ...image, manifest: record.manifest };
  if (kept === undefined || wanted === undefined) return kept ?? image;
  const own = readManifest(store, kept)?.manifest.annotations ?? {};
  return isDeepStrictEqual({ ...own }, { ...wanted }) ? kept : image;
}

function withPlatform(store: Store, id: Digest, ref: string, platform: string | undefined): Digest {
  if (platform === undefined || platform === "") return id;
  try {
    return chooseVariant(store, id, ref, platform);
  } catch (error) {
    if (!isSlipwayError(error, "NO_MATCHING_PLATFORM")) throw error;
    throw new SlipwayError(error.kind, error.code, `no suitable export target found: ${error.message}`, error.details, error);
  }
}
