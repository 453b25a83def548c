/** Which containers use an image, and whether they run. */
import type { Digest } from "../../oci/digest.ts";
import { isAlive } from "../../runtime/live-process.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import type { Store } from "../../store/index.ts";

export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

export function containerRecords(store: Store): readonly ContainerRecord[] {
  return store.containers<ContainerRecord>().list();
}

/** Number of containers, running or not, by image id. */
export function containersByImage(store: Store): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { imageId } of containerRecords(store)) counts.set(imageId, (counts.get(imageId) ?? 0) + 1);
  return counts;
}

/** Of any of the images; running ones first. */
export function usersOfImage(store: Store, ids: readonly Digest[]): readonly ImageUser[] {
  const users = containerRecords(store).filter((record) => ids.some((id) => record.imageId === id));
  return users.map((record) => ({ id: record.id, running: isRunning(record) })).sort((a, b) => Number(b.running) - Number(a.running));
}

/** Whatever the record says: the process has to be there. */
export function isRunning({ state }: ContainerRecord): boolean {
  return (state.status === "running" || state.status === "paused") && isAlive(state);
}
