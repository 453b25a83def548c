/** Which form of a layer goes into an archive, and what an OCI manifest calls it. */
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import type { Digest } from "../../oci/digest.ts";
import { SlipwayError } from "../../base/errors.ts";
import type { Store } from "../../store/index.ts";

/** Media types of layers as OCI writes them; the bytes are the same. */
export const ociTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayer]: mediaTypes.ociLayer,
  [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip,
  [mediaTypes.dockerForeignLayer]: mediaTypes.ociLayerGzip,
};

/** gzip is what every reader of archives knows; zstd comes last. */
const order: readonly string[] = [mediaTypes.ociLayerGzip, mediaTypes.ociLayer, mediaTypes.ociLayerZstd];

/**
 * The layer as a blob of the store: one that is here, else its plain tar, packed now. Fails with LAYER_MISSING (not_found).
 */
export async function layerBlob(store: Store, diffId: Digest): Promise<Descriptor> {
  return formHere(store, diffId) ?? (await packed(store, diffId));
}

function formHere(store: Store, diffId: Digest): Descriptor | undefined {
  const forms = store.layers.blobForms(diffId).map(({ mediaType, digest, size }) => ({ mediaType: ociTypes[mediaType] ?? mediaType, digest, size }));
  return forms.toSorted((a, b) => rank(a) - rank(b))[0];
}

function rank({ mediaType }: Descriptor): number {
  const at = order.indexOf(mediaType);
  return at < 0 ? order.length : at;
}

/** Asking for the first bytes of the tar makes the blob store keep all of it. */
async function packed(store: Store, diffId: Digest): Promise<Descriptor> {
  for await (const chunk of store.materializer.tar(diffId)) {
    if (chunk.length > 0) break;
  }
  const blob = formHere(store, diffId);
  if (blob === undefined) throw new SlipwayError("not_found", "LAYER_MISSING", `layer ${diffId} is not in the store`, { diffId });
  return blob;
}
