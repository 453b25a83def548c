/** A layer as a blob in the compression that a cache wants, made once and kept. */
import { pipeline } from "node:stream/promises";
import { constants, createGzip, createZstdCompress, type Gzip, type ZstdCompress } from "node:zlib";
import type { Digest } from "../../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../../oci/manifest.ts";
import type { Store } from "../../../store/index.ts";

export interface LayerCompression {
  readonly compression: "gzip" | "zstd" | "uncompressed";
  readonly compressionLevel?: number | undefined;
}

/** Docker's names of the same bytes. */
const ociNames: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayer]: mediaTypes.ociLayer,
  [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip,
};

const wanted = { gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd, uncompressed: mediaTypes.ociLayer } as const;

/** A compressed blob that is here already is as good as another, except where nothing is to be compressed. Fails with LAYER_MISSING. */
export async function compressedLayer(store: Store, diffId: Digest, settings: LayerCompression, signal: AbortSignal): Promise<Descriptor> {
  const forms = store.layers.blobForms(diffId).map((form) => ({ ...form, mediaType: ociNames[form.mediaType] ?? form.mediaType }));
  const fits = forms.find(({ mediaType }) => mediaType === wanted[settings.compression]);
  const other = settings.compression === "gzip" ? forms.find(({ mediaType }) => mediaType === mediaTypes.ociLayerZstd) : undefined;
  return fits ?? other ?? (await compress(store, diffId, settings, signal));
}

async function compress(store: Store, diffId: Digest, { compression, compressionLevel }: LayerCompression, signal: AbortSignal): Promise<Descriptor> {
  using ingest = store.blobs.ingest();
  const write = async (chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    for await (const chunk of chunks) ingest.write(chunk);
  };
  const tar = store.materializer.tar(diffId);
  if (compression === "uncompressed") await write(tar);
  else await pipeline(tar, compression === "gzip" ? gzip(compressionLevel) : zstd(compressionLevel), write, { signal });
  const { digest, size } = ingest.commit(compression === "uncompressed" ? { digest: diffId } : undefined);
  const blob: Descriptor = { mediaType: wanted[compression], digest, size };
  if (compression !== "uncompressed") store.layers.addBlob(diffId, blob, store.layers.size(diffId));
  return blob;
}

function gzip(level: number | undefined): Gzip {
  return createGzip(level === undefined ? {} : { level: Math.max(0, Math.min(level, 9)) });
}

function zstd(level: number | undefined): ZstdCompress {
  return createZstdCompress(level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } });
}
