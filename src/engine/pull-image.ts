/** Brings an image into the store: manifest and config verified, layers as the blobs they come in, unpacked when somebody needs them. */
import { createHash } from "node:crypto";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { digestFromHex, type Digest } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { formatPlatform, normalizePlatform, platformFrom, type Platform } from "../oci/platform.ts";
import { formatReference, repositoryName, type Reference } from "../oci/reference.ts";
import { present } from "../oci/bounded-json.ts";
import type { FetchedManifest, RegistryClient, SourceImage } from "../registry/index.ts";
import type { PartialBlob, Store } from "../store/index.ts";
import { decompressDetected } from "../tar/compression.ts";
import { commitIndex } from "./images/image-index.ts";
import { forgetImage } from "./images/remove.ts";
import { variantsOf } from "./images/variants.ts";
import { LayerMeter } from "./layer-meter.ts";
import type { PolicyCall } from "./policy-gate.ts";

export interface PulledImage {
  readonly id: Digest;
  /** what the reference named: index or manifest */
  readonly rootDigest: Digest;
  /** the image was here already, unchanged */
  readonly upToDate: boolean;
}

export interface LayerProgress {
  readonly layer: Descriptor;
  readonly phase: "exists" | "waiting" | "downloading" | "verifying" | "done";
  readonly current: number;
  readonly total: number;
}

/** What the name means now, if policies have admitted that; undefined: nobody asks for any. */
export type Admit = (reference: Reference, call: PolicyCall) => Promise<FetchedManifest | undefined>;

export interface PullOptions {
  readonly store: Store;
  readonly client: RegistryClient;
  readonly reference: Reference;
  readonly platform: Platform;
  readonly signal?: AbortSignal;
  readonly onManifest?: (source: SourceImage) => void;
  readonly onLayer?: (progress: LayerProgress) => void;
  /** also give the image the reference's name */
  readonly tag: boolean;
  /** asks the policies; what it answers is what is pulled */
  readonly admit?: Admit | undefined;
  /** what the reference names, where that is known */
  readonly root?: FetchedManifest;
  /** the image of the root's index, instead of the platform's best */
  readonly entry?: Digest;
  /** blobs of the store to keep with the image */
  readonly blobs?: readonly Digest[];
}

/** Failures are the registry client's, plus DIFF_ID_MISMATCH (data_loss). What was downloaded before a failure stays for the next try. */
export async function pullImage(options: PullOptions): Promise<PulledImage> {
  const { store, client, reference, platform, signal } = options;
  const { resolveImage } = await import("../registry/index.ts");
  const root = options.root ?? (await options.admit?.(reference, { platform: formatPlatform(platform), signal }));
  const source = await resolveImage(client, reference, platform, present({ signal, root, entry: options.entry }));
  options.onManifest?.(source);
  const chain = source.config.rootfs.diff_ids ?? [];
  const layers = source.manifest.layers;
  if (chain.length !== layers.length) {
    throw new SlipwayError("data_loss", "INVALID_MANIFEST", `the manifest has ${layers.length} layers, its config ${chain.length}`, {
      layers: layers.length,
      diffIds: chain.length,
    });
  }
  await Promise.all(layers.map((layer, index) => fetchLayer(options, layer, chain[index] as Digest)));
  return store.transaction(() => keepPulled(options, source, chain));
}

/** The platforms of one index that were pulled one after the other stand together under their names. */
function keepPulled({ store, reference, tag, blobs: beside = [] }: PullOptions, source: SourceImage, chain: readonly Digest[]): PulledImage {
  const documents = [...source.indexes.map(({ bytes }) => bytes), source.manifestBytes];
  const blobs = [...documents.map((bytes) => store.blobs.put(bytes).digest), ...beside];
  const known = store.images.get(source.manifest.config.digest) !== undefined;
  const names = tag && reference.tag !== undefined && reference.digest === undefined ? [formatReference(reference)] : [];
  const before = reference.tag === undefined ? undefined : store.images.byName(formatReference(reference));
  const repository = repositoryName(reference);
  const rootDigest = source.root.descriptor.digest;
  const alike = source.indexes.length === 0 ? [] : store.images.allWithRepoDigest(repository, rootDigest);
  const member = alike.some((each) => each !== source.manifest.config.digest);
  const document = source.indexes.length === 0 ? {} : { document: rootDigest };
  const manifest = source.manifestDescriptor.digest;
  const id = store.images.commit({ config: source.configBytes, chain, manifest, blobs, member, ...document }, member ? [] : names);
  const standing = member ? joinAlike(store, alike, id, rootDigest) : id;
  if (member) for (const name of names) store.images.tag(name, standing);
  store.images.addRepoDigest(repository, rootDigest, standing);
  return { id, rootDigest, upToDate: known && (before === undefined ? reference.tag === undefined : before === standing) };
}

