/** A whole index into the store: each of its images, one after the other, and what attests to them. */
import { isSlipwayError } from "../base/errors.ts";
import { attestedManifest, isAttestation } from "../oci/attestation.ts";
import type { Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { parseManifestOrIndex } from "../oci/parse-manifest.ts";
import { pullImage, type PulledImage, type PullOptions } from "./pull-image.ts";

/** What the reference names: of an index all its images, of an image that one. Answers the last one's id with whether all were here already. */
export async function pullPlatforms(options: PullOptions): Promise<PulledImage> {
  const { client, reference, signal } = options;
  const call = signal === undefined ? {} : { signal };
  const root = (await options.admit?.(reference, { signal })) ?? (await client.resolve(reference, call));
  const parsed = parseManifestOrIndex(root.bytes, root.descriptor.mediaType);
  const entries = parsed.kind === "index" ? parsed.index.manifests : [];
  const images = entries.filter((entry) => !isAttestation(entry));
  if (images.length === 0) return await pullImage({ ...options, root });
  let last: PulledImage | undefined;
  for (const entry of images) {
    const beside = entries.filter((other) => isAttestation(other) && attestedManifest(other) === entry.digest);
    const blobs = (await Promise.all(beside.map(async (attestation) => await fetchAttestation(options, attestation)))).flat();
    const pulled = await pullImage({ ...options, root, entry: entry.digest, platform: entry.platform ?? options.platform, blobs });
    last = { ...pulled, upToDate: pulled.upToDate && (last?.upToDate ?? true) };
  }
  return last as PulledImage;
}

/** The manifest with all that it names, as blobs. */
async function fetchAttestation(options: PullOptions, descriptor: Descriptor): Promise<readonly Digest[]> {
  const { client, reference, store, signal } = options;
  const fetched = await client.fetchManifest(reference, descriptor.digest, signal === undefined ? {} : { signal });
  const parsed = parseManifestOrIndex(fetched.bytes, fetched.descriptor.mediaType);
  if (parsed.kind !== "manifest") return [];
  const blobs = [parsed.manifest.config, ...parsed.manifest.layers];
  await Promise.all(blobs.map(async (blob) => await fetchBlob(options, blob)));
  return [store.blobs.put(fetched.bytes).digest, ...blobs.map(({ digest }) => digest)];
}

async function fetchBlob({ client, reference, store, signal }: PullOptions, blob: Descriptor): Promise<void> {
  using partial = await store.blobs.partial(blob, signal);
  if (partial === undefined) return;
  const receive = async (): Promise<void> => {
    const call = { offset: partial.size, hash: partial.hash, ...(signal === undefined ? {} : { signal }) };
    for await (const chunk of client.openBlob(reference, blob, call)) partial.append(chunk);
    await partial.commit();
  };
  const resumed = partial.size > 0;
  try {
    await receive();
  } catch (error) {
    if (!resumed || !isSlipwayError(error, "DIGEST_MISMATCH")) throw error;
    partial.restart();
    await receive();
  }
}
