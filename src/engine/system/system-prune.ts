/** `system prune`: stopped containers, volumes and networks without users, then images, then cache; last, files that nothing explains. */
import type { Store } from "../../store/index.ts";
import type { ContainerApi, Filters, RemoveLine } from "../api.ts";
import type { NetworkApi } from "../networks-api.ts";
import { checkFilterKeys } from "../filters.ts";
import { pruneImages } from "../images/prune.ts";
import { pruneCache } from "./prune-cache.ts";

export interface SystemPruneOptions {
  readonly all?: boolean;
  readonly filters?: Filters;
  /** removes stopped containers; absent where nothing runs any */
  readonly pruneContainers?: ContainerApi["prune"];
  /** removes volumes that no container uses */
  readonly pruneVolumes?: () => Promise<{ readonly removed: readonly string[]; readonly reclaimedBytes: number }>;
  /** removes networks that no container uses */
  readonly pruneNetworks?: NetworkApi["prune"];
}

export interface SystemPruned {
  readonly containers: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: readonly string[];
  readonly images: readonly RemoveLine[];
  /** ids of cache records */
  readonly cache: readonly string[];
  readonly reclaimedBytes: number;
}

/** Fails with INVALID_FILTER (invalid_argument) before anything goes. */
export async function pruneSystem(store: Store, options: SystemPruneOptions = {}): Promise<SystemPruned> {
  const filters = options.filters ?? {};
  checkFilterKeys(filters, ["label", "label!", "until"]);
  const all = options.all === true;
  const containers = (await options.pruneContainers?.({ filters })) ?? { removed: [], reclaimedBytes: 0 };
  const volumes = (await options.pruneVolumes?.()) ?? { removed: [], reclaimedBytes: 0 };
  const networks = (await options.pruneNetworks?.({ filters }))?.removed ?? [];
  const images = await pruneImages(store, { all, filters });
  const { until } = filters;
  const cache = await pruneCache(store, { all, ...(until === undefined ? {} : { filters: { until } }) });
  const rest = store.collect().reclaimedBytes;
  return {
    containers: containers.removed,
    volumes: volumes.removed,
    networks,
    images: images.removed,
    cache: cache.removed.map(({ id }) => id),
    reclaimedBytes: containers.reclaimedBytes + volumes.reclaimedBytes + images.reclaimedBytes + cache.reclaimedBytes + rest,
  };
}
