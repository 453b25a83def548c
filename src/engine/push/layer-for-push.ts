/** A layer as registries take it: a form that is here, else compressed now, once for each diffID, and kept for the next time. */
import { SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import type { LayerCompression } from "../registry-api.ts";
import type { Store } from "../../store/index.ts";
import { compressGzip, compressZstd } from "../../tar/index.ts";
import { ociTypes } from "../archive/layer-forms.ts";
import { estargzLayer } from "./estargz-layer.ts";
import type { PreparedLayer } from "./prepared-layer.ts";

export const defaultCompression: LayerCompression = { type: "gzip", force: false };

const typeOf: Readonly<Record<LayerCompression["type"], string>> = {
  gzip: mediaTypes.ociLayerGzip,
  estargz: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
  uncompressed: mediaTypes.ociLayer,
};

/**
 * What a registry gets for a layer. One that was made here (`own`) is compressed as asked for; one that came from elsewhere stays as it
 * came unless `force` says otherwise. Fails with LAYER_MISSING (not_found) and compressEstargz's codes.
 */
export async function preparedLayer(store: Store, diffId: Digest, compression: LayerCompression, own: boolean, signal?: AbortSignal): Promise<PreparedLayer> {
  const force = compression.force || own;
  const compressed = store.layers.blobForms(diffId).some(({ mediaType }) => (ociTypes[mediaType] ?? mediaType) !== mediaTypes.ociLayer);
  if (compression.type === "estargz" && (force || !compressed)) return await estargzLayer(store, diffId, compression, signal);
  return { descriptor: await layerForPush(store, diffId, { ...compression, force }, signal), diffId };
}

/** A form of the store's layer. Fails with LAYER_MISSING (not_found). */
export async function layerForPush(store: Store, diffId: Digest, compression: LayerCompression, signal?: AbortSignal): Promise<Descriptor> {
  const want = typeOf[compression.type];
  const here = store.layers.blobForms(diffId).map((form) => ({ ...form, mediaType: ociTypes[form.mediaType] ?? form.mediaType }));
  const exact = compression.level === undefined ? here.find(({ mediaType }) => mediaType === want) : undefined;
  if (exact !== undefined) return exact;
  const compressed = here.find(({ mediaType }) => mediaType !== mediaTypes.ociLayer);
  if (compressed !== undefined && !compression.force && compression.type !== "uncompressed") return compressed;
  return compression.type === "uncompressed" ? await plain(store, diffId) : await compressOnce(store, diffId, compression, want, signal);
}

/** Layers that are compressed at this moment, each once, whoever wants it: a push and a cache want the same. */
const underWay = new WeakMap<Store, Map<string, Promise<Descriptor>>>();

async function compressOnce(store: Store, diffId: Digest, compression: LayerCompression, mediaType: string, signal?: AbortSignal): Promise<Descriptor> {
  const running = underWay.get(store) ?? new Map<string, Promise<Descriptor>>();
  underWay.set(store, running);
  const key = `${diffId} ${mediaType} ${compression.level ?? ""}`;
  const other = await running.get(key)?.catch(() => undefined);
  if (other !== undefined) return other;
  signal?.throwIfAborted();
  const own = compress(store, diffId, compression, mediaType, signal);
  running.set(key, own);
  try {
    return await own;
  } finally {
    if (running.get(key) === own) running.delete(key);
  }
}

async function plain(store: Store, diffId: Digest): Promise<Descriptor> {
  if (!store.layers.hasTar(diffId)) {
    using ingest = store.blobs.ingest(diffId);
    for await (const chunk of store.materializer.tar(diffId)) ingest.write(chunk);
    ingest.commit({ digest: diffId });
  }
  const size = store.blobs.size(diffId);
  if (size === undefined) throw new SlipwayError("not_found", "LAYER_MISSING", `layer ${diffId} is not in the store`, { diffId });
  return { mediaType: mediaTypes.ociLayer, digest: diffId, size };
}

/** Twice as fast as gzip's usual 6, and a fortieth larger. */
const gzipLevel = 4;

async function compress(store: Store, diffId: Digest, { type, level }: LayerCompression, mediaType: string, signal?: AbortSignal): Promise<Descriptor> {
  const options = { ...(level === undefined ? {} : { level }), ...(signal === undefined ? {} : { signal }) };
  const tar = store.materializer.tar(diffId);
  using ingest = store.blobs.ingest();
  for await (const chunk of type === "zstd" ? compressZstd(tar, options) : compressGzip(tar, { level: gzipLevel, ...options })) ingest.write(chunk);
  const { digest, size } = ingest.commit();
  const descriptor = { mediaType, digest, size };
  store.layers.addBlob(diffId, descriptor, store.layers.size(diffId));
  return descriptor;
}
