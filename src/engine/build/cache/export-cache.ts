/** Completes a cache elsewhere when the build itself is done: the layers that are still missing, the steps' names, and the cache's own name last. */
import { asSlipwayError } from "../../../base/errors.ts";
import type { ProgressSink } from "../../../base/progress.ts";
import { digestOf, type Digest } from "../../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../../oci/manifest.ts";
import type { NotedStep } from "../../../solver/cache-exchange/cache-exchange.ts";
import { cacheConfigType } from "../../../solver/cache-exchange/cache-config.ts";
import { cacheDocument, isPrefix } from "../../../solver/cache-exchange/exported-cache.ts";
import type { ImportedBlob } from "../../../solver/cache-exchange/imported-cache.ts";
import type { Chain, Store } from "../../../store/index.ts";
import { runStepOf, type Step } from "../progress-steps.ts";
import type { CacheExportSettings } from "./cache-api.ts";
import type { CacheWriter } from "./cache-place.ts";
import type { LayerUploads } from "./layer-uploads.ts";
import { mountBlobs } from "./mount-cache.ts";
import { dockerType } from "../../push/docker-types.ts";

export interface CacheExport {
  readonly store: Store;
  readonly onProgress: ProgressSink;
  readonly signal: AbortSignal;
  readonly steps: readonly NotedStep[];
  /** what the build made */
  readonly results: readonly Chain[];
  /** what the caches that were read have of a cache mount */
  readonly imported: (id: string) => ImportedBlob | undefined;
}

export interface CacheDestination {
  /** "client directory", "registry" */
  readonly kind: string;
  readonly settings: CacheExportSettings;
  readonly writer: CacheWriter;
  /** what is on its way there already */
  readonly uploads: LayerUploads;
}

/** A cache that cannot be written is a warning, unless the target asks for a failure. */
export async function exportCache(input: CacheExport, destination: CacheDestination): Promise<void> {
  const name = `exporting cache to ${destination.kind}`;
  try {
    await runStepOf(input.onProgress, name, async (step) => await writeCache(input, destination, step));
  } catch (error) {
    input.signal.throwIfAborted();
    if (!destination.settings.ignoreError) throw error;
    const message = `the cache was not exported: ${asSlipwayError(error).message}`;
    input.onProgress({ type: "warning", vertex: digestOf(name), message, detail: [], url: "" });
  }
}

async function writeCache(input: CacheExport, { settings, writer, uploads }: CacheDestination, step: Step): Promise<void> {
  const { store, signal } = input;
  step.status("preparing build cache for export", 0);
  const steps = keptSteps(input, settings.mode);
  const blobs = new Map<Digest, Descriptor>();
  const diffIds = [...new Set(steps.flatMap(({ chain }) => chain ?? []))];
  uploads.start(diffIds);
  for (const diffId of diffIds) blobs.set(diffId, await uploads.compressed(diffId));
  const document = cacheDocument(steps, blobs);
  const onSkip = (message: string): void => step.log(`${message}\n`);
  const mounts = await mountBlobs({ store, signal, onSkip, imported: input.imported, steps: input.steps }, settings.mounts);
  step.status("preparing build cache for export", 0, undefined, true);
  if (blobs.size === 0) {
    step.status("skipping cache export for empty result", 0, undefined, true);
    return;
  }
  const layers = [...layerDescriptors(blobs, timesOf(steps), settings.ociMediaTypes), ...mounts];
  const told = async (digest: Digest, written: Promise<void>): Promise<void> => {
    step.status(`writing layer ${digest}`, 0);
    await written;
    step.status(`writing layer ${digest}`, 0, undefined, true);
  };
  await Promise.all([
    ...[...blobs].map(async ([diffId, { digest }]) => await told(digest, uploads.written(diffId))),
    ...mounts.map(async (mount) => await told(mount.digest, writer.layer(mount, signal))),
  ]);
  const config = described(Buffer.from(JSON.stringify(document)), cacheConfigType);
  await writer.document(config.descriptor, config.bytes, signal);
  step.status(`writing config ${config.descriptor.digest}`, 0, undefined, true);
  const manifest = manifestOf(layers, config.descriptor, settings);
  await writer.manifest(manifest.descriptor, manifest.bytes, signal);
  step.status(`writing cache ${isImageManifest(settings) ? "image " : ""}manifest ${manifest.descriptor.digest}`, 0, undefined, true);
}

/** "min" keeps the results of steps that the build's result stands on; names are kept of all. */
function keptSteps({ store, steps, results }: CacheExport, mode: "min" | "max"): readonly NotedStep[] {
  return steps.map((step) => {
    const isKept = step.chain !== undefined && (mode === "max" || results.some((result) => isPrefix(step.chain, result)));
    return isKept && store.layers.hasAll(step.chain) ? step : { ...step, chain: undefined };
  });
}

/** When the layer was made: with the oldest step that ends in it. */
function timesOf(steps: readonly NotedStep[]): ReadonlyMap<Digest, number> {
  const times = new Map<Digest, number>();
  for (const { chain, createdMs } of steps) {
    const top = chain?.at(-1);
    if (top !== undefined) times.set(top, Math.min(createdMs, times.get(top) ?? Number.POSITIVE_INFINITY));
  }
  return times;
}

function layerDescriptors(blobs: ReadonlyMap<Digest, Descriptor>, times: ReadonlyMap<Digest, number>, oci: boolean): readonly Descriptor[] {
  const layers = [...blobs].map(([diffId, { mediaType, digest, size }]): Descriptor => {
    const createdAt = new Date(times.get(diffId) ?? 0).toISOString();
    const annotations = { "buildkit/createdat": createdAt, "containerd.io/uncompressed": diffId };
    return { mediaType: oci ? mediaType : dockerType(mediaType), digest, size, annotations };
  });
  return layers.toSorted((a, b) => (a.digest < b.digest ? -1 : 1));
}

function isImageManifest({ imageManifest, ociMediaTypes }: CacheExportSettings): boolean {
  return imageManifest && ociMediaTypes;
}

interface Described {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

function described(bytes: Buffer, mediaType: string): Described {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

function manifestOf(layers: readonly Descriptor[], config: Descriptor, settings: CacheExportSettings): Described {
  if (isImageManifest(settings)) {
    return described(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers })), mediaTypes.ociManifest);
  }
  const mediaType = settings.ociMediaTypes ? mediaTypes.ociIndex : mediaTypes.dockerIndex;
  return described(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests: [...layers, config] })), mediaType);
}
