/** Layers as eStargz. The table of contents is part of what is decompressed, so the image that is pushed has diffIDs, and an id, of its own. */
import { parseDigest, type Digest } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import type { Store } from "../../store/index.ts";
import { compressEstargz } from "../../tar/index.ts";
import type { LayerCompression } from "../registry-api.ts";
import type { PreparedLayer } from "./prepared-layer.ts";

const tocDigestAnnotation = "containerd.io/snapshot/stargz/toc.digest";
const uncompressedSizeAnnotation = "io.containers.estargz.uncompressed-size";

/** The blob stays for this process: it is no form of the store's layer. Fails with LAYER_MISSING (not_found) and compressEstargz's codes. */
export async function estargzLayer(store: Store, diffId: Digest, { level }: LayerCompression, signal?: AbortSignal): Promise<PreparedLayer> {
  const options = { ...(level === undefined ? {} : { level }), ...(signal === undefined ? {} : { signal }) };
  const compressed = compressEstargz(store.materializer.tar(diffId), options);
  using ingest = store.blobs.ingest();
  let next = await compressed.next();
  for (; next.done !== true; next = await compressed.next()) ingest.write(next.value);
  const { digest, size } = ingest.commit();
  const { tocDigest, uncompressedSize, diffId: whole } = next.value;
  const annotations = { [tocDigestAnnotation]: tocDigest, [uncompressedSizeAnnotation]: String(uncompressedSize) };
  return { descriptor: { mediaType: mediaTypes.ociLayerGzip, digest, size, annotations }, diffId: parseDigest(whole) };
}
