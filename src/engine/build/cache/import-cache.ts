/** Opens the caches that a build may take steps from. One that cannot be read is told and left out. */
import { asSlipwayError, SlipwayError } from "../../../base/errors.ts";
import type { ProgressSink } from "../../../base/progress.ts";
import { isDigest } from "../../../oci/digest.ts";
import type { Descriptor, Manifest } from "../../../oci/manifest.ts";
import { parseIndex, parseManifest } from "../../../oci/parse-manifest.ts";
import { cacheConfigType, parseCacheConfig, parseInlineRecords } from "../../../solver/cache-exchange/cache-config.ts";
import { ImportedCache, type ImportedLayer } from "../../../solver/cache-exchange/imported-cache.ts";
import type { Store } from "../../../store/index.ts";
import { verifyLayer } from "../../pull-image.ts";
import { runStepOf } from "../progress-steps.ts";
import type { CacheReader } from "./cache-place.ts";
import { fetchBlob } from "./mount-cache.ts";

/** How many images of an index are looked at for a cache of their own. */
const maxImages = 32;
const maxDescriptors = 20_000;

export interface NamedReader {
  /** as shown: the reference, or "local:…" */
  readonly name: string;
  /** absent: there is no such kind */
  readonly kind?: "registry" | "local";
  readonly reader: CacheReader;
}

export async function importCaches(sources: readonly NamedReader[], onProgress: ProgressSink, signal: AbortSignal): Promise<readonly ImportedCache[]> {
  const opened = await Promise.all(sources.map((source) => importCache(source, onProgress, signal)));
  return opened.flat();
}

async function importCache({ name, kind, reader }: NamedReader, onProgress: ProgressSink, signal: AbortSignal): Promise<readonly ImportedCache[]> {
  try {
    return await runStepOf(onProgress, `importing cache manifest from ${name}`, async (step) => {
      try {
        const bytes = await reader.manifest(signal);
        step.status(`inferred cache manifest type: ${mediaTypeOf(bytes)}`, 0, undefined, true);
        return await cachesOf(reader, bytes, signal);
      } catch (error) {
        const failure = asSlipwayError(error);
        const before = kind === undefined ? "" : `failed to configure ${kind} cache importer: `;
        throw new SlipwayError(failure.kind, failure.code, `${before}${failure.message}`, failure.details, failure);
      }
    });
  } catch {
    // The step told it; a build does not need a cache.
    signal.throwIfAborted();
    return [];
  }
}

function mediaTypeOf(bytes: Uint8Array): string {
  const { mediaType } = JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly mediaType?: unknown };
  return typeof mediaType === "string" ? mediaType : "application/vnd.oci.image.index.v1+json";
}

async function cachesOf(reader: CacheReader, bytes: Uint8Array, signal: AbortSignal): Promise<readonly ImportedCache[]> {
  if (!hasManifests(bytes)) return await ofManifest(reader, parseManifest(bytes), signal);
  const { manifests } = parseIndex(bytes);
  const config = manifests.find(({ mediaType }) => mediaType === cacheConfigType);
  if (config !== undefined) return [await ofConfig(reader, config, manifests, signal)];
  const images = manifests.filter(({ platform }) => platform?.os !== "unknown").slice(0, maxImages);
  const caches = await Promise.all(images.map(async (image) => await ofManifest(reader, parseManifest(await reader.document(image, signal)), signal)));
  return caches.flat();
}

function hasManifests(bytes: Uint8Array): boolean {
  return Array.isArray((JSON.parse(Buffer.from(bytes).toString("utf8")) as { readonly manifests?: unknown }).manifests);
}

async function ofManifest(reader: CacheReader, manifest: Manifest, signal: AbortSignal): Promise<readonly ImportedCache[]> {
  if (manifest.layers.length > maxDescriptors) throw new SlipwayError("data_loss", "INVALID_CACHE", `invalid cache manifest: ${manifest.layers.length} layers`);
  if (manifest.config.mediaType === cacheConfigType) return [await ofConfig(reader, manifest.config, manifest.layers, signal)];
  return await ofImage(reader, manifest, signal);
}

async function ofConfig(reader: CacheReader, config: Descriptor, layers: readonly Descriptor[], signal: AbortSignal): Promise<ImportedCache> {
  return new ImportedCache(parseCacheConfig(await reader.document(config, signal)), layers, reader);
}

/** An image that carries its cache in its config. */
async function ofImage(reader: CacheReader, manifest: Manifest, signal: AbortSignal): Promise<readonly ImportedCache[]> {
  const config: unknown = JSON.parse(Buffer.from(await reader.document(manifest.config, signal)).toString("utf8"));
  const inline = fieldOf(config, "moby.buildkit.cache.v0");
  if (typeof inline !== "string") return [];
  const diffIds = fieldOf(fieldOf(config, "rootfs"), "diff_ids");
  const layers = manifest.layers.map((layer, index) => withDiffId(layer, Array.isArray(diffIds) ? diffIds[index] : undefined));
  const document = parseInlineRecords(
    Buffer.from(inline, "base64"),
    layers.map(({ digest }) => digest),
  );
  return [new ImportedCache(document, layers, reader)];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

function withDiffId(layer: Descriptor, diffId: unknown): Descriptor {
  if (typeof diffId !== "string" || !isDigest(diffId)) return layer;
  return { ...layer, annotations: { ...layer.annotations, "containerd.io/uncompressed": diffId } };
}

/** One layer into the store: its bytes have the blob's digest and unpack to the diffID that the cache said. */
export async function fetchCacheLayer(store: Store, { diffId, descriptor, source }: ImportedLayer, signal: AbortSignal | undefined): Promise<void> {
  if (store.layers.has(diffId)) return;
  const blob = await fetchBlob(store, { descriptor, source }, signal);
  store.layers.addBlob(diffId, blob, await verifyLayer(store, descriptor, diffId, signal));
}
