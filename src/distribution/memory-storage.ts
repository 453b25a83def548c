/** A registry's content in memory: for tests, gone with the process. */
import { createHash, randomUUID } from "node:crypto";
import { algorithmOf, type Digest } from "../oci/digest.ts";
import type { DistributionStorage, Referral, StoredManifest } from "./storage.ts";

interface Repository {
  readonly blobs: Map<Digest, Buffer>;
  readonly uploads: Map<string, Uint8Array[]>;
  readonly manifests: Map<Digest, StoredManifest>;
  readonly tags: Map<string, Digest>;
  /** by the digest of the manifest that refers */
  readonly referrals: Map<Digest, Referral>;
}

const sizeOf = (chunks: readonly Uint8Array[]): number => chunks.reduce((sum, chunk) => sum + chunk.length, 0);

export function createMemoryStorage(): DistributionStorage {
  const repositories = new Map<string, Repository>();

  function repository(name: string): Repository {
    const found = repositories.get(name) ?? { blobs: new Map(), uploads: new Map(), manifests: new Map(), tags: new Map(), referrals: new Map() };
    repositories.set(name, found);
    return found;
  }

  async function append(name: string, id: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
    const chunks = repository(name).uploads.get(id) ?? [];
    for await (const chunk of bytes) chunks.push(Buffer.from(chunk));
  }

  function commit(name: string, id: string, digest: Digest): boolean {
    const { uploads, blobs } = repository(name);
    const bytes = Buffer.concat(uploads.get(id) ?? []);
    uploads.delete(id);
    const algorithm = algorithmOf(digest);
    if (`${algorithm}:${createHash(algorithm).update(bytes).digest("hex")}` !== digest) return false;
    blobs.set(digest, bytes);
    return true;
  }

  function put(name: string, manifest: StoredManifest, tag?: string, referral?: Referral): void {
    const { manifests, tags, referrals } = repository(name);
    manifests.set(manifest.digest, manifest);
    if (tag !== undefined) tags.set(tag, manifest.digest);
    if (referral !== undefined) referrals.set(manifest.digest, referral);
  }

  function removeManifest(name: string, digest: Digest): boolean {
    const { manifests, tags, referrals } = repository(name);
    for (const [tag, named] of tags) if (named === digest) tags.delete(tag);
    referrals.delete(digest);
    return manifests.delete(digest);
  }

  return {
    repositories: async () => [...repositories].flatMap(([name, { manifests }]) => (manifests.size > 0 ? [name] : [])).toSorted(),
    blobSize: async (name, digest) => repository(name).blobs.get(digest)?.length,
    async *readBlob(name, digest, range) {
      const bytes = repository(name).blobs.get(digest);
      if (bytes !== undefined) yield range === undefined ? bytes : bytes.subarray(range.start, range.end + 1);
    },
    mountBlob: async (from, to, digest) => {
      const bytes = repository(from).blobs.get(digest);
      if (bytes !== undefined) repository(to).blobs.set(digest, bytes);
      return bytes !== undefined;
    },
    deleteBlob: async (name, digest) => repository(name).blobs.delete(digest),
    createUpload: async (name) => {
      const id = randomUUID();
      repository(name).uploads.set(id, []);
      return id;
    },
    uploadSize: async (name, id) => {
      const chunks = repository(name).uploads.get(id);
      return chunks === undefined ? undefined : sizeOf(chunks);
    },
    appendUpload: append,
    commitUpload: async (name, id, digest) => commit(name, id, digest),
    cancelUpload: async (name, id) => repository(name).uploads.delete(id),
    manifests: async (name) => [...repository(name).manifests.keys()],
    manifest: async (name, digest) => repository(name).manifests.get(digest),
    putManifest: async (name, manifest, tag, referral) => put(name, manifest, tag, referral),
    deleteManifest: async (name, digest) => removeManifest(name, digest),
    tags: async (name) => {
      const { tags, manifests } = repository(name);
      return manifests.size === 0 ? undefined : [...tags.keys()].toSorted();
    },
    resolveTag: async (name, tag) => repository(name).tags.get(tag),
    deleteTag: async (name, tag) => repository(name).tags.delete(tag),
    referrers: async (name, subject) => [...repository(name).referrals.values()].filter((one) => one.subject === subject).map(({ descriptor }) => descriptor),
  };
}
