/** What an image archive holds before a byte of it is written: every document, every blob, every size. */
import { goJson } from "../../base/canonical-json.ts";
import { digestOf, hexOf, algorithmOf, type Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor, type Manifest } from "../../oci/manifest.ts";
import { parseImageConfig } from "../../oci/parse-image-config.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { hostPlatform, normalizePlatform, platformDistance, type Platform } from "../../oci/platform.ts";
import { familiarName, parseReference } from "../../oci/reference.ts";
import type { Chain, Store } from "../../store/index.ts";
import type { AttestationDocument } from "../attestations/attestation-manifest.ts";
import { keptAttestations, readIndexDocument, type KeptAttestation } from "../attestations/kept-attestations.ts";
import type { Annotations } from "../build/annotations.ts";
import { withDockerTypes } from "../push/docker-types.ts";
import { configWithDiffIds, type PreparedLayer } from "../push/prepared-layer.ts";
import { preparedLayer } from "../push/layer-for-push.ts";
import type { LayerCompression } from "../registry-api.ts";
import { layerBlob } from "./layer-forms.ts";

export interface ArchivedImage {
  /** the config's exact bytes */
  readonly config: Uint8Array;
  readonly chain: Chain;
  /** full names; none for an image without one */
  readonly names: readonly string[];
  readonly annotations?: Annotations;
  /** so many layers are the base's, which keep the form that they came in; undefined: all */
  readonly baseLayers?: number;
  /** a manifest in the store to keep as it is, if all its blobs are here: it keeps the image's digest */
  readonly manifest?: Digest;
  /** what is said of it, once its manifest is known: entries of the index that it is in, or manifests beside it */
  readonly attest?: (document: ImageDocument) => Promise<readonly AttestationDocument[]>;
}

