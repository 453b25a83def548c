/** The one way a step meets the cache: look up, explain, lock, look again, run, record. */
import type { Digest } from "../oci/digest.ts";
import type { Vertex } from "../graph/vertex.ts";
import type { Chain, RecordedConfig, Store } from "../store/index.ts";
import type { PendingRecord, RemoteHit } from "./cache-exchange/cache-exchange.ts";
import { lockKey } from "./key-lock.ts";
import { missReason } from "./miss-reason.ts";

export interface StepOutcome {
  /** layers that the step adds, bottom first */
  readonly layers: readonly Digest[];
  readonly cached: boolean;
  readonly createdMs: number;
}

export interface StepRun {
  readonly layers: readonly Digest[];
  readonly sizeBytes: number;
  /** further keys under which the same result is found */
  readonly aliases?: readonly string[];
  /** inputs that were learned only by running */
  readonly inputs?: Readonly<Record<string, string>>;
  /** the work turned out to be there already under another key, made then */
  readonly cached?: boolean;
  readonly createdMs?: number;
}

export interface StepRequest {
  readonly store: Store;
  readonly vertex: Vertex;
  readonly key: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** layers below the step */
  readonly base: Chain;
  readonly config: RecordedConfig;
  readonly signal: AbortSignal | undefined;
  /** called once before the step runs, with the reason */
  readonly onMiss: (reason: string) => void;
  readonly onUse: (key: string) => void;
  /** caches of elsewhere, asked when the store has no record; what is found is to be recorded as `keep` says */
  readonly elsewhere?: ((keep: (hit: RemoteHit) => PendingRecord) => Promise<RemoteHit | undefined>) | undefined;
  readonly run: () => Promise<StepRun>;
}

export async function throughCache(request: StepRequest): Promise<StepOutcome> {
  const { store, vertex, key } = request;
  const { ignoreCache } = vertex.metadata;
  if (!ignoreCache) {
    const hit = await lookup(request);
    if (hit !== undefined) return hit;
  }
  using _lock = await lockKey(store.layout.locks, key, request.signal);
  if (!ignoreCache) {
    // Somebody may have done it between the first look and the lock.
    const hit = await lookup(request);
    if (hit !== undefined) return hit;
  }
  request.onMiss(missReason({ inputs: request.inputs, former: store.cache.newestInSlot(vertex.metadata.slot), evicted: store.cache.known(key), ignoreCache }));
  const run = await request.run();
  const createdMs = run.createdMs ?? Date.now();
  store.transaction(() => {
    for (const name of [...(run.aliases ?? []), key]) store.cache.put(recordOf(request, name, { ...run, createdMs }));
  });
  return { layers: run.layers, cached: run.cached === true, createdMs };
}

function recordOf(request: StepRequest, key: string, run: StepRun & { readonly createdMs: number }): PendingRecord {
  const { slot, description } = request.vertex.metadata;
  return {
    key,
    slot,
    description,
    layers: run.layers,
    chain: [...request.base, ...run.layers],
    config: request.config,
    inputs: { ...request.inputs, ...run.inputs },
    sizeBytes: run.sizeBytes,
    createdMs: run.createdMs,
  };
}

async function lookup(request: StepRequest): Promise<StepOutcome | undefined> {
  const { store, key, onUse } = request;
  const record = store.cache.lookup(key);
  if (record === undefined) {
    const hit = await request.elsewhere?.((found) => recordOf(request, key, { ...found, sizeBytes: 0 }));
    return hit === undefined ? undefined : { ...hit, cached: true };
  }
  onUse(key);
  return { layers: record.layers, cached: true, createdMs: record.createdMs };
}
