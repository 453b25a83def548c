/** `container prune`: containers that do not run. */
import type { ContainerRecords } from "../../runtime/container-records.ts";
import { treeSize, type Store } from "../../store/index.ts";
import type { ContainerSummary } from "../api.ts";
import { tellPrune } from "../events/tell.ts";

export interface Pruning {
  readonly store: Store;
  readonly records: ContainerRecords;
  readonly remove: (id: string) => Promise<void>;
}

export async function pruneContainers(
  { store, records, remove }: Pruning,
  containers: readonly ContainerSummary[],
): Promise<{ readonly removed: readonly string[]; readonly reclaimedBytes: number }> {
  const removed: string[] = [];
  let reclaimedBytes = 0;
  for (const { id, state } of containers) {
    if (state !== "exited" && state !== "created" && state !== "dead") continue;
    const record = records.get(id);
    if (record === undefined) continue;
    reclaimedBytes += treeSize(record.paths.upper);
    await remove(id);
    removed.push(id);
  }
  tellPrune(store, "container", reclaimedBytes);
  return { removed, reclaimedBytes };
}