/** Images for several platforms under one name; its images have no names of their own. */
export interface ArchivedIndex {
  readonly images: readonly (ArchivedImage & { readonly platform: Platform })[];
  readonly names: readonly string[];
  readonly annotations?: Annotations;
  /** an index in the store to keep as it is, with its attestations, if it lists all these manifests: it keeps the image's digest */
  readonly document?: Digest;
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

/** One thing that names stand for: what index.json says of it, and which image manifest.json shows. */
interface PlannedEntry {
  readonly names: readonly string[];
  readonly descriptor: Descriptor;
  readonly shown: PlannedImage;
}

export function blobName(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

export interface PlanOptions {
  readonly format: ArchiveFormat;
  /** absent: layers go in whatever form lies here */
  readonly compression?: LayerCompression;
  /** documents that are made now have Docker's media types */
  readonly dockerTypes?: boolean;
  readonly signal?: AbortSignal;
}

/** Layers that lie here only as directories are packed now. Fails with LAYER_MISSING (not_found). */
export async function planArchive(store: Store, images: readonly (ArchivedImage | ArchivedIndex)[], options: PlanOptions): Promise<ArchivePlan> {
  const blobs = new Map<Digest, PlannedBlob>();
  const plan = async (image: ArchivedImage): Promise<PlannedImage> => {
    options.signal?.throwIfAborted();
    store.layers.hold(image.chain);
    const asItCame = options.compression === undefined && options.dockerTypes !== true;
    return (asItCame ? await keptManifest(store, image, blobs) : undefined) ?? (await newManifest(store, image, blobs, options));
  };
  const entries: PlannedEntry[] = [];
  for (const image of images) entries.push("images" in image ? await planIndex(store, image, plan, blobs, options) : planSingle(image, await plan(image)));
  const index = entries.flatMap(indexEntries);
  const documents = new Map<string, string>([
    ["index.json", indexDocument(index, images)],
    ...(options.format === "docker" ? [["manifest.json", dockerManifest(entries)] as const] : []),
    ["oci-layout", '{"imageLayoutVersion":"1.0.0"}'],
  ]);
  return { blobs: [...blobs.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1)), documents, index };
}

function planSingle(image: ArchivedImage, planned: PlannedImage): PlannedEntry {
  const { os, architecture, variant } = parseImageConfig(image.config);
  const platform = os === "" || architecture === "" ? undefined : { os, architecture, ...(variant === undefined ? {} : { variant }) };
  return { names: image.names, shown: planned, descriptor: describe(planned.manifest, platform, image.annotations?.manifestDescriptor ?? {}) };
}

async function planIndex(
  store: Store,
  index: ArchivedIndex,
  plan: (image: ArchivedImage) => Promise<PlannedImage>,
  blobs: Map<Digest, PlannedBlob>,
  { dockerTypes = false }: PlanOptions,
): Promise<PlannedEntry> {
  const planned: PlannedImage[] = [];
  for (const image of index.images) planned.push(await plan(image));
  const manifests = index.images.map(({ platform, annotations }, at) =>
    describe((planned[at] as PlannedImage).manifest, platform, annotations?.manifestDescriptor ?? {}),
  );
  const own = Math.max(0, bestFor(hostPlatform(), index.images));
  const attested: Descriptor[] = [];
  for (const [at, image] of index.images.entries()) attested.push(...(await planAttestations(image, (planned[at] as PlannedImage).manifest, blobs)));
  const made = newIndex([...manifests, ...attested], index.annotations?.index ?? {});
  const kept = dockerTypes ? undefined : keptIndex(store, index.document, manifests);
  for (const attestation of kept?.attestations ?? []) {
    addBytes(blobs, attestation.bytes);
    for (const blob of attestation.blobs) addStored(blobs, blob);
  }
  const { bytes, mediaType } = kept ?? (dockerTypes ? withDockerTypes(made) : made);
  const digest = addBytes(blobs, bytes);
  const descriptor = describe({ mediaType, digest, size: bytes.length }, undefined, index.annotations?.indexDescriptor ?? {});
  return { names: index.names, descriptor, shown: planned[own] as PlannedImage };
}

async function planAttestations({ attest }: ArchivedImage, { mediaType, digest }: Descriptor, blobs: Map<Digest, PlannedBlob>): Promise<readonly Descriptor[]> {
  const source = blobs.get(digest)?.source;
  if (attest === undefined || source === undefined || !("bytes" in source)) return [];
  const documents = (await attest({ mediaType, bytes: Buffer.from(source.bytes) })).filter(({ isLoose }) => !isLoose);
  for (const document of documents) {
    addBytes(blobs, document.bytes);
    for (const { bytes } of document.blobs) addBytes(blobs, bytes);
  }
  return documents.map(({ entry }) => entry);
}

/** The position of the image that serves the platform best; -1 when none does. */
function bestFor(want: Platform, images: ArchivedIndex["images"]): number {
  const distances = images.map(({ platform }) => platformDistance(want, platform) ?? Infinity);
  const least = Math.min(...distances);
  return least === Infinity ? -1 : distances.indexOf(least);
}

export interface ImageDocument {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export function newIndex(manifests: readonly Descriptor[], annotations: Readonly<Record<string, string>>): ImageDocument {
  const document = goJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, annotations: orUndefined(annotations) });
  return { mediaType: mediaTypes.ociIndex, bytes: Buffer.from(document) };
}

/** Entries of other platforms, whose images are not here, stay in it, and so do those of attestations: readers pass over them. */
function keptIndex(
  store: Store,
  document: Digest | undefined,
  manifests: readonly Descriptor[],
): (ImageDocument & { readonly attestations: readonly KeptAttestation[] }) | undefined {
  const found = readIndexDocument(store, document);
  if (found === undefined) return undefined;
  const listed = new Set(found.index.manifests.map(({ digest }) => digest));
  return manifests.every(({ digest }) => listed.has(digest)) ? { ...found, attestations: keptAttestations(store, found.index) } : undefined;
}

/** A lone image's annotations for an index are those of index.json; an index has them itself. */
export function indexDocument(manifests: readonly Descriptor[], images: readonly (ArchivedImage | ArchivedIndex)[]): string {
  const annotations = Object.assign({}, ...images.map((image) => ("images" in image ? {} : (image.annotations?.index ?? {})))) as Record<string, string>;
  return goJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests, annotations: orUndefined(annotations) });
}

function addBytes(blobs: Map<Digest, PlannedBlob>, bytes: Uint8Array, digest: Digest = digestOf(bytes)): Digest {
  if (!blobs.has(digest)) blobs.set(digest, { digest, size: bytes.length, source: { bytes } });
  return digest;
}

function addStored(blobs: Map<Digest, PlannedBlob>, { digest, size }: Descriptor): void {
  if (!blobs.has(digest)) blobs.set(digest, { digest, size, source: { stored: digest } });
}

