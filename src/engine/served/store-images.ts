/**
 * A registry on the store: `app:1` of the store is `app:1` of the registry, and what is pushed as `app:1` is an image of the store. An image
 * of the store is brought into the registry when it is first asked for, its layers compressed once; when the name means another one, again.
 */
import type { DistributionStorage, StoredManifest } from "../../distribution/index.ts";
import { isSlipwayError } from "../../base/errors.ts";
import { isAttestation } from "../../oci/attestation.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { formatReference, parseReference, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Store } from "../../store/index.ts";
import { archivedFrom } from "../archive/save.ts";
import { copyImage } from "../copy/copy-image.ts";
import { removeImage } from "../images/remove.ts";
import { defaultCompression } from "../push/layer-for-push.ts";
import { pushArchived } from "../push/push-image.ts";
import { storeTarget } from "../transports/store-target.ts";
import { servedRepository, storeNames } from "./served-names.ts";
import { storageSource } from "./storage-source.ts";

const maxIndexDepth = 4;
const imageConfigs: readonly string[] = [mediaTypes.ociConfig, mediaTypes.dockerConfig];

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

export interface StoreImages {
  readonly storage: DistributionStorage;
  readonly store: Store;
  /** "127.0.0.1:5000", as soon as it is known */
  readonly server: () => string;
  /** further names of this machine */
  readonly names: readonly string[];
}

export function withStoreImages({ storage, store, server, names }: StoreImages): DistributionStorage {
  const brought = new Map<string, { readonly id: Digest; readonly done: Promise<unknown> }>();

  /** The store's name that means the repository's tag, and what it stands for. */
  function found(repository: string, tag: string): { readonly name: string; readonly reference: Reference; readonly id: Digest } | undefined {
    for (const reference of storeNames(repository, tag, server(), names)) {
      const name = formatReference(reference);
      const id = store.images.byName(name);
      if (id !== undefined) return { name, reference, id };
    }
    return undefined;
  }

  async function bring(repository: string, tag: string): Promise<void> {
    const image = found(repository, tag);
    if (image === undefined) return;
    const { id, reference } = image;
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

  /** Before its tag appears, so that the store has what the registry has. Artifacts are no images: the registry alone keeps them. */
  async function take(repository: string, tag: string, manifest: StoredManifest): Promise<void> {
    const [first] = storeNames(repository, tag, server(), names);
    if (first === undefined || !(await isImage(storage, repository, manifest))) return;
    const name = found(repository, tag)?.name ?? formatReference(first);
    const source = storageSource(storage, repository, manifest);
    await using target = storeTarget(store, repository, name);
    await copyImage({ source, target, platform: undefined, emit: () => undefined });
    const id = store.images.byName(name);
    if (id !== undefined) brought.set(`${repository}:${tag}`, { id, done: Promise.resolve() });
  }

  /** The store's name goes with the registry's tag. An image that a container uses stays without it. */
  function forget(repository: string, tag: string): boolean {
    const image = found(repository, tag);
    if (image === undefined) return false;
    try {
      removeImage(store, image.name);
    } catch (error) {
      if (!isSlipwayError(error, "IMAGE_IN_USE")) throw error;
      store.images.untag(image.name);
    }
    brought.delete(`${repository}:${tag}`);
    return true;
  }

  function served(): readonly { readonly repository: string; readonly tag: string }[] {
    return store.images.allNames().flatMap(({ name }) => {
      const reference = parseReference(name);
      return reference.tag === undefined ? [] : [{ repository: servedRepository(reference, server(), names), tag: reference.tag }];
    });
  }

  async function tags(repository: string): Promise<readonly string[] | undefined> {
    const own = await storage.tags(repository);
    const stored = served().flatMap((one) => (one.repository === repository ? [one.tag] : []));
    return own === undefined && stored.length === 0 ? undefined : [...new Set([...(own ?? []), ...stored])].toSorted();
  }

  return {
    ...storage,
    repositories: async () => [...new Set([...(await storage.repositories()), ...served().map(({ repository }) => repository)])].toSorted(),
    tags,
    resolveTag: async (repository, tag) => {
      await bring(repository, tag);
      return storage.resolveTag(repository, tag);
    },
    putManifest: async (repository, manifest, tag, referral) => {
      if (tag !== undefined) await take(repository, tag, manifest);
      await storage.putManifest(repository, manifest, tag, referral);
    },
    deleteTag: async (repository, tag) => {
      const [inStore, inStorage] = [forget(repository, tag), await storage.deleteTag(repository, tag)];
      return inStore || inStorage;
    },
    deleteManifest: async (repository, digest) => {
      for (const tag of (await storage.tags(repository)) ?? []) if ((await storage.resolveTag(repository, tag)) === digest) forget(repository, tag);
      return await storage.deleteManifest(repository, digest);
    },
  };
}

/** Something that runs: a manifest with an image's config, or an index that lists one. */
async function isImage(
  storage: DistributionStorage,
  repository: string,
  { bytes, mediaType }: Pick<StoredManifest, "bytes" | "mediaType">,
  depth = 0,
): Promise<boolean> {
  const parsed = parseManifestOrIndex(bytes, mediaType);
  if (parsed.kind === "manifest") return imageConfigs.includes(parsed.manifest.config.mediaType);
  for (const entry of parsed.index.manifests) {
    if (isAttestation(entry) || depth === maxIndexDepth) continue;
    const member = await storage.manifest(repository, entry.digest);
    if (member !== undefined && (await isImage(storage, repository, member, depth + 1))) return true;
  }
  return false;
}
