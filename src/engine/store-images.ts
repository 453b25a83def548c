/**
 * A registry that has the store's images beside its own content: `app:1` of the store is `app:1` of the registry. An image is brought
 * into the registry when it is first asked for, its layers compressed once; when the name means another image, again.
 */
import type { DistributionStorage } from "../distribution/index.ts";
import { isSlipwayError } from "../base/errors.ts";
import { digestOf, type Digest } from "../oci/digest.ts";
import { parseManifestOrIndex } from "../oci/parse-manifest.ts";
import { familiarRepository, formatReference, parseReference, type Reference } from "../oci/reference.ts";
import type { RegistryClient } from "../registry/index.ts";
import type { Store } from "../store/index.ts";
import { archivedFrom } from "./archive/save.ts";
import { defaultCompression } from "./push/layer-for-push.ts";
import { pushArchived } from "./push/push-image.ts";

/** What a push needs of a registry's client, on its storage itself. */
function clientOf(storage: DistributionStorage, repository: string): Pick<RegistryClient, "hasBlob" | "pushBlob" | "pushManifest"> {
  return {
    hasBlob: async (_, { digest }) => (await storage.blobSize(repository, digest)) !== undefined,
    async pushBlob(_, { digest, size }, { open }) {
      if ((await storage.blobSize(repository, digest)) === size) return { outcome: "exists" };
      const id = await storage.createUpload(repository);
      await storage.appendUpload(repository, id, open(0));
      await storage.commitUpload(repository, id, digest);
      return { outcome: "uploaded", sentFrom: 0, size };
    },
    async pushManifest({ tag }, { bytes, mediaType }) {
      const digest = digestOf(bytes);
      await storage.putManifest(repository, { digest, mediaType: parseManifestOrIndex(bytes, mediaType).mediaType, bytes }, tag);
      return { descriptor: { mediaType, digest, size: bytes.length }, subject: undefined };
    },
  };
}

/** The store's name for a repository's tag; undefined where the store can have none. */
function nameOf(repository: string, tag: string): Reference | undefined {
  try {
    return parseReference(`${repository}:${tag}`);
  } catch (error) {
    if (isSlipwayError(error)) return undefined;
    throw error;
  }
}

export function withStoreImages(storage: DistributionStorage, store: Store): DistributionStorage {
  const brought = new Map<string, { readonly id: Digest; readonly done: Promise<unknown> }>();

  async function bring(repository: string, tag: string): Promise<void> {
    const reference = nameOf(repository, tag);
    const id = reference === undefined ? undefined : store.images.byName(formatReference(reference));
    if (reference === undefined || id === undefined) return;
    const key = `${repository}:${tag}`;
    const before = brought.get(key);
    if (before?.id === id) return void (await before.done);
    const client = clientOf(storage, repository);
    const done = pushArchived(
      { store, client, reference, compression: defaultCompression, mountFrom: () => [], onProgress: () => undefined },
      archivedFrom(store, id, []),
    );
    brought.set(key, { id, done });
    try {
      await done;
    } catch (error) {
      brought.delete(key);
      throw error;
    }
  }

  function names(): readonly { readonly repository: string; readonly tag: string }[] {
    return store.images.allNames().flatMap(({ name }) => {
      const reference = parseReference(name);
      return reference.tag === undefined ? [] : [{ repository: familiarRepository(reference), tag: reference.tag }];
    });
  }

  return {
    ...storage,
    repositories: async () => [...new Set([...(await storage.repositories()), ...names().map(({ repository }) => repository)])].toSorted(),
    tags: async (repository) => {
      const own = await storage.tags(repository);
      const stored = names().flatMap((one) => (one.repository === repository ? [one.tag] : []));
      return own === undefined && stored.length === 0 ? undefined : [...new Set([...(own ?? []), ...stored])].toSorted();
    },
    resolveTag: async (repository, tag) => {
      await bring(repository, tag);
      return storage.resolveTag(repository, tag);
    },
  };
}
