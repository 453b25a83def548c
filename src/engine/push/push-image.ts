/** One image or index of the store to one name at a registry: layers while others are compressed, then configs, manifests, the index. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { isNondistributable, mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import type { Reference } from "../../oci/reference.ts";
import type { PushedBlob, RegistryClient } from "../../registry/index.ts";
import { fileChunks } from "../../store/file-chunks.ts";
import type { Store } from "../../store/index.ts";
import {
  describe,
  imageManifest,
  isOwnLayer,
  newIndex,
  readManifest,
  type ArchivedImage,
  type ArchivedIndex,
  type ImageDocument,
} from "../archive/archive-plan.ts";
import type { AttestationDocument } from "../attestations/attestation-manifest.ts";
import { keptAttestations, readIndexDocument, type KeptAttestation } from "../attestations/kept-attestations.ts";
import type { LayerCompression } from "../registry-api.ts";
import { withDockerTypes } from "./docker-types.ts";
import { configWithDiffIds, type PreparedLayer } from "./prepared-layer.ts";
import { preparedLayer } from "./layer-for-push.ts";

export interface PushProgress {
  readonly layer: Digest;
  /** "compressing" before the layer's blob is known */
  readonly phase: "waiting" | "compressing" | "pushing" | "done";
  readonly current: number;
  readonly total: number;
  readonly outcome?: PushedBlob;
}

export interface PushRequest {
  readonly store: Store;
  readonly client: Pick<RegistryClient, "hasBlob" | "pushBlob" | "pushManifest">;
  /** with a tag; without one the image stands under its digest alone */
  readonly reference: Reference;
  readonly compression: LayerCompression;
  /** documents that are made now have Docker's media types; eStargz has OCI's always */
  readonly dockerTypes?: boolean;
  /** layers that are not to be distributed are sent too, where they are here */
  readonly nondistributable?: boolean;
  /** repositories of that registry that a layer's blob may be mounted from */
  readonly mountFrom: (diffId: Digest) => readonly string[];
  readonly onProgress: (progress: PushProgress) => void;
  /** puts what refers to an image that is there */
  readonly attach?: (document: ImageDocument) => Promise<unknown>;
  readonly signal?: AbortSignal | undefined;
}

export interface PushedImage {
  /** of the manifest or the index that the name stands for now */
  readonly descriptor: Descriptor;
  /** the manifests, in the images' order */
  readonly manifests: readonly ImageDocument[];
  /** of an index its document */
  readonly index: ImageDocument | undefined;
  /** what was made now to be said of the images */
  readonly attestations?: readonly AttestationDocument[];
}

/** So many layers are compressed at once, each on all cores. */
const parallelCompressions = 2;

export async function pushArchived(request: PushRequest, image: ArchivedImage | ArchivedIndex): Promise<PushedImage> {
  const layers = new LayerPusher(request);
  if ("images" in image) return await pushIndex(request, layers, image);
  const document = await pushContents(request, layers, image);
  const { descriptor } = await request.client.pushManifest(request.reference, document, request);
  const attestations = await pushAttestations(request, image, document);
  return { descriptor, manifests: [document], index: undefined, attestations };
}

async function pushIndex(request: PushRequest, layers: LayerPusher, index: ArchivedIndex): Promise<PushedImage> {
  const { domain, path } = request.reference;
  const manifests = await Promise.all(index.images.map(async (image) => await pushContents(request, layers, image)));
  const descriptors: Descriptor[] = [];
  for (const [at, document] of manifests.entries()) {
    const { descriptor } = await request.client.pushManifest({ domain, path }, document, request);
    const { platform, annotations } = index.images[at] as ArchivedIndex["images"][number];
    descriptors.push(describe(descriptor, platform, annotations?.manifestDescriptor ?? {}));
  }
  const whole = await wholeIndex(request, index.document, descriptors);
  const attestations: AttestationDocument[] = [];
  for (const [at, document] of manifests.entries())
    attestations.push(...(await pushAttestations(request, index.images[at] as ArchivedIndex["images"][number], document)));
  const entries = attestations.flatMap(({ isLoose, entry }) => (isLoose ? [] : [entry]));
  const made = newIndex([...descriptors, ...entries], index.annotations?.index ?? {});
  const document = whole ?? (hasDockerTypes(request) ? withDockerTypes(made) : made);
  const { descriptor } = await request.client.pushManifest(request.reference, document, request);
  return { descriptor, manifests, index: document, attestations };
}