/** The manifest that the image came with. */
export function readManifest(store: Store, image: ArchivedImage): (ImageDocument & { readonly manifest: Manifest }) | undefined {
  if (image.manifest === undefined || !store.blobs.has(image.manifest)) return undefined;
  const bytes = store.blobs.read(image.manifest);
  const parsed = parseManifestOrIndex(bytes);
  if (parsed.kind !== "manifest" || parsed.manifest.config.digest !== digestOf(image.config)) return undefined;
  return { bytes, mediaType: parsed.mediaType, manifest: parsed.manifest };
}

/** The manifest that the image came with; undefined where a blob of it is no longer here. */
async function keptManifest(store: Store, image: ArchivedImage, blobs: Map<Digest, PlannedBlob>): Promise<PlannedImage | undefined> {
  const known = readManifest(store, image);
  if (known === undefined || image.manifest === undefined) return undefined;
  const { bytes, mediaType, manifest } = known;
  const { layers } = manifest;
  if (layers.some(({ digest, size }) => store.blobs.size(digest) !== size)) return undefined;
  const config = manifest.config.digest;
  for (const layer of layers) addStored(blobs, layer);
  addBytes(blobs, image.config, config);
  addBytes(blobs, bytes, image.manifest);
  return { image, config, layers, manifest: { mediaType, digest: image.manifest, size: bytes.length } };
}

async function newManifest(store: Store, image: ArchivedImage, blobs: Map<Digest, PlannedBlob>, options: PlanOptions): Promise<PlannedImage> {
  const { compression, dockerTypes = false, signal } = options;
  const prepared: PreparedLayer[] = [];
  for (const [at, diffId] of image.chain.entries())
    prepared.push(
      compression === undefined
        ? { descriptor: await layerBlob(store, diffId), diffId }
        : await preparedLayer(store, diffId, compression, isOwnLayer(image, at), signal),
    );
  const layers = prepared.map(({ descriptor }) => descriptor);
  for (const layer of layers) addStored(blobs, layer);
  const config = configWithDiffIds(
    image.config,
    prepared.map(({ diffId }) => diffId),
  );
  const made = imageManifest({ ...image, config }, layers);
  const { bytes, mediaType } = dockerTypes ? withDockerTypes(made) : made;
  return { image, config: addBytes(blobs, config), layers, manifest: { mediaType, digest: addBytes(blobs, bytes), size: bytes.length } };
}

/** It was made here, so nothing says how it has to be compressed. */
export function isOwnLayer({ baseLayers }: ArchivedImage, position: number): boolean {
  return baseLayers !== undefined && position >= baseLayers;
}

export function imageManifest(image: ArchivedImage, layers: readonly Descriptor[]): ImageDocument {
  const document = goJson({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(image.config), size: image.config.length },
    layers,
    annotations: orUndefined(image.annotations?.manifest ?? {}),
  });
  return { mediaType: mediaTypes.ociManifest, bytes: Buffer.from(document) };
}

export function describe(document: Descriptor, platform: Platform | undefined, annotations: Readonly<Record<string, string>>): Descriptor {
  const { os, architecture, variant } = platform === undefined ? { os: "", architecture: "" } : normalizePlatform(platform);
  return {
    ...document,
    ...(Object.keys(annotations).length === 0 ? {} : { annotations: sorted(annotations) }),
    ...(os === "" ? {} : { platform: { architecture, os, ...(variant === undefined ? {} : { variant }) } }),
  };
}

/** One entry for each name, as Docker and BuildKit write it; one without a name for an image without. */
function indexEntries({ names, descriptor }: PlannedEntry): readonly Descriptor[] {
  if (names.length === 0) return [descriptor];
  const { mediaType, digest, size, annotations = {}, platform } = descriptor;
  return names.map((name) => describe({ mediaType, digest, size }, platform, { ...annotations, ...nameAnnotations(name) }));
}

function nameAnnotations(name: string): Record<string, string> {
  const { tag } = parseReference(name);
  return { "io.containerd.image.name": name, ...(tag === undefined ? {} : { "org.opencontainers.image.ref.name": tag }) };
}

/** Its readers know no indexes: of one they see the image for this machine. */
function dockerManifest(entries: readonly PlannedEntry[]): string {
  return goJson(
    entries.map(({ names, shown: { config, layers } }) => ({
      Config: blobName(config),
      RepoTags: names.length === 0 ? null : names.map((name) => familiarName(parseReference(name))),
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
