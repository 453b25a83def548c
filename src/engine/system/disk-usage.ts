/** `system df`: what takes the store's disk, and how much of it could go. */
import { readdirSync, existsSync } from "node:fs";
import { join } from "node:path";
import { treeSize, type Store } from "../../store/index.ts";
import type { DiskUsage, Filters } from "../api.ts";
import { containerRecords, containersByImage, isRunning } from "../images/container-users.ts";
import { bytesOfLayers, sumOf } from "../images/layer-bytes.ts";
import { chainsOf, standingImages, variantsOf } from "../images/variants.ts";
import { bytesOfEntries, cacheContents } from "./cache-records.ts";
import { recordMatcher } from "./record-matcher.ts";

type Usage = DiskUsage["images"];

/** Sizes are bytes on the disk. Cost: a walk through containers, volumes and cache mounts; layers are not walked. */
export async function diskUsage(store: Store, cacheFilters: Filters = {}, nowMs: number = Date.now()): Promise<DiskUsage> {
  const matches = recordMatcher(cacheFilters, nowMs);
  const cache = cacheContents(store);
  const cacheBytes = bytesOfEntries(cache, cache.entries);
  return {
    images: imageUsage(store),
    containers: containerUsage(store),
    volumes: volumeUsage(store),
    cache: {
      total: cache.entries.length,
      active: cache.entries.filter(({ summary }) => summary.inUse).length,
      sizeBytes: cacheBytes,
      reclaimableBytes: cacheBytes,
    },
    cacheRecords: cache.entries.flatMap(({ summary }) => (matches(summary) ? [summary] : [])).reverse(),
    orphanBytes: store.orphans().reduce((sum, path) => sum + treeSize(path), 0),
  };
}

/** Layers count once, however many images have them. */
function imageUsage(store: Store): Usage {
  const images = standingImages(store).map(({ id }) => ({ images: variantsOf(store, id).map(({ image }) => image), chains: chainsOf(store, id) }));
  const users = containersByImage(store);
  const active = images.filter((image) => image.images.some((id) => users.has(id)));
  const bytes = bytesOfLayers(
    store,
    images.flatMap(({ chains }) => chains),
  );
  const held = new Set(active.flatMap(({ chains }) => chains.flat()));
  return { total: images.length, active: active.length, sizeBytes: sumOf(bytes), reclaimableBytes: sumOf(bytes, (diffId) => !held.has(diffId)) };
}

/** The writable layers. */
function containerUsage(store: Store): Usage {
  const containers = containerRecords(store).map((record) => ({ active: isRunning(record), sizeBytes: treeSize(record.paths.upper) }));
  return usageOf(containers);
}

function volumeUsage(store: Store): Usage {
  const used = new Set(
    containerRecords(store).flatMap(({ mounts }) => mounts.flatMap((mount) => (mount.type === "volume" && mount.name !== undefined ? [mount.name] : []))),
  );
  const { volumes } = store.layout;
  const names = existsSync(volumes) ? readdirSync(volumes) : [];
  return usageOf(names.map((name) => ({ active: used.has(name), sizeBytes: treeSize(join(volumes, name)) })));
}

function usageOf(items: readonly { readonly active: boolean; readonly sizeBytes: number }[]): Usage {
  const sum = (of: readonly { readonly sizeBytes: number }[]): number => of.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  return {
    total: items.length,
    active: items.filter(({ active }) => active).length,
    sizeBytes: sum(items),
    reclaimableBytes: sum(items.filter(({ active }) => !active)),
  };
}