/** What is beside the index refers to its image, which is there already. */
async function pushAttestations(request: PushRequest, { attest }: ArchivedImage, image: ImageDocument): Promise<readonly AttestationDocument[]> {
  const documents = (await attest?.(image)) ?? [];
  const { client, reference, signal } = request;
  const { domain, path } = reference;
  for (const document of documents) {
    for (const { descriptor, bytes } of document.blobs)
      await client.pushBlob(reference, descriptor, {
        open: async function* (offset) {
          yield bytes.subarray(offset);
        },
        signal,
      });
    if (document.isLoose) await request.attach?.(document);
    else await client.pushManifest({ domain, path }, document, request);
  }
  return documents;
}

function hasDockerTypes({ dockerTypes = false, compression }: PushRequest): boolean {
  return dockerTypes && compression.type !== "estargz";
}

/** The index as it came, after its attestations, where all that it lists is here: other platforms that are not would be missing there. */
async function wholeIndex(request: PushRequest, document: Digest | undefined, pushed: readonly Descriptor[]): Promise<ImageDocument | undefined> {
  const { store } = request;
  const found = readIndexDocument(store, document);
  if (found === undefined) return undefined;
  const attestations = keptAttestations(store, found.index);
  const here = new Set([...pushed, ...attestations.map(({ descriptor }) => descriptor)].map(({ digest }) => digest));
  if (found.index.manifests.some(({ digest }) => !here.has(digest))) return undefined;
  await Promise.all(attestations.map(async (attestation) => await pushAttestation(request, attestation)));
  return found;
}

async function pushAttestation(request: PushRequest, { descriptor, bytes, blobs }: KeptAttestation): Promise<void> {
  const { store, client, reference, signal } = request;
  const { domain, path } = reference;
  const open = (digest: Digest) => (offset: number) => fileChunks(store.blobs.path(digest), offset);
  await Promise.all(blobs.map(async (blob) => await client.pushBlob(reference, blob, { open: open(blob.digest), signal })));
  await client.pushManifest({ domain, path }, { mediaType: descriptor.mediaType, bytes }, request);
}

/** Layers and config are there afterwards; answers the manifest that may follow. */
async function pushContents(request: PushRequest, layers: LayerPusher, image: ArchivedImage): Promise<ImageDocument> {
  const { store, client, reference, compression, signal } = request;
  store.layers.hold(image.chain);
  const sendConfig = async (bytes: Uint8Array): Promise<unknown> =>
    await client.pushBlob(
      reference,
      { mediaType: mediaTypes.ociConfig, digest: digestOf(bytes), size: bytes.length },
      {
        open: async function* (offset) {
          yield bytes.subarray(offset);
        },
        signal,
      },
    );
  const kept = compression.force ? undefined : readManifest(store, image);
  if (kept !== undefined && kept.manifest.layers.length === image.chain.length && (await layers.pushKept(kept.manifest.layers, image.chain))) {
    await sendConfig(image.config);
    return kept;
  }
  const pushed = Promise.all(image.chain.map(async (diffId, at) => await layers.push(diffId, isOwnLayer(image, at))));
  if (compression.type !== "estargz") await Promise.all([pushed, sendConfig(image.config)]);
  const prepared = await pushed;
  const config = configWithDiffIds(
    image.config,
    prepared.map(({ diffId }) => diffId),
  );
  if (compression.type === "estargz") await sendConfig(config);
  const document = imageManifest(
    { ...image, config },
    prepared.map(({ descriptor }) => descriptor),
  );
  return hasDockerTypes(request) ? withDockerTypes(document) : document;
}

