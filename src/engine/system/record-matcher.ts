/** `--filter` of `buildx du` and `builder prune`: which records of the cache are meant. */
import type { CacheRecordSummary, Filters } from "../api.ts";
import { booleanFilter, checkFilterKeys, parseTimeFilter } from "../filters.ts";

const knownFilters = ["until", "unused-for", "id", "type", "description", "inuse", "shared", "private", "parent", "label", "label!"];

/** Fails with INVALID_FILTER (invalid_argument). */
export function recordMatcher(filters: Filters, nowMs: number): (summary: CacheRecordSummary) => boolean {
  checkFilterKeys(filters, knownFilters);
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
