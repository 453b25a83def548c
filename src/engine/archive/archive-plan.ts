/** What an image archive holds before a byte of it is written: every document, every blob, every size. */
import { goJson } from "../../base/canonical-json.ts";
import { digestOf, hexOf, algorithmOf, type Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { normalizePlatform } from "../../oci/platform.ts";
import { familiarName, parseReference } from "../../oci/reference.ts";
import type { Chain, Store } from "../../store/index.ts";
import type { Annotations } from "../build/annotations.ts";
import { layerBlob } from "./layer-forms.ts";

export interface ArchivedImage {
  /** the config's exact bytes */
  readonly config: Uint8Array;
  readonly chain: Chain;
  /** full names; none for an image without one */
  readonly names: readonly string[];
  readonly annotations?: Annotations;
  /** a manifest in the store to keep as it is, if all its blobs are here: it keeps the image's digest */
  readonly manifest?: Digest;
}

/** docker: with manifest.json, for `docker load` of any age; oci: the layout alone. */
export type ArchiveFormat = "docker" | "oci";

export type BlobSource = { readonly bytes: Uint8Array } | { readonly stored: Digest };

export interface PlannedBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly source: BlobSource;
}

export interface ArchivePlan {
  /** each once, by digest */
  readonly blobs: readonly PlannedBlob[];
  /** documents at the top, by name */
  readonly documents: ReadonlyMap<string, string>;
  readonly index: readonly Descriptor[];
}

interface PlannedImage {
  readonly image: ArchivedImage;
  readonly manifest: Descriptor;
  readonly config: Digest;
  readonly layers: readonly Descriptor[];
}

export function blobName(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** Layers that lie here only as directories are packed now. Fails with LAYER_MISSING (not_found). */
export async function planArchive(
  store: Store,
  images: readonly ArchivedImage[],
  options: { readonly format: ArchiveFormat; readonly signal?: AbortSignal },
): Promise<ArchivePlan> {
  const blobs = new Map<Digest, PlannedBlob>();
  const planned: PlannedImage[] = [];
  for (const image of images) {
    options.signal?.throwIfAborted();
    store.layers.hold(image.chain);
    planned.push((await keptManifest(store, image, blobs)) ?? (await newManifest(store, image, blobs)));
  }
  const index = planned.flatMap(indexEntries);
  const documents = new Map<string, string>([
    ["index.json", indexDocument(index, images)],
    ...(options.format === "docker" ? [["manifest.json", dockerManifest(planned)] as const] : []),
    ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
  ]);
  return { blobs: [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1)), documents, index };
}

export function indexDocument(manifests: readonly Descriptor[], images: readonly ArchivedImage[]): string {
  const annotations = Object.assign({}, ...images.map((image) => image.annotations?.index ?? {})) as Record<string, string>;
  return goJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, annotations: orUndefined(annotations) });
}

function addBytes(blobs: Map<Digest, PlannedBlob>, bytes: Uint8Array, digest: Digest = digestOf(bytes)): Digest {
  if (!blobs.has(digest)) blobs.set(digest, { digest, size: bytes.length, source: { bytes } });
  return digest;
}

function addStored(blobs: Map<Digest, PlannedBlob>, { digest, size }: Descriptor): void {
  if (!blobs.has(digest)) blobs.set(digest, { digest, size, source: { stored: digest } });
}

/** The manifest that the image came with; undefined where a blob of it is no longer here. */
async function keptManifest(store: Store, image: ArchivedImage, blobs: Map<Digest, PlannedBlob>): Promise<PlannedImage | undefined> {
  if (image.manifest === undefined || !store.blobs.has(image.manifest)) return undefined;
  const bytes = store.blobs.read(image.manifest);
  const parsed = parseManifestOrIndex(bytes);
  const config = digestOf(image.config);
  if (parsed.kind !== "manifest" || parsed.manifest.config.digest !== config) return undefined;
  const { layers } = parsed.manifest;
  if (layers.some(({ digest, size }) => store.blobs.size(digest) !== size)) return undefined;
  for (const layer of layers) addStored(blobs, layer);
  addBytes(blobs, image.config, config);
  addBytes(blobs, bytes, image.manifest);
  return { image, config, layers, manifest: { mediaType: parsed.mediaType, digest: image.manifest, size: bytes.length } };
}

async function newManifest(store: Store, image: ArchivedImage, blobs: Map<Digest, PlannedBlob>): Promise<PlannedImage> {
  const layers: Descriptor[] = [];
  for (const diffId of image.chain) layers.push(await layerBlob(store, diffId));
  for (const layer of layers) addStored(blobs, layer);
  const config = addBytes(blobs, image.config);
  const document = goJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: config, size: image.config.length },
    layers,
    annotations: orUndefined(image.annotations?.manifest ?? {}),
  });
  const bytes = Buffer.from(document);
  return { image, config, layers, manifest: { mediaType: mediaTypes.ociManifest, digest: addBytes(blobs, bytes), size: bytes.length } };
}

/** One entry for each name, as Docker and BuildKit write it; one without a name for an image without. */
function indexEntries({ image, manifest }: PlannedImage): readonly Descriptor[] {
  const { os, architecture, variant } = parseImageConfig(image.config);
  const platform = os === "" || architecture === "" ? undefined : normalizePlatform({ os, architecture, ...(variant === undefined ? {} : { variant }) });
  const own = image.annotations?.manifestDescriptor ?? {};
  const entry = (annotations: Record<string, string>): Descriptor => ({
    ...manifest,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations: sorted(annotations) }),
    ...(platform === undefined
      ? {}
      : { platform: { architecture: platform.architecture, os: platform.os, ...(platform.variant === undefined ? {} : { variant: platform.variant }) } }),
  });
  if (image.names.length === 0) return [entry(own)];
  return image.names.map((name) => entry({ ...own, ...nameAnnotations(name) }));
}

function nameAnnotations(name: string): Record<string, string> {
  const { tag } = parseReference(name);
  return { "io.containerd.image.name": name, ...(tag === undefined ? {} : { "org.opencontainers.image.ref.name": tag }) };
}

function dockerManifest(images: readonly PlannedImage[]): string {
  return goJson(
    images.map(({ image, config, layers }) => ({
      Config: blobName(config),
      RepoTags: image.names.length === 0 ? null : image.names.map((name) => familiarName(parseReference(name))),
      Layers: layers.map(({ digest }) => blobName(digest)),
    })),
  );
}

function sorted(record: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function orUndefined(record: Readonly<Record<string, string>>): Record<string, string> | undefined {
  return Object.keys(record).length === 0 ? undefined : sorted(record);
}
