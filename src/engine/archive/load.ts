/** `load`: images out of a tar archive. Everything is verified before the first image appears. */
import type { Digest } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import type { Store } from "../../store/index.ts";
import { decompressDetected, detectCompression, peek, probeSizeBytes, type Compression } from "../../tar/index.ts";
import type { Task } from "../api.ts";
import { familiar } from "../image-names.ts";
import { verifyLayer } from "../pull-image.ts";
import { startTask } from "../task.ts";
import { imagesInArchive, missingBlob, type ContainedImage } from "./archive-contents.ts";
import { ArchiveMembers, invalidArchive } from "./archive-members.ts";

export type LoadedImage = { readonly name: string } | { readonly id: Digest };

export interface LoadOutcome {
  readonly loaded: readonly LoadedImage[];
}

export interface LoadOptions {
  readonly signal?: AbortSignal;
  /** false: the images come without the names that the archive gives them, and are answered by their ids */
  readonly names?: boolean;
}

/** An archive may unpack to this much: decompression bombs end here. */
const maxArchiveBytes = 2 ** 41;

export function loadTask(store: Store, source: AsyncIterable<Uint8Array>, options: LoadOptions = {}): Task<LoadOutcome> {
  return startTask(() => loadImages(store, source, options));
}

/**
 * docker-archive of any age and OCI layout, plain or compressed, told by content. Fails with ARCHIVE_INVALID, INVALID_DOCUMENT,
 * TAR_PATH_ESCAPES (invalid_argument), DIGEST_MISMATCH, DIFF_ID_MISMATCH, TAR_TRUNCATED (data_loss); then no image was added.
 */
export async function loadImages(store: Store, source: AsyncIterable<Uint8Array>, options: LoadOptions = {}): Promise<LoadOutcome> {
  const { signal } = options;
  const members = new ArchiveMembers(store);
  const { bytes } = await decompressDetected(source, { maxBytes: maxArchiveBytes, ...(signal === undefined ? {} : { signal }) });
  await members.read(bytes, signal);
  const ready: ReadyImage[] = [];
  for (const image of imagesInArchive(members)) ready.push(await verifyImage(store, members, image, signal));
  return { loaded: store.transaction(() => ready.flatMap((image) => commitImage(store, members, image, options.names !== false))) };
}

interface ReadyImage {
  readonly image: ContainedImage;
  readonly config: Buffer;
  readonly chain: readonly Digest[];
}

async function verifyImage(store: Store, members: ArchiveMembers, image: ContainedImage, signal: AbortSignal | undefined): Promise<ReadyImage> {
  const config = members.document(image.config);
  if (config === undefined) throw missingBlob(image.config);
  const chain = parseImageConfig(config).rootfs.diff_ids ?? [];
  if (chain.length !== image.layers.length) {
    throw invalidArchive(`it has ${image.layers.length} layers for an image whose config has ${chain.length}`, {
      layers: image.layers.length,
      diffIds: chain.length,
    });
  }
  for (const [index, diffId] of chain.entries()) await addLayer(store, members, image.layers[index] ?? "", diffId, signal);
  return { image, config, chain };
}

/** A layer that is here already is not looked at: its bytes were verified when they came. */
async function addLayer(store: Store, members: ArchiveMembers, path: string, diffId: Digest, signal: AbortSignal | undefined): Promise<void> {
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

function commitImage(store: Store, members: ArchiveMembers, { image, config, chain }: ReadyImage, named: boolean): readonly LoadedImage[] {
  const names = named ? image.names : [];
  const blobs = image.documents.flatMap((path) => members.blob(path)?.digest ?? []);
  const id = store.images.commit({ config, chain, ...(image.manifest === undefined ? {} : { manifest: image.manifest }), blobs }, names);
  return names.length === 0 ? [{ id }] : names.map((name) => ({ name: familiar(name) }));
}
