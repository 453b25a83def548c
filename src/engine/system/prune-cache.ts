/** `builder prune`: finished steps and cache mounts that nothing needs, or the least recently used of them. */
import type { Store } from "../../store/index.ts";
import type { CacheRecordSummary, Filters } from "../api.ts";
import { booleanFilter, checkFilterKeys, parseTimeFilter } from "../filters.ts";
import { cacheContents, leastRecentlyUsed, type CacheEntry } from "./cache-records.ts";

export interface PruneCacheOptions {
  /** also steps whose layers an image has */
  readonly all?: boolean;
  readonly filters?: Filters;
  /** what may stay, in bytes: the most recently used */
  readonly keepBytes?: number;
}

export interface PrunedCache {
  readonly removed: readonly CacheRecordSummary[];
  readonly reclaimedBytes: number;
}

const knownFilters = ["until", "unused-for", "id", "type", "description", "inuse", "shared", "private", "parent", "label", "label!"];

/** Files that nothing reaches any more are deleted. Fails with INVALID_FILTER (invalid_argument). */
export async function pruneCache(store: Store, options: PruneCacheOptions = {}, nowMs: number = Date.now()): Promise<PrunedCache> {
  const filters = options.filters ?? {};
  checkFilterKeys(filters, knownFilters);
  const contents = cacheContents(store);
  const matches = createMatcher(filters, nowMs);
  const candidates = contents.entries.filter((entry) => (options.all === true || !entry.summary.shared) && matches(entry.summary));
  const chosen = options.keepBytes === undefined || options.keepBytes <= 0 ? candidates : leastRecentlyUsed(contents, candidates, options.keepBytes);
  const reclaimedBytes = removeEntries(store, chosen);
  return { removed: chosen.map(({ summary }) => summary), reclaimedBytes };
}

/** Answers the bytes that were freed. */
export function removeEntries(store: Store, entries: readonly CacheEntry[]): number {
  if (entries.length === 0) return 0;
  store.transaction(() => {
    for (const { layers, remove } of entries) if (layers.length > 0) remove();
  });
  let mountBytes = 0;
  for (const { layers, ownBytes, remove } of entries) {
    if (layers.length > 0) continue;
    mountBytes += ownBytes;
    remove();
  }
  return mountBytes + store.collect().reclaimedBytes;
}

function createMatcher(filters: Filters, nowMs: number): (summary: CacheRecordSummary) => boolean {
  const unusedSince = Math.min(Infinity, ...[...(filters["until"] ?? []), ...(filters["unused-for"] ?? [])].map((text) => parseTimeFilter(text, nowMs)));
  const inUse = booleanFilter(filters, "inuse");
  const shared = booleanFilter(filters, "shared");
  const isPrivate = booleanFilter(filters, "private");
  const one = (key: string, fits: (value: string) => boolean): boolean => (filters[key] ?? []).length === 0 || (filters[key] ?? []).some(fits);
  return (summary) =>
    summary.lastUsedMs < unusedSince &&
    (inUse === undefined || inUse === summary.inUse) &&
    (shared === undefined || shared === summary.shared) &&
    (isPrivate === undefined || isPrivate !== summary.shared) &&
    one("id", (value) => value !== "" && summary.id.startsWith(value)) &&
    one("type", (value) => summary.type === value) &&
    one("description", (value) => summary.description.includes(value));
}
