/** Keeps the build cache below a ceiling: after a build, what was used longest ago goes first. */
import { statfsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "../../store/index.ts";
import { bytesOfEntries, cacheContents, leastRecentlyUsed } from "./cache-records.ts";
import { removeEntries } from "./prune-cache.ts";

const maxDefaultBytes = 20e9;

/** Measuring costs a look at every record and a walk through cache mounts: not after each of a hundred builds. */
const defaultIntervalMs = 300_000;

export interface CeilingOptions {
  /** default: defaultCeilingBytes() */
  readonly ceilingBytes?: number;
  /** nothing is measured when some process did so less than this ago; default five minutes */
  readonly intervalMs?: number;
}

/** A tenth of the disk that carries the store, 20 GB at most. */
export function defaultCeilingBytes(store: Pick<Store, "layout">): number {
  const { blocks, bsize } = statfsSync(store.layout.root);
  return Math.min(Math.floor((blocks * bsize) / 10), maxDefaultBytes);
}

/**
 * Answers the bytes that were freed, 0 when the cache is small enough or was measured a moment ago. Steps whose layers an image has
 * cost nothing and stay. Safe beside running builds: their leases hold what they use.
 */
export function enforceCacheCeiling(store: Store, options: CeilingOptions = {}): number {
  if (!isDue(store, options.intervalMs ?? defaultIntervalMs)) return 0;
  const ceilingBytes = options.ceilingBytes ?? defaultCeilingBytes(store);
  const contents = cacheContents(store);
  if (bytesOfEntries(contents, contents.entries) <= ceilingBytes) return 0;
  const candidates = contents.entries.filter(({ summary }) => !summary.shared && !summary.inUse);
  return removeEntries(store, leastRecentlyUsed(contents, candidates, ceilingBytes));
}

/** The time of the last measurement is that of an empty file beside the database. */
function isDue(store: Store, intervalMs: number): boolean {
  const mark = join(store.layout.root, "cache-measured");
  const last = statSync(mark, { throwIfNoEntry: false })?.mtimeMs;
  if (last !== undefined && Math.abs(Date.now() - last) < intervalMs) return false;
  writeFileSync(mark, "");
  return true;
}
