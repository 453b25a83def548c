/**
 * The build's side of caches elsewhere: a step that the store does not have may be in one of them. Its layers are fetched
 * only when something needs their files; a record of the step is kept with them, so that the next build finds it here.
 */
import { asSlipwayError, isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Vertex } from "../../graph/vertex.ts";
import { emptyLayer, type CacheRecord, type Chain, type Store } from "../../store/index.ts";
import type { KeyNode } from "../buildkit-keys/key-node.ts";
import type { ImportedBlob, ImportedCache, ImportedLayer } from "./imported-cache.ts";

/** One solved step, as an export may write it. */
export interface NotedStep {
  readonly vertex: Vertex;
  readonly node: KeyNode;
  /** undefined: the step is known by its name alone */
  readonly chain: Chain | undefined;
  readonly createdMs: number;
}

export interface RemoteHit {
  /** what the step adds to its base */
  readonly layers: Chain;
  readonly createdMs: number;
}

export type PendingRecord = Omit<CacheRecord, "usedMs" | "uses">;

export interface CacheExchangeOptions {
  readonly store: Store;
  readonly imports: readonly ImportedCache[];
  /** steps are noted for an export, and told when they have ended */
  readonly exports: { readonly onNote: (step: NotedStep) => void } | undefined;
  /** unpacks what lay in a cache mount into its directory, which is empty */
  readonly restoreMount: (blob: ImportedBlob, directory: string, signal: AbortSignal | undefined) => Promise<void>;
  /** brings one layer into the store: fetched, checked against its digest and its diffID */
  readonly fetchLayer: (layer: ImportedLayer, signal: AbortSignal | undefined) => Promise<void>;
  readonly onWarning: (message: string) => void;
}

export class CacheExchange {
  readonly #options: CacheExchangeOptions;
  readonly #notes = new Map<Digest, NotedStep>();
  /** layers that were promised and are not here yet */
  readonly #pending = new Map<Digest, ImportedLayer>();
  readonly #records: PendingRecord[] = [];
  readonly #fetching = new Map<Digest, Promise<void>>();
  /** layers that could not be had: steps that need them run */
  readonly #lost = new Set<Digest>();

  constructor(options: CacheExchangeOptions) {
    this.#options = options;
  }

