/** The caches of one build: opened while its Dockerfile is lowered, asked and filled while it is solved, complete when it is done. */
import { asSlipwayError, SlipwayError } from "../../../base/errors.ts";
import type { ProgressSink } from "../../../base/progress.ts";
import { digestOf, type Digest } from "../../../oci/digest.ts";
import { parseReference, withDefaultTag } from "../../../oci/reference.ts";
import type { RegistryClient } from "../../../registry/index.ts";
import { CacheExchange, type NotedStep } from "../../../solver/cache-exchange/cache-exchange.ts";
import { inlineRecords } from "../../../solver/cache-exchange/exported-cache.ts";
import type { Chain, Store } from "../../../store/index.ts";
import type { BuildOptions } from "../../api.ts";
import type { PolicyGate } from "../../policy-gate.ts";
import type { CacheReader } from "./cache-place.ts";
import type { CacheSource, CacheTarget } from "./cache-api.ts";
import { exportCache, type CacheDestination } from "./export-cache.ts";
import { createCompressionGate, LayerUploads } from "./layer-uploads.ts";
import { fetchCacheLayer, importCaches, type NamedReader } from "./import-cache.ts";
import { localReader, localWriter } from "./local-cache.ts";
import { restoreMount } from "./mount-cache.ts";
import { registryReader, registryWriter } from "./registry-cache.ts";

export interface CacheSurroundings {
  readonly store: Store;
  readonly client: () => Promise<RegistryClient>;
  readonly onProgress: ProgressSink;
  readonly gate?: PolicyGate;
}

export interface BuildCaches {
  /** undefined: the build has no caches but the store's */
  readonly exchange: Promise<CacheExchange | undefined>;
  /** what an image's config says of its cache */
  readonly inline: (exchange: CacheExchange | undefined, image: Chain) => string | undefined;
  /** Layers go to their places as steps end from now on; `ofResult` says which steps make those of the result. */
  readonly begin: (ofResult: (step: Digest) => boolean) => void;
  readonly write: (exchange: CacheExchange | undefined, results: readonly Chain[]) => Promise<void>;
  /** Ends what is still under way; after `write` nothing is. */
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

type WrittenTarget = Exclude<CacheTarget, { readonly type: "inline" }>;

/** See open-caches.ts. */
export function openBuildCaches(options: BuildOptions, surroundings: CacheSurroundings, signal: AbortSignal): BuildCaches {
  const { cacheFrom = [], cacheTo = [] } = options;
  const isInline = cacheTo.some(({ type }) => type === "inline") || isTrue(options.buildArgs?.["BUILDKIT_INLINE_CACHE"]);
  const targets = cacheTo.filter((target): target is WrittenTarget => target.type !== "inline");
  const readers = cacheFrom.map((source) => readerOf(source, surroundings));
  const exports = isInline || targets.length > 0;
  const abort = new AbortController();
  const destinations = destinationsOf(targets, surroundings, AbortSignal.any([signal, abort.signal]));
  let ofResult: ((step: Digest) => boolean) | undefined;
  const onNote = ({ vertex, chain = [] }: NotedStep): void => {
    if (ofResult === undefined) return;
    const isOfResult = ofResult(vertex.digest);
    for (const { settings, uploads } of destinations) if (isOfResult || settings.mode === "max") uploads.start(chain);
  };
  const exchange =
    readers.length === 0 && !exports ? Promise.resolve(undefined) : openExchange(readers, exports ? { onNote } : undefined, surroundings, signal);
  // Who waits for it is told; until then nobody waits.
  exchange.catch(() => {});
  return {
    exchange,
    inline: (opened, image) => (isInline && opened !== undefined ? inlineOf(opened, image) : undefined),
    begin: (isOfResult) => {
      ofResult = isOfResult;
    },
    write: async (opened, results) => {
      if (opened === undefined) return;
      const input = { ...surroundings, signal, steps: opened.notes, results, imported: (id: string) => opened.mount(id) };
      await Promise.all(destinations.map(async (destination) => await exportCache(input, destination)));
    },
    [Symbol.asyncDispose]: async () => {
      abort.abort(new SlipwayError("canceled", "CANCELED", "canceled"));
      await Promise.all(destinations.map(async ({ uploads }) => await uploads.settled()));
    },
  };
}

interface ExchangeExports {
  readonly onNote: (step: NotedStep) => void;
}

async function openExchange(
  readers: readonly NamedReader[],
  exports: ExchangeExports | undefined,
  surroundings: CacheSurroundings,
  signal: AbortSignal,
): Promise<CacheExchange> {
  const { store, onProgress } = surroundings;
  return new CacheExchange({
    store,
    exports,
    imports: await importCaches(readers, onProgress, signal),
    restoreMount: async (blob, directory, inner) => await restoreMount(store, blob, directory, inner),
    fetchLayer: async (layer, inner) => await fetchCacheLayer(store, layer, inner),
    onWarning: (message) => warn(onProgress, message),
  });
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && ["1", "t", "true"].includes(text.toLowerCase());
}

function readerOf(source: CacheSource, surroundings: CacheSurroundings): NamedReader {
  if (source.type === "unknown") return { name: source.name, reader: unreadable(`unknown cache importer: ${source.name}`) };
  if (source.type === "local") return { name: `local:${source.src}`, kind: "local", reader: localReader(source.src, source) };
  try {
    return { name: source.ref, kind: "registry", reader: registryReader(surroundings, withDefaultTag(parseReference(source.ref))) };
  } catch (error) {
    return { name: source.ref, kind: "registry", reader: unreadable(asSlipwayError(error).message) };
  }
}

/** It is told when its turn comes. */
function unreadable(why: string): CacheReader {
  const fail = (): never => {
    throw new SlipwayError("unsupported", "CACHE_NOT_FOUND", why);
  };
  return { manifest: async () => fail(), document: async () => fail(), open: fail };
}

function destinationsOf(targets: readonly WrittenTarget[], surroundings: CacheSurroundings, signal: AbortSignal): readonly CacheDestination[] {
  const compressing = createCompressionGate();
  return targets.map((settings) => {
    const place = placeOf(settings, surroundings);
    return { ...place, settings, uploads: new LayerUploads({ store: surroundings.store, settings, writer: place.writer, compressing, signal }) };
  });
}

function placeOf(target: WrittenTarget, { store, client }: CacheSurroundings): Pick<CacheDestination, "kind" | "writer"> {
  if (target.type === "local") return { kind: "client directory", writer: localWriter(store, target.dest, target.tag) };
  return { kind: "registry", writer: registryWriter(store, client, withDefaultTag(parseReference(target.ref))) };
}

function inlineOf(exchange: CacheExchange, image: Chain): string | undefined {
  const records = inlineRecords(exchange.notes, image);
  return records.length === 0 ? undefined : Buffer.from(JSON.stringify(records)).toString("base64");
}

function warn(sink: ProgressSink, message: string): void {
  const name = "[internal] layers of imported caches";
  const vertex = { type: "vertex", id: digestOf(name), name, inputs: [], startedMs: Date.now() } as const;
  sink(vertex);
  sink({ type: "warning", vertex: vertex.id, message, detail: [], url: "" });
  sink({ ...vertex, completedMs: Date.now(), cached: false });
}
