/** The build cache as one list: finished steps, failed ones that are kept, cache mounts; least recently used first, with what each alone would free. */
import { rmSync } from "node:fs";
import { digestOf, hexOf, type Digest } from "../../oci/digest.ts";
import { chainsOfRecord, keptSteps, layersOfRecord } from "../../solver/step-record.ts";
import { hexOfKey, treeSize, type Chain, type Store } from "../../store/index.ts";
import type { CacheRecordSummary } from "../api.ts";
import { bytesOfLayers, layerHolders, type LayerBytes } from "../images/layer-bytes.ts";

export interface CacheEntry {
  readonly summary: CacheRecordSummary;
  /** layers that the record keeps; none for a mount */
  readonly layers: readonly Digest[];
  /** bytes that are nobody else's whatever happens: a directory's */
  readonly ownBytes: number;
  /** has such a directory */
  readonly apart: boolean;
  readonly remove: () => void;
}

export interface CacheContents {
  readonly entries: readonly CacheEntry[];
  /** bytes on disk by layer, for layers that neither an image nor a container has */
  readonly layerBytes: LayerBytes;
}

export function cacheContents(store: Store): CacheContents {
  const { images, containers } = layerHolders(store);
  const isHeld = (diffId: Digest): boolean => images.has(diffId) || containers.has(diffId);
  const records = store.cache.all();
  const failed = failedSteps(store);
  const layerBytes = bytesOfLayers(store, [
    ...records.map(({ chain, layers }) => (store.layers.hasAll(chain) ? chain : layers)),
    ...failed.flatMap(({ chains }) => chains),
  ]);
  const ofCache = new Set([...records, ...failed].flatMap(({ layers }) => layers));
  const free = new Map([...layerBytes].filter(([diffId]) => ofCache.has(diffId) && !isHeld(diffId)));
  const steps = records.map((record): CacheEntry => ({
    layers: record.layers,
    ownBytes: 0,
    apart: false,
    remove: () => store.cache.remove(record.key),
    summary: {
      id: hexOfKey(record.key),
      type: "regular",
      description: record.description,
      sizeBytes: record.sizeBytes,
      createdMs: record.createdMs,
      lastUsedMs: record.usedMs,
      usageCount: record.uses,
      inUse: false,
      shared: record.layers.length > 0 && record.layers.some(isHeld),
    },
  }));
  return { entries: [...steps, ...failed, ...mounts(store)].sort((a, b) => a.summary.lastUsedMs - b.summary.lastUsedMs), layerBytes: free };
}

/** Those whose processes have ended. */
function failedSteps(store: Store): readonly (CacheEntry & { readonly chains: readonly Chain[] })[] {
  const kept = keptSteps(store);
  const ended = kept.all().filter(({ life }) => life === "ended");
  return ended.map((step) => {
    const sizeBytes = treeSize(step.directory);
    return {
      layers: layersOfRecord(step.record),
      chains: chainsOfRecord(step.record),
      ownBytes: sizeBytes,
      apart: true,
      remove: () => kept.remove(step.id),
      summary: {
        id: step.id,
        type: "exec.failed",
        description: `failed: ${step.record.name}`,
        sizeBytes,
        createdMs: step.createdMs,
        lastUsedMs: Math.max(step.createdMs, step.record.endedMs),
        usageCount: 0,
        inUse: !kept.isFree(step.id),
        shared: false,
      },
    };
  });
}

function mounts(store: Store): readonly CacheEntry[] {
  return store.cacheMounts.all().map((mount): CacheEntry => {
    const sizeBytes = treeSize(mount.path);
    return {
      layers: [],
      ownBytes: sizeBytes,
      apart: true,
      remove: () => {
        const trash = store.lease().temporaryPath("trash");
        store.cacheMounts.remove(mount.id, trash);
        rmSync(trash, { recursive: true, force: true });
      },
      summary: {
        id: hexOf(digestOf(mount.id)),
        type: "exec.cachemount",
        description: mount.description,
        sizeBytes,
        createdMs: mount.createdMs,
        lastUsedMs: mount.usedMs,
        usageCount: 0,
        inUse: mount.inUse,
        shared: false,
      },
    };
  });
}

/** Bytes that these entries alone keep on the disk. */
export function bytesOfEntries({ layerBytes }: CacheContents, entries: readonly CacheEntry[]): number {
  const layers = new Set(entries.flatMap((entry) => entry.layers));
  let sum = entries.reduce((total, { ownBytes }) => total + ownBytes, 0);
  for (const diffId of layers) sum += layerBytes.get(diffId) ?? 0;
  return sum;
}

/**
 * The least recently used of `candidates`, as many as must go so that what stays takes at most `keepBytes`. A layer goes when the last
 * entry that has it goes.
 */
export function leastRecentlyUsed(contents: CacheContents, candidates: readonly CacheEntry[], keepBytes: number): readonly CacheEntry[] {
  const users = new Map<Digest, number>();
  for (const { layers } of contents.entries) for (const diffId of new Set(layers)) users.set(diffId, (users.get(diffId) ?? 0) + 1);
  let total = bytesOfEntries(contents, contents.entries);
  const chosen: CacheEntry[] = [];
  for (const entry of candidates) {
    if (total <= keepBytes) break;
    chosen.push(entry);
    total -= entry.ownBytes;
    for (const diffId of new Set(entry.layers)) {
      const left = (users.get(diffId) ?? 1) - 1;
      users.set(diffId, left);
      if (left === 0) total -= contents.layerBytes.get(diffId) ?? 0;
    }
  }
  return chosen;
}
