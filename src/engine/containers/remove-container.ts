/** Removal with what belongs to the container, and the end of runs that nobody else will clear away. */
import { isSlipwayError } from "../../base/errors.ts";
import { cleanupContainer, removeContainer, waitForReaders, type ContainerHost } from "../../runtime/container.ts";
import type { ContainerRecord } from "../../runtime/container-records.ts";
import type { Store } from "../../store/index.ts";
import { removeAnonymousVolumes } from "./container-mounts.ts";

export interface RemovalOptions {
  readonly force: boolean;
  /** anonymous volumes too; those of a --rm container always go with it */
  readonly volumes: boolean;
}

/** Fails as removeContainer() does. */
export async function removeWithVolumes(store: Store, host: ContainerHost, nameOrId: string, { force, volumes }: RemovalOptions): Promise<void> {
  const alsoRemove = (record: ContainerRecord): void => {
    if (volumes || record.config.removeOnExit) removeAnonymousVolumes(store, record);
  };
  await removeContainer(host, nameOrId, { force, alsoRemove });
}

/** For --rm: its monitor, its client and a later command may all come at once. A container that was started again is left alone. */
export async function removeQuietly(store: Store, host: ContainerHost, id: string, force: boolean): Promise<void> {
  try {
    await removeWithVolumes(store, host, id, { force, volumes: true });
  } catch (error) {
    if (!isSlipwayError(error, "CONTAINER_NOT_FOUND") && !isSlipwayError(error, "CONTAINER_RUNNING")) throw error;
  }
}

/** Does what the container's monitor would have done, had it not been killed. */
export async function settleAbandoned(store: Store, host: ContainerHost, record: ContainerRecord): Promise<void> {
  try {
    await cleanupContainer(host, record.id);
  } catch (error) {
    if (!isSlipwayError(error, "CONTAINER_NOT_FOUND")) throw error;
  }
  if (record.config.removeOnExit && (await waitForReaders(record.paths.directory, 0))) await removeQuietly(store, host, record.id, false);
}
