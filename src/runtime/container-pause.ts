/** Holds a container's processes and lets them go on, and keeps the record true meanwhile: a process that is killed in between leaves a note. */
import { SlipwayError } from "../base/errors.ts";
import { notRunning, requireContainer } from "./container-errors.ts";
import { tellContainer } from "./container-events.ts";
import { freeze, thaw, thawCommand } from "./container-freeze.ts";
import type { ContainerHost } from "./container-host.ts";
import { withContainerLock } from "./container-lock.ts";
import type { ContainerRecord, ContainerState } from "./container-records.ts";
import { containerState } from "./container-state.ts";
import { noteDeath } from "./death-watch.ts";
import { thisProcess } from "./live-process.ts";

/** Until somebody lets it go on. CONTAINER_NOT_FOUND, CONTAINER_NOT_RUNNING, CONTAINER_PAUSED (conflict) in Docker's words. */
export async function pauseContainer(host: ContainerHost, nameOrId: string): Promise<void> {
  await changeState(host, nameOrId, async (record, state) => {
    await hold(host, record, state);
    setState(host, record, { ...state, status: "paused" });
  });
}

/**
 * Holds it while something is done, and for no longer than this process lives. One that does not run, or that is held already, stays as it is.
 * CONTAINER_NOT_FOUND, PAUSE_FAILED.
 */
export async function whileHeld<Result>(host: ContainerHost, id: string, act: () => Promise<Result>): Promise<Result> {
  const note = await changeState(host, id, async (record, state) => {
    if (state.status !== "running") return undefined;
    // before it is held, and again with the processes that it has now
    const death = noteDeath(thawCommand(host, record));
    try {
      await hold(host, record, state);
    } catch (error) {
      death.drop();
      throw error;
    }
    death.update(thawCommand(host, record));
    return death;
  });
  if (note === undefined) return await act();
  try {
    return await act();
  } finally {
    await changeState(host, id, async (record, state) => {
      if (state.holder?.pid === process.pid) letGo(host, record, state);
    }).catch(() => undefined);
    note.drop();
  }
}

/** CONTAINER_NOT_FOUND, CONTAINER_NOT_PAUSED (conflict) in Docker's words. */
export async function unpauseContainer(host: ContainerHost, nameOrId: string): Promise<void> {
  await changeState(host, nameOrId, async (record, state) => {
    if (state.status !== "paused") throw new SlipwayError("conflict", "CONTAINER_NOT_PAUSED", `Container ${record.id} is not paused`, { id: record.id });
    letGo(host, record, state);
  });
}

async function changeState<Result>(
  host: ContainerHost,
  nameOrId: string,
  act: (record: ContainerRecord, state: ContainerState) => Promise<Result>,
): Promise<Result> {
  const { id, paths } = requireContainer(host.records, nameOrId);
  return await withContainerLock(paths.directory, async () => {
    const record = requireContainer(host.records, id);
    return await act(record, containerState(host, record));
  });
}

/** The note comes first: whoever finds it after our death lets the container go on. */
async function hold(host: ContainerHost, record: ContainerRecord, state: ContainerState): Promise<void> {
  if (state.status === "paused") throw new SlipwayError("conflict", "CONTAINER_PAUSED", `Container ${record.id} is already paused`, { id: record.id });
  if (state.status !== "running") throw notRunning(record);
  setState(host, record, { ...state, status: "paused", holder: thisProcess() });
  try {
    await freeze(host, record);
  } catch (error) {
    setState(host, record, state);
    throw error;
  }
  tellContainer(host, record, "pause");
}

function letGo(host: ContainerHost, record: ContainerRecord, { holder: _holder, ...state }: ContainerState): void {
  thaw(host, record);
  setState(host, record, { ...state, status: "running" });
  tellContainer(host, record, "unpause");
}

function setState(host: ContainerHost, { id }: ContainerRecord, state: ContainerState): void {
  host.records.update({ ...requireContainer(host.records, id), state });
}
