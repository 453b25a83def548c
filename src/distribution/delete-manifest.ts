/**
 * Deleting a manifest frees what it alone held: its blobs, the manifests of an index, and what refers to it, as far as no tag and no other
 * manifest of the repository names them. A push that relied on one of them meanwhile is refused, and its client sends it again.
 */
import type { Digest } from "../oci/digest.ts";
import { parseManifestOrIndex } from "../oci/parse-manifest.ts";
import type { DistributionStorage, StoredManifest } from "./storage.ts";

interface Named {
  readonly manifests: readonly Digest[];
  readonly blobs: readonly Digest[];
}

function namedBy({ bytes, mediaType }: StoredManifest): Named {
  const parsed = parseManifestOrIndex(bytes, mediaType);
  if (parsed.kind === "index") return { manifests: parsed.index.manifests.map(({ digest }) => digest), blobs: [] };
  return { manifests: [], blobs: [parsed.manifest.config, ...parsed.manifest.layers].map(({ digest }) => digest) };
}

/** false: there is no such manifest. Cost: every manifest of the repository is read once for each that goes. */
export async function deleteWithContent(storage: DistributionStorage, repository: string, digest: Digest): Promise<boolean> {
  const found = await storage.manifest(repository, digest);
  const about = await storage.referrers(repository, digest);
  if (!(await storage.deleteManifest(repository, digest))) return false;
  if (found === undefined) return true;
  const { manifests, blobs } = namedBy(found);
  for (const each of [...manifests, ...about.map((referrer) => referrer.digest)]) {
    if (!(await heldBy(storage, repository)).has(each)) await deleteWithContent(storage, repository, each);
  }
  const held = await heldBy(storage, repository);
  for (const each of blobs) if (!held.has(each)) await storage.deleteBlob(repository, each);
  return true;
}

async function heldBy(storage: DistributionStorage, repository: string): Promise<ReadonlySet<Digest>> {
  const held = new Set<Digest>();
  for (const tag of (await storage.tags(repository)) ?? []) {
    const digest = await storage.resolveTag(repository, tag);
    if (digest !== undefined) held.add(digest);
  }
  for (const digest of await storage.manifests(repository)) {
    const manifest = await storage.manifest(repository, digest);
    if (manifest === undefined) continue;
    const { manifests, blobs } = namedBy(manifest);
    for (const each of [...manifests, ...blobs]) held.add(each);
  }
  return held;
}