class LayerPusher {
  readonly #request: PushRequest;
  readonly #pushed = new Map<Digest, Promise<PreparedLayer>>();
  readonly #compressing: Promise<unknown>[] = Array.from({ length: parallelCompressions }, () => Promise.resolve());
  #turn = 0;

  constructor(request: PushRequest) {
    this.#request = request;
  }

  /** Compresses what is not compressed, and sends it. */
  push(diffId: Digest, own: boolean): Promise<PreparedLayer> {
    let work = this.#pushed.get(diffId);
    if (work === undefined) {
      work = this.#compressAndSend(diffId, own);
      this.#pushed.set(diffId, work);
    }
    return work;
  }

  async #compressAndSend(diffId: Digest, own: boolean): Promise<PreparedLayer> {
    const { store, compression, onProgress, signal } = this.#request;
    onProgress({ layer: diffId, phase: "waiting", current: 0, total: 0 });
    const lane = this.#turn++ % parallelCompressions;
    const compressed = this.#compressing[lane]?.then(async () => {
      signal?.throwIfAborted();
      onProgress({ layer: diffId, phase: "compressing", current: 0, total: 0 });
      return await preparedLayer(store, diffId, compression, own, signal);
    }) as Promise<PreparedLayer>;
    this.#compressing[lane] = compressed.catch(() => undefined);
    const layer = await compressed;
    await this.#send(diffId, layer.descriptor);
    return layer;
  }

  /** The blobs that a manifest names. False where one of them is neither here nor there. */
  async pushKept(blobs: readonly Descriptor[], chain: readonly Digest[]): Promise<boolean> {
    const { store, client, reference, signal, nondistributable = false } = this.#request;
    const done = await Promise.all(
      blobs.map(async (blob, at) => {
        if (isNondistributable(blob.mediaType) && !(nondistributable && store.blobs.has(blob.digest))) return true;
        const diffId = chain[at] as Digest;
        if (store.blobs.size(blob.digest) === blob.size) return await this.#sendOnce(diffId, blob);
        return await client.hasBlob(reference, blob, signal === undefined ? {} : { signal });
      }),
    );
    return done.every(Boolean);
  }

  async #sendOnce(diffId: Digest, blob: Descriptor): Promise<boolean> {
    let work = this.#pushed.get(diffId);
    if (work === undefined) {
      this.#request.onProgress({ layer: diffId, phase: "waiting", current: 0, total: blob.size });
      work = this.#send(diffId, blob).then(() => ({ descriptor: blob, diffId }));
      this.#pushed.set(diffId, work);
    }
    await work;
    return true;
  }

  async #send(diffId: Digest, blob: Descriptor): Promise<void> {
    const { store, client, reference, mountFrom, onProgress, signal } = this.#request;
    const total = blob.size;
    const path = store.blobs.path(blob.digest);
    if (!store.blobs.has(blob.digest)) throw new SlipwayError("not_found", "BLOB_MISSING", `blob ${blob.digest} is not in the store`, { digest: blob.digest });
    const sending = client.pushBlob(reference, blob, {
      open: (offset) => fileChunks(path, offset),
      verified: true,
      mountFrom: mountFrom(diffId),
      memory: store.uploads,
      onProgress: (current) => onProgress({ layer: diffId, phase: "pushing", current, total }),
      signal,
    });
    const outcome = await sending.catch(async (error: unknown) => await this.#refused(blob.digest, error));
    onProgress({ layer: diffId, phase: "done", current: total, total, outcome });
  }

  /** A blob that the registry does not want may have been changed here since it came. Fails with DIGEST_MISMATCH (data_loss) then, else with the error. */
  async #refused(digest: Digest, error: unknown): Promise<never> {
    if (isSlipwayError(error, "UNEXPECTED_STATUS")) for await (const _ of this.#request.store.blobs.verified(digest));
    throw error;
  }
}
