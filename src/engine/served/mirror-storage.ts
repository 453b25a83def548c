/**
 * A registry's storage that fetches what it lacks from another registry and keeps it: a pull-through cache. Tags are asked for each time;
 * while the other registry does not answer, what is kept is served under the tags that it had last.
 */
import type { DistributionStorage, StoredManifest } from "../../distribution/index.ts";
import { isSlipwayError, type ErrorKind } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { parseReference, type Reference } from "../../oci/reference.ts";
import type { FetchedManifest, RegistryClient } from "../../registry/index.ts";
import { createMirrorDownloads } from "./mirror-downloads.ts";

export type MirroredClient = Pick<RegistryClient, "head" | "resolve" | "fetchManifest" | "openBlob" | "listTags" | "listReferrers">;

export interface MirrorOptions {
  readonly storage: DistributionStorage;
  readonly client: MirroredClient;
  /** the registry whose content this is: "docker.io" */
  readonly upstream: string;
  readonly now: () => number;
  /** how long a tag that is kept waits for the other registry's answer */
  readonly patienceMs?: number;
}

export interface Mirror {
  readonly storage: DistributionStorage;
  /** Resolves when no blob is being fetched any more. */
  readonly settled: () => Promise<void>;
}

/** A registry that did not answer is not waited for again so soon, where there is something to serve without it. */
const restMs = 15_000;
const defaultPatienceMs = 10_000;

/** It said no: what is kept must not go out instead. */
const refusals: readonly ErrorKind[] = ["not_found", "denied", "unauthenticated"];
const isRefusal = (error: unknown): boolean => isSlipwayError(error) && refusals.includes(error.kind);
const isAbsent = (error: unknown): boolean => isSlipwayError(error) && error.kind === "not_found";

/** Reading fails with the registry client's codes where the other registry fails and nothing is kept. */
export function createMirror({ storage, client, upstream, now, patienceMs = defaultPatienceMs }: MirrorOptions): Mirror {
  const downloads = createMirrorDownloads(storage, client);
  const sizes = new Map<string, Map<Digest, Descriptor>>();
  let restUntilMs = 0;

  const named = (repository: string, rest = ""): Reference => parseReference(`${upstream}/${repository}${rest}`);

  async function keep(repository: string, { descriptor, bytes }: FetchedManifest, tag?: string): Promise<StoredManifest> {
    const { digest, mediaType } = descriptor;
    const manifest = { digest, mediaType, bytes };
    await storage.putManifest(repository, manifest, tag);
    const known = sizes.get(repository);
    if (known !== undefined) note(known, manifest);
    return manifest;
  }

  /** Blobs that the repository's manifests name: only those can be asked for. */
  async function blob(repository: string, digest: Digest): Promise<Descriptor | undefined> {
    let known = sizes.get(repository);
    if (known === undefined) {
      known = new Map();
      for (const each of await storage.manifests(repository)) {
        const manifest = await storage.manifest(repository, each);
        if (manifest !== undefined) note(known, manifest);
      }
      sizes.set(repository, known);
    }
    return known.get(digest);
  }

  /** What the other registry answers, else what is kept, where it does not answer. */
  async function fresh<T>(kept: T | undefined, ask: (signal: AbortSignal | undefined) => Promise<T | undefined>): Promise<T | undefined> {
    if (kept !== undefined && now() < restUntilMs) return kept;
    try {
      return await ask(kept === undefined ? undefined : AbortSignal.timeout(patienceMs));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      if (kept === undefined || isRefusal(error)) throw error;
      restUntilMs = now() + restMs;
      return kept;
    }
  }

  async function resolveTag(repository: string, tag: string): Promise<Digest | undefined> {
    const kept = await storage.resolveTag(repository, tag);
    return await fresh(kept, async (signal) => {
      const reference = named(repository, `:${tag}`);
      const digest = (await client.head(reference, { signal }))?.digest;
      if (digest !== undefined && digest === kept) return digest;
      return (await keep(repository, await client.resolve(reference, { signal }), tag)).digest;
    });
  }

  async function manifest(repository: string, digest: Digest): Promise<StoredManifest | undefined> {
    const kept = await storage.manifest(repository, digest);
    if (kept !== undefined) return kept;
    return await fresh<StoredManifest>(undefined, async () => await keep(repository, await client.fetchManifest(named(repository), digest)));
  }

  return {
    settled: downloads.settled,
    storage: {
      ...storage,
      resolveTag,
      manifest,
      blobSize: async (repository, digest) => (await storage.blobSize(repository, digest)) ?? (await blob(repository, digest))?.size,
      readBlob: async function* (repository, digest, range) {
        const missing = (await storage.blobSize(repository, digest)) === undefined ? await blob(repository, digest) : undefined;
        yield* missing === undefined
          ? storage.readBlob(repository, digest, range)
          : downloads.read({ repository, reference: named(repository), descriptor: missing }, range);
      },
      tags: async (repository) => await fresh(await storage.tags(repository), async (signal) => await client.listTags(named(repository), { signal })),
      referrers: async (repository, subject) => {
        const kept = await storage.referrers(repository, subject);
        return (await fresh(kept, async (signal) => await client.listReferrers(named(repository), subject, { signal }))) ?? [];
      },
    },
  };
}

function note(known: Map<Digest, Descriptor>, { bytes, mediaType }: StoredManifest): void {
  const parsed = parseManifestOrIndex(bytes, mediaType);
  if (parsed.kind === "index") return;
  for (const descriptor of [parsed.manifest.config, ...parsed.manifest.layers]) known.set(descriptor.digest, descriptor);
}
