/** `builder prune`: finished steps and cache mounts that nothing needs, or the least recently used of them. */
import { statfsSync } from "node:fs";
import type { Store } from "../../store/index.ts";
import type { CacheRecordSummary, Filters } from "../api.ts";
import { tellPrune } from "../events/tell.ts";
import { bytesOfEntries, cacheContents, leastRecentlyUsed, type CacheEntry } from "./cache-records.ts";
import { recordMatcher } from "./record-matcher.ts";

export interface PruneCacheOptions {
  /** also steps whose layers an image has */
  readonly all?: boolean;
  readonly filters?: Filters;
  /** what may stay, in bytes: the most recently used */
  readonly keepBytes?: number;
  /** so much of the disk shall be free, even if less stays than `keepBytes` */
  readonly minFreeBytes?: number;
  /** so much stays, even if less of the disk is free */
  readonly reservedBytes?: number;
}

export interface PrunedCache {
  readonly removed: readonly CacheRecordSummary[];
  readonly reclaimedBytes: number;
}

/** Files that nothing reaches any more are deleted. Fails with INVALID_FILTER (invalid_argument). */
export async function pruneCache(store: Store, options: PruneCacheOptions = {}, nowMs: number = Date.now()): Promise<PrunedCache> {
  const matches = recordMatcher(options.filters ?? {}, nowMs);
  const contents = cacheContents(store);
  const candidates = contents.entries.filter(({ summary }) => !summary.inUse && (options.all === true || !summary.shared) && matches(summary));
  const keepBytes = bytesToKeep(options, () => ({ usedBytes: bytesOfEntries(contents, contents.entries), freeBytes: freeBytes(store.layout.root) }));
  const chosen = keepBytes <= 0 ? candidates : leastRecentlyUsed(contents, candidates, keepBytes);
  const reclaimedBytes = removeEntries(store, chosen);
  tellPrune(store, "builder", reclaimedBytes);
  return { removed: chosen.map(({ summary }) => summary), reclaimedBytes };
}

/** As BuildKit weighs the three limits; 0 means that none was given. */
export function bytesToKeep(
  { keepBytes = 0, minFreeBytes = 0, reservedBytes = 0 }: PruneCacheOptions,
  disk: () => { readonly usedBytes: number; readonly freeBytes: number },
): number {
  if (minFreeBytes <= 0) return Math.max(keepBytes, reservedBytes);
  const { usedBytes, freeBytes } = disk();
  const missing = Math.max(0, minFreeBytes - freeBytes);
  // 1 rather than 0: all may go, and a limit there is
  return Math.max(1, reservedBytes, Math.min(keepBytes > 0 ? keepBytes : Infinity, usedBytes - missing));
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}

/** Answers the bytes that were freed. */
export function removeEntries(store: Store, entries: readonly CacheEntry[]): number {
  if (entries.length === 0) return 0;
  store.transaction(() => {
    for (const { apart, remove } of entries) if (!apart) remove();
  });
  let ownSum = 0;
  for (const { apart, ownBytes, remove } of entries) {
    if (!apart) continue;
    ownSum += ownBytes;
    remove();
  }
  return ownSum + store.collect().reclaimedBytes;
}
