/** An image of the store, as an archive of it would be: with the manifests that it came with where their blobs are here, else with new ones. */
import type { Digest } from "../../oci/digest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { Store } from "../../store/index.ts";
import { planArchive, type PlannedBlob } from "../archive/archive-plan.ts";
import { archivedFrom } from "../archive/save.ts";
import { chainsOf } from "../images/variants.ts";
import { defaultCompression, layerForPush } from "../push/layer-for-push.ts";
import { requireImage } from "../image-names.ts";
import { notInPlace, type Document, type ImageSource } from "./image-source.ts";

export interface StoreSourceOptions {
  /** layers as registries take them: what has no compressed form gets one, which is kept */
  readonly compressed: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Fails with NO_SUCH_IMAGE (not_found), LAYER_MISSING. */
export async function storeSource(store: Store, name: string, { compressed, signal }: StoreSourceOptions): Promise<ImageSource> {
  const { id } = requireImage(store, name);
  // the plan takes the forms that are here
  if (compressed) for (const diffId of chainsOf(store, id).flat()) await layerForPush(store, diffId, defaultCompression, signal);
  const plan = await planArchive(store, [archivedFrom(store, id, [])], { format: "oci", ...(signal === undefined ? {} : { signal }) });
  const blobs = new Map<Digest, PlannedBlob>(plan.blobs.map((blob) => [blob.digest, blob]));
  const planned = (digest: Digest): PlannedBlob => {
    const blob = blobs.get(digest);
    if (blob === undefined) throw notInPlace(name, `${digest} is not here`);
    return blob;
  };
  const document = async (digest: Digest): Promise<Document> => {
    const { source } = planned(digest);
    const bytes = "bytes" in source ? source.bytes : store.blobs.read(source.stored);
    return { bytes, descriptor: { mediaType: parseManifestOrIndex(bytes).mediaType, digest, size: bytes.length } };
  };
  return {
    name,
    root: async () => await document((plan.index[0] as (typeof plan.index)[number]).digest),
    document,
    has: ({ digest }) => blobs.has(digest),
    blob: async function* ({ digest }) {
      const { source } = planned(digest);
      if ("bytes" in source) yield source.bytes;
      else yield* store.blobs.verified(source.stored);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}
