/** A cache behind a reference of a registry. */
import { createReadStream } from "node:fs";
import { isSlipwayError, SlipwayError } from "../../../base/errors.ts";
import { digestOf } from "../../../oci/digest.ts";
import type { Descriptor } from "../../../oci/manifest.ts";
import { formatReference, type Reference } from "../../../oci/reference.ts";
import type { RegistryClient } from "../../../registry/index.ts";
import { maxConfigBytes } from "../../../solver/cache-exchange/cache-config.ts";
import type { Store } from "../../../store/index.ts";
import type { PolicyGate } from "../../policy-gate.ts";
import type { CacheReader, CacheWriter } from "./cache-place.ts";

interface ReaderSurroundings {
  readonly client: () => Promise<RegistryClient>;
  readonly gate?: PolicyGate;
}

/** What policies refuse is not read. */
export function registryReader({ client, gate }: ReaderSurroundings, reference: Reference): CacheReader {
  return {
    manifest: async (signal) => {
      try {
        return ((await gate?.pulled("build", reference, { signal })) ?? (await (await client()).resolve(reference, { signal }))).bytes;
      } catch (error) {
        if (!isSlipwayError(error, "MANIFEST_NOT_FOUND")) throw error;
        throw new SlipwayError("not_found", "CACHE_NOT_FOUND", `${formatReference(reference)}: not found`, error.details, error);
      }
    },
    document: async (descriptor, signal) => await readDocument(await client(), reference, descriptor, signal),
    async *open(descriptor, signal) {
      yield* (await client()).openBlob(reference, descriptor, { signal });
    },
  };
}

async function readDocument(client: RegistryClient, reference: Reference, descriptor: Descriptor, signal: AbortSignal): Promise<Uint8Array> {
  if (descriptor.mediaType.includes("manifest")) return (await client.fetchManifest(reference, descriptor.digest, { signal })).bytes;
  if (descriptor.size > maxConfigBytes) {
    throw new SlipwayError("data_loss", "BLOB_TOO_LARGE", `blob ${descriptor.digest} has ${descriptor.size} bytes`, { digest: descriptor.digest });
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.openBlob(reference, descriptor, { signal })) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (digestOf(bytes) !== descriptor.digest) throw new SlipwayError("data_loss", "DIGEST_MISMATCH", `blob ${descriptor.digest} is damaged`, {});
  return bytes;
}

export function registryWriter(store: Store, client: () => Promise<RegistryClient>, reference: Reference): CacheWriter {
  return {
    layer: async (descriptor, signal) => {
      const open = (offset: number): AsyncIterable<Uint8Array> => createReadStream(store.blobs.path(descriptor.digest), { start: offset });
      await (await client()).pushBlob(reference, descriptor, { signal, open });
    },
    document: async (descriptor, bytes, signal) => {
      await (await client()).pushBlob(reference, descriptor, { signal, open: (offset) => oneChunk(bytes.subarray(offset)) });
    },
    manifest: async ({ mediaType }, bytes, signal) => {
      await (await client()).pushManifest(reference, { mediaType, bytes }, { signal });
    },
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