  get notes(): readonly NotedStep[] {
    return [...this.#notes.values()];
  }

  note(step: NotedStep): void {
    // A copy of what a mount takes of the context is made again where it is needed.
    if (this.#options.exports === undefined || step.vertex.metadata.contextMount !== undefined) return;
    this.#notes.set(step.vertex.digest, step);
    this.#options.exports.onNote(step);
  }

  get exports(): boolean {
    return this.#options.exports !== undefined;
  }

  get imports(): boolean {
    return this.#options.imports.length > 0;
  }

  /** All layers of a step's result, whatever steps the build has below it: they need not be made. `bottom`: the base image's, on which it has to stand. */
  findWhole(node: KeyNode, bottom: Chain): RemoteHit | undefined {
    for (const { layers, createdMs } of this.#options.imports.flatMap((cache) => cache.find(node))) {
      if (layersAbove(bottom, layers) === undefined) continue;
      if (layers.some(({ diffId }) => this.#lost.has(diffId))) continue;
      this.#promise(layers);
      return { layers: layers.map(({ diffId }) => diffId), createdMs };
    }
    return undefined;
  }

  #promise(layers: readonly ImportedLayer[]): void {
    for (const layer of layers) if (!this.#options.store.layers.has(layer.diffId)) this.#pending.set(layer.diffId, layer);
  }

  /** A step that stands on the very layers that the build has. `keep` is what to record of it once its layers are here; without it nothing is promised. */
  find(node: KeyNode, base: Chain, keep?: (hit: RemoteHit) => PendingRecord): RemoteHit | undefined {
    for (const cache of this.#options.imports) {
      for (const { layers, createdMs } of cache.find(node)) {
        const own = layersAbove(base, layers);
        if (own === undefined || own.some(({ diffId }) => this.#lost.has(diffId))) continue;
        const hit = { layers: own.map(({ diffId }) => diffId), createdMs };
        if (keep === undefined) return hit;
        this.#promise(own);
        this.#records.push(keep(hit));
        return hit;
      }
    }
    return undefined;
  }

  /** What the first cache that knows the mount has of it. */
  mount(id: string): ImportedBlob | undefined {
    for (const cache of this.#options.imports) {
      const blob = cache.mount(id);
      if (blob !== undefined) return blob;
    }
    return undefined;
  }

  /** A mount that cannot be restored begins empty. */
  async restoreMount(id: string, directory: string, signal: AbortSignal | undefined): Promise<void> {
    const blob = this.mount(id);
    if (blob === undefined) return;
    try {
      await this.#options.restoreMount(blob, directory, signal);
    } catch (error) {
      signal?.throwIfAborted();
      this.#options.onWarning(`cache mount ${id} cannot be restored: ${asSlipwayError(error).message}`);
    }
  }

  /** Fails with LAYER_MISSING (not_found) when a layer cannot be had: it is promised no more, and the build tries again without. */
  async fetch(chains: readonly Chain[], signal: AbortSignal | undefined): Promise<void> {
    const wanted = [...new Set(chains.flat())].flatMap((diffId) => this.#pending.get(diffId) ?? []);
    if (wanted.length === 0) return;
    const fetched = await Promise.allSettled(wanted.map((layer) => this.#fetch(layer, signal)));
    signal?.throwIfAborted();
    this.#keepRecords();
    for (const [index, { diffId }] of wanted.entries()) {
      const outcome = fetched[index];
      if (outcome?.status !== "rejected") continue;
      throw new SlipwayError("not_found", "LAYER_MISSING", `layer ${diffId} of the cache: ${asSlipwayError(outcome.reason).message}`, { diffId });
    }
  }

  #fetch(layer: ImportedLayer, signal: AbortSignal | undefined): Promise<void> {
    let fetching = this.#fetching.get(layer.diffId);
    if (fetching === undefined) {
      fetching = this.#fetchOnce(layer, signal);
      this.#fetching.set(layer.diffId, fetching);
    }
    return fetching;
  }

  async #fetchOnce(layer: ImportedLayer, signal: AbortSignal | undefined): Promise<void> {
    const { diffId, descriptor } = layer;
    try {
      await this.#options.fetchLayer(layer, signal);
      this.#pending.delete(diffId);
    } catch (error) {
      if (signal?.aborted === true || isSlipwayError(error, "CANCELED")) throw error;
      this.#lost.add(diffId);
      this.#pending.delete(diffId);
      this.#options.onWarning(`cache layer ${descriptor.digest} cannot be used: ${asSlipwayError(error).message}`);
      throw error;
    } finally {
      this.#fetching.delete(diffId);
    }
  }

  /** Records whose layers are all here now. */
  #keepRecords(): void {
    const { store } = this.#options;
    const ready = this.#records.filter(({ layers }) => store.layers.hasAll(layers));
    store.transaction(() => {
      for (const record of ready) store.cache.put({ ...record, sizeBytes: record.layers.reduce((sum, diffId) => sum + store.layers.size(diffId), 0) });
    });
    for (const record of ready) this.#records.splice(this.#records.indexOf(record), 1);
  }
}

/** undefined: the result stands on other layers than those below the step here, or adds none that is known. */
function layersAbove(base: Chain, layers: readonly ImportedLayer[]): readonly ImportedLayer[] | undefined {
  if (base.every((diffId, index) => layers[index]?.diffId === diffId)) return layers.length > base.length ? layers.slice(base.length) : undefined;
  // Some writers leave out layers without entries.
  const below = base.filter((diffId) => diffId !== emptyLayer);
  const above = layers.filter(({ diffId }) => diffId !== emptyLayer);
  return above.length > below.length && below.every((diffId, index) => above[index]?.diffId === diffId) ? above.slice(below.length) : undefined;
}