/** The index of all of them and the new image takes over their names and repository digests. */
function joinAlike(store: Store, alike: readonly Digest[], image: Digest, document: Digest): Digest {
  const parts = new Map(alike.flatMap((each) => variantsOf(store, each)).map((variant) => [variant.image, variant]));
  const [only, ...others] = alike;
  if (only !== undefined && others.length === 0 && parts.has(image)) return only;
  parts.set(image, { image, platform: normalizePlatform(platformFrom(store.images.config(image))) });
  const names = alike.flatMap((each) => store.images.names(each));
  const id = commitIndex(store, { parts: [...parts.values()], annotations: {} }, names, document);
  for (const { repository, digest } of alike.flatMap((each) => store.images.repoDigests(each))) store.images.addRepoDigest(repository, digest, id);
  for (const each of alike) if (each !== id) forgetImage(store, each);
  return id;
}

async function fetchLayer(options: PullOptions, layer: Descriptor, diffId: Digest): Promise<void> {
  const { store, signal, onLayer } = options;
  const report = (phase: LayerProgress["phase"], current: number): void => onLayer?.({ layer, phase, current, total: layer.size });
  if (store.layers.has(diffId)) {
    store.layers.hold([diffId]);
    report("exists", layer.size);
    return;
  }
  if (!store.blobs.has(layer.digest)) report("waiting", 0);
  using partial = await store.blobs.partial(layer, signal);
  if (partial === undefined) {
    report("verifying", layer.size);
    // who brought the blob meanwhile may have looked through it as well
    if (!store.layers.has(diffId)) store.layers.addBlob(diffId, layer, await verifyLayer(store, layer, diffId, signal));
    store.layers.hold([diffId]);
    report("done", layer.size);
    return;
  }
  store.layers.addBlob(diffId, layer, await download(options, layer, diffId, partial, report));
  report("done", layer.size);
}

/** Bytes that were kept and then came to be wrong (a machine that lost power) are fetched once more. */
async function download(
  options: PullOptions,
  layer: Descriptor,
  diffId: Digest,
  partial: PartialBlob,
  report: (phase: LayerProgress["phase"], current: number) => void,
): Promise<number> {
  const resumed = partial.size > 0;
  try {
    return await receive(options, layer, diffId, partial, report);
  } catch (error) {
    if (!isSlipwayError(error, "DIGEST_MISMATCH")) throw error;
    partial.restart();
    if (!resumed) throw error;
    return await receive(options, layer, diffId, partial, report);
  }
}

/** The layer's bytes are unpacked and looked through as they come: no second pass over the file. Answers the bytes of its files. */
async function receive(
  { client, reference, signal }: PullOptions,
  layer: Descriptor,
  diffId: Digest,
  partial: PartialBlob,
  report: (phase: LayerProgress["phase"], current: number) => void,
): Promise<number> {
  let broken: unknown;
  async function* arriving(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* partial.earlier();
      const call = { offset: partial.size, hash: partial.hash, ...(signal === undefined ? {} : { signal }) };
      for await (const chunk of client.openBlob(reference, layer, call)) {
        partial.append(chunk);
        report("downloading", partial.size);
        yield chunk;
      }
      report("verifying", layer.size);
      await partial.commit();
    } catch (error) {
      throw (broken = error);
    }
  }
  const source = arriving();
  let unreadable: unknown;
  let sizeBytes = 0;
  try {
    // whoever stops reading early does not end the transfer: the blob's digest is judged before its contents
    sizeBytes = await verifyArchive({ [Symbol.asyncIterator]: () => ({ next: () => source.next() }) }, layer, diffId, signal);
  } catch (error) {
    unreadable = error;
  }
  if (broken === undefined) for await (const _ of source);
  if (broken !== undefined) throw broken;
  if (unreadable !== undefined) throw unreadable;
  return sizeBytes;
}

/** One pass over a layer that is in the store; see verifyArchive. */
export function verifyLayer(store: Store, layer: Pick<Descriptor, "digest">, diffId: Digest, signal?: AbortSignal): Promise<number> {
  return verifyArchive(store.blobs.stream(layer.digest), layer, diffId, signal);
}

/** The archive's digest is the config's diffID and its names are harmless. Answers the bytes of its files. Fails with DIFF_ID_MISMATCH (data_loss). */
async function verifyArchive(source: AsyncIterable<Uint8Array>, layer: Pick<Descriptor, "digest">, diffId: Digest, signal?: AbortSignal): Promise<number> {
  const hash = createHash("sha256");
  const meter = new LayerMeter();
  const { bytes } = await decompressDetected(source, { maxBytes: 2 ** 40, ...(signal === undefined ? {} : { signal }) });
  for await (const chunk of bytes) {
    hash.update(chunk);
    meter.push(chunk);
  }
  const got = digestFromHex(hash.digest("hex"));
  if (got !== diffId)
    throw new SlipwayError("data_loss", "DIFF_ID_MISMATCH", `layer ${layer.digest}: unpacks to ${got}, the config says ${diffId}`, {
      expected: diffId,
      actual: got,
    });
  return meter.finish();
}
