/** `rewrite-timestamp=true`: layers of this build in which nothing is newer than SOURCE_DATE_EPOCH. */
import type { Digest } from "../../oci/digest.ts";
import type { Chain, Store } from "../../store/index.ts";
import { encodeHeader, endOfArchive, paddingLength, readTarMembers } from "../../tar/index.ts";

/** The base's layers stay as they are, and so do those without a newer file. Cost: one read and one write for each of the others. */
export async function rewriteTimes(store: Store, chain: Chain, baseLayers: number, epochSeconds: number, signal: AbortSignal): Promise<Chain> {
  const rewritten: Digest[] = [];
  for (const [at, diffId] of chain.entries()) rewritten.push(at < baseLayers ? diffId : await rewriteLayer(store, diffId, epochSeconds, signal));
  return rewritten;
}

async function rewriteLayer(store: Store, diffId: Digest, epochSeconds: number, signal: AbortSignal): Promise<Digest> {
  const latest = BigInt(epochSeconds) * 1_000_000_000n;
  using ingest = store.blobs.ingest();
  let isNew = false;
  for await (const { entry, content } of readTarMembers(store.materializer.tar(diffId))) {
    signal.throwIfAborted();
    isNew ||= entry.mtimeNs > latest;
    ingest.write(encodeHeader(entry.mtimeNs > latest ? { ...entry, mtimeNs: latest } : entry));
    for await (const bytes of content) ingest.write(bytes);
    const padding = paddingLength(entry.size);
    if (padding > 0) ingest.write(Buffer.alloc(padding));
  }
  if (!isNew) return diffId;
  ingest.write(endOfArchive);
  const { digest } = ingest.commit();
  store.layers.addTar(digest, store.layers.size(diffId));
  return digest;
}
