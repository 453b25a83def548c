/** `load`: images out of a tar archive. Everything is verified before the first image appears. */
import { SlipwayError } from "../../base/errors.ts";
import { attestedManifest, isAttestation } from "../../oci/attestation.ts";
import type { Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { formatPlatform, normalizePlatform, parsePlatform, platformDistance, platformFrom, type Platform } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";
import { decompressDetected, detectCompression, peek, probeSizeBytes, type Compression } from "../../tar/index.ts";
import type { Task } from "../api.ts";
import { imageEvent } from "../events/tell.ts";
import { familiar } from "../image-names.ts";
import { commitIndex, type IndexPart } from "../images/image-index.ts";
import { verifyLayer } from "../pull-image.ts";
import { startTask } from "../task.ts";
import { imagesInArchive, missingBlob, type ContainedEntry, type ContainedImage } from "./archive-contents.ts";
import { blobName } from "./archive-plan.ts";
import { ArchiveMembers, invalidArchive } from "./archive-members.ts";

export type LoadedImage = { readonly name: string } | { readonly id: Digest };

export interface LoadOutcome {
  readonly loaded: readonly LoadedImage[];
}

export interface LoadOptions {
  readonly signal?: AbortSignal;
  /** false: the images come without the names that the archive gives them, and are answered by their ids */
  readonly names?: boolean;
  /** of an index only this platform's image */
  readonly platform?: string;
}

/** An archive may unpack to this much: decompression bombs end here. */
const maxArchiveBytes = 2 ** 41;

export function loadTask(store: Store, source: AsyncIterable<Uint8Array>, options: LoadOptions = {}): Task<LoadOutcome> {
  return startTask(() => loadImages(store, source, options));
}

/**
 * docker-archive of any age and OCI layout, plain or compressed, told by content. An index comes with every platform that is complete
 * in the archive. Fails with NO_MATCHING_PLATFORM (not_found) where an image is not for the platform that was asked for, ARCHIVE_INVALID, INVALID_DOCUMENT,
 * TAR_PATH_ESCAPES (invalid_argument), DIGEST_MISMATCH, DIFF_ID_MISMATCH, TAR_TRUNCATED (data_loss); then no image was added.
 */
export async function loadImages(store: Store, source: AsyncIterable<Uint8Array>, options: LoadOptions = {}): Promise<LoadOutcome> {
  const { signal } = options;
  const members = new ArchiveMembers(store);
  const { bytes } = await decompressDetected(source, { maxBytes: maxArchiveBytes, ...(signal === undefined ? {} : { signal }) });
  await members.read(bytes, signal);
  const ready: ReadyEntry[] = [];
  for (const entry of imagesInArchive(members)) ready.push(await verifyEntry(store, members, entry, options));
  const entries = store.transaction(() => ready.map((entry) => commitEntry(store, members, entry, options.names !== false)));
  store.events.append(entries.map(({ id }) => imageEvent(store, "load", { image: id })));
  return { loaded: entries.flatMap(({ loaded }) => loaded) };
}

interface ReadyImage {
  readonly image: ContainedImage;
  readonly config: Buffer;
  readonly chain: readonly Digest[];
  readonly platform: Platform;
}

interface ReadyEntry {
  readonly entry: ContainedEntry;
  readonly images: readonly ReadyImage[];
}

async function verifyEntry(store: Store, members: ArchiveMembers, entry: ContainedEntry, options: LoadOptions): Promise<ReadyEntry> {
  const { platform } = options;
  const complete = entry.images.filter((image) => isComplete(store, members, image));
  const wanted = complete.length === 0 ? entry.images.slice(0, 1) : complete;
  const chosen = platform === undefined || platform === "" ? wanted : forPlatform(members, entry, wanted, platform);
  const images: ReadyImage[] = [];
  for (const image of chosen) images.push(await verifyImage(store, members, image, options.signal));
  return { entry, images };
}

/** Archives of an index may leave platforms out: their manifests are listed, their layers are not here. */
function isComplete(store: Store, members: ArchiveMembers, image: ContainedImage): boolean {
  const config = members.document(image.config);
  if (config === undefined) return false;
  const chain = parseImageConfig(config).rootfs.diff_ids ?? [];
  return image.layers.every((path, index) => members.has(path) || (chain[index] !== undefined && store.layers.has(chain[index])));
}

function forPlatform(members: ArchiveMembers, entry: ContainedEntry, images: readonly ContainedImage[], text: string): readonly ContainedImage[] {
  const want = normalizePlatform(parsePlatform(text));
  const platformIn = (image: ContainedImage): Platform => platformFrom(parseImageConfig(members.document(image.config) ?? Buffer.alloc(0)));
  const found = images.filter((image) => platformDistance(want, platformIn(image)) === 0).slice(0, 1);
  if (found.length > 0) return found;
  const available = images.map((image) => formatPlatform(platformIn(image)));
  const name = entry.names[0] === undefined ? "" : ` ${familiar(entry.names[0])}`;
  const message = `image${name} doesn't provide the requested platform (${formatPlatform(want)}): it has ${available.join(", ")}`;
  throw new SlipwayError("not_found", "NO_MATCHING_PLATFORM", message, { platform: formatPlatform(want), available });
}

async function verifyImage(store: Store, members: ArchiveMembers, image: ContainedImage, signal: AbortSignal | undefined): Promise<ReadyImage> {
  const config = members.document(image.config);
  if (config === undefined) throw missingBlob(image.config);
  const parsed = parseImageConfig(config);
  const chain = parsed.rootfs.diff_ids ?? [];
  if (chain.length !== image.layers.length) {
    throw invalidArchive(`it has ${image.layers.length} layers for an image whose config has ${chain.length}`, {
      layers: image.layers.length,
      diffIds: chain.length,
    });
  }
  for (const [index, diffId] of chain.entries()) await addLayer(store, members, image.layers[index] ?? "", diffId, signal);
  return { image, config, chain, platform: normalizePlatform(platformFrom(parsed)) };
}

/** A layer that is here already is not looked at: its bytes were verified when they came. */
export async function addLayer(store: Store, members: ArchiveMembers, path: string, diffId: Digest, signal: AbortSignal | undefined): Promise<void> {
  if (store.layers.has(diffId)) {
    store.layers.hold([diffId]);
    return;
  }
  const blob = members.blob(path);
  if (blob === undefined) throw missingBlob(path);
  const sizeBytes = await verifyLayer(store, blob, diffId, signal);
  if (blob.digest === diffId) store.layers.addTar(diffId, sizeBytes);
  else store.layers.addBlob(diffId, { ...blob, mediaType: layerTypes[await compressionOf(store, blob.digest)] }, sizeBytes);
}

/** By content: archives of older programs say nothing about it, others not always the truth. */
const layerTypes: Readonly<Record<Compression, string>> = {
  none: mediaTypes.ociLayer,
  gzip: mediaTypes.ociLayerGzip,
  zstd: mediaTypes.ociLayerZstd,
  bzip2: "application/vnd.oci.image.layer.v1.tar+bzip2",
  xz: "application/vnd.oci.image.layer.v1.tar+xz",
};

async function compressionOf(store: Store, digest: Digest): Promise<Compression> {
  const { head, rest } = await peek(store.blobs.stream(digest), probeSizeBytes);
  await rest.return(undefined);
  return detectCompression(head);
}

interface LoadedEntry {
  readonly id: Digest;
  readonly loaded: readonly LoadedImage[];
}

function commitEntry(store: Store, members: ArchiveMembers, { entry, images }: ReadyEntry, named: boolean): LoadedEntry {
  const names = named ? entry.names : [];
  const [first, ...others] = images;
  const id =
    first !== undefined && others.length === 0 ? commitImage(store, members, entry, first, names) : commitImages(store, members, { entry, images }, names);
  return { id, loaded: names.length === 0 ? [{ id }] : names.map((name) => ({ name: familiar(name) })) };
}

function commitImage(
  store: Store,
  members: ArchiveMembers,
  entry: ContainedEntry,
  { image, config, chain }: ReadyImage,
  names: readonly string[] | undefined,
): Digest {
  const blobs = image.documents.flatMap((path) => members.blob(path)?.digest ?? []);
  const manifest = image.manifest === undefined ? {} : { manifest: image.manifest };
  const document = entry.document === undefined ? {} : { document: entry.document };
  const beside = attestationBlobs(members, entry, image.manifest);
  return store.images.commit({ config, chain, ...manifest, ...document, blobs: [...blobs, ...beside], member: names === undefined }, names ?? []);
}

/** The index's attestations about the image, those that the archive has whole: blobs of the store from now on. */
function attestationBlobs(members: ArchiveMembers, { document }: ContainedEntry, manifest: Digest | undefined): readonly Digest[] {
  const bytes = document === undefined ? undefined : members.document(blobName(document));
  if (bytes === undefined) return [];
  const parsed = parseManifestOrIndex(bytes);
  const entries = parsed.kind === "index" ? parsed.index.manifests : [];
  return entries.filter((entry) => isAttestation(entry) && attestedManifest(entry) === manifest).flatMap((entry) => attestationIn(members, entry));
}

function attestationIn(members: ArchiveMembers, entry: Descriptor): readonly Digest[] {
  const bytes = members.document(blobName(entry.digest));
  const parsed = bytes === undefined ? undefined : parseManifestOrIndex(bytes, entry.mediaType);
  if (parsed?.kind !== "manifest") return [];
  const digests = [entry, parsed.manifest.config, ...parsed.manifest.layers].map(({ digest }) => digest);
  return digests.every((digest) => members.has(blobName(digest))) ? digests.flatMap((digest) => members.blob(blobName(digest))?.digest ?? []) : [];
}

function commitImages(store: Store, members: ArchiveMembers, { entry, images }: ReadyEntry, names: readonly string[]): Digest {
  const parts = images.map((ready): IndexPart => ({
    platform: ready.platform,
    image: commitImage(store, members, entry, ready, undefined),
    annotations: ready.image.annotations,
    descriptorAnnotations: ready.image.descriptorAnnotations,
  }));
  return commitIndex(store, { parts, annotations: entry.annotations }, names, entry.document);
}
