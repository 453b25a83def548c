/** Ends containers and waits for their end. */
import { renameSync, rmSync } from "node:fs";
import { constants } from "node:os";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { clearAway, cleanupContainer } from "./container-cleanup.ts";
import { cannotKill, cannotRemoveRunning, requireContainer } from "./container-errors.ts";
import { tellContainer } from "./container-events.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { holdAsReader, withContainerLock } from "./container-lock.ts";
import type { ContainerRecord } from "./container-records.ts";
import { writeTerminalSize } from "./container-launch.ts";
import { containerState, readExit } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { watchFile } from "./file-watch.ts";
import { isAlive } from "./live-process.ts";
import { unpauseContainer } from "./container-pause.ts";
import { noteStopAsked } from "./container-restart.ts";
import { signalNumber } from "./signals.ts";

const defaultStopTimeoutMs = 10_000;

/** The stop signal, then SIGKILL after the timeout (the container's own, or 10 s; negative: wait for ever). Stopping a stopped one does nothing. */
export async function stopContainer(
  host: ContainerHost,
  nameOrId: string,
  options: { readonly signal?: string; readonly timeoutMs?: number } = {},
): Promise<void> {
  const record = requireContainer(host.records, nameOrId);
  noteStopAsked(host, record.id);
  if (!isUp(containerState(host, record))) return;
  const stopSignal = options.signal ?? (record.config.stopSignal === "" ? "SIGTERM" : record.config.stopSignal);
  const timeoutMs = options.timeoutMs ?? (record.config.stopTimeoutMs > 0 ? record.config.stopTimeoutMs : defaultStopTimeoutMs);
  await send(host, record, parseSignal(stopSignal, nameOrId));
  const patience = timeoutMs < 0 ? undefined : AbortSignal.timeout(timeoutMs);
  if (!(await ended(host, record, patience))) {
    await send(host, record, constants.signals.SIGKILL);
    await ended(host, record, undefined);
  }
  await cleanupIfThere(host, record.id);
  tellContainer(host, record, "stop");
}

/** One that is removed when it ends (--rm) may be gone. */
async function cleanupIfThere(host: ContainerHost, id: string): Promise<void> {
  if (host.records.get(id) !== undefined) await cleanupContainer(host, id);
}

/** Default SIGKILL. CONTAINER_NOT_RUNNING (conflict), INVALID_SIGNAL, in Docker's words. Does not wait. */
export async function killContainer(host: ContainerHost, nameOrId: string, signal: string | number = "SIGKILL"): Promise<void> {
  const record = host.records.get(nameOrId);
  if (record === undefined) throw cannotKill(nameOrId, `No such container: ${nameOrId}`, "not_found");
  const number = parseSignal(String(signal), nameOrId);
  if (!isUp(containerState(host, record))) throw cannotKill(nameOrId, `container ${record.id} is not running`, "conflict");
  if (endsContainer(number, record)) noteStopAsked(host, record.id);
  await send(host, record, number);
}

export interface RemoveOptions {
  readonly force?: boolean;
  /** what goes with the container, its volumes say; may be called again when a removal is repeated */
  readonly alsoRemove?: (record: ContainerRecord) => void;
}

/**
 * Removes the container's files and record; returns the record. CONTAINER_RUNNING (conflict) unless `force`, which kills it first. When
 * another process removes it at the same time both succeed. CONTAINER_NOT_FOUND.
 */
export async function removeContainer(host: ContainerHost, nameOrId: string, options: RemoveOptions = {}): Promise<ContainerRecord> {
  const first = requireContainer(host.records, nameOrId);
  for (let record: ContainerRecord | undefined = first; record !== undefined; record = host.records.get(first.id)) {
    const state = containerState(host, record);
    if (isUp(state) || state.status === "restarting") {
      if (options.force !== true) throw cannotRemoveRunning(nameOrId, state);
      noteStopAsked(host, record.id);
      await send(host, record, constants.signals.SIGKILL);
      await ended(host, record, undefined);
    }
    await withContainerLock(record.paths.directory, async () => await removeEnded(host, first.id, options));
  }
  return first;
}

/** Does nothing when the container runs again. The record goes last: a removal that is killed can be repeated. */
async function removeEnded(host: ContainerHost, id: string, { alsoRemove }: RemoveOptions): Promise<void> {
  const record = host.records.get(id);
  if (record === undefined || isUp(containerState(host, record))) return;
  await clearAway(host, record);
  removeDirectory(record.paths.directory);
  alsoRemove?.(record);
  // several may remove it at once
  if (host.records.remove(id)) tellContainer(host, record, "destroy");
}

/** Out of the way first: who waits for the container's locks would put new files into it meanwhile. */
function removeDirectory(directory: string): void {
  const aside = `${directory}-removed`;
  try {
    renameSync(directory, aside);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

/** Resolves with the exit code once the container is not running (at once when it is not). CANCELED after an abort. */
export async function waitContainer(host: ContainerHost, nameOrId: string, options: { readonly signal?: AbortSignal } = {}): Promise<number> {
  const record = requireContainer(host.records, nameOrId);
  using _ = holdAsReader(record.paths.directory);
  if (!(await ended(host, record, options.signal))) throw new SlipwayError("canceled", "CANCELED", "canceled", {}, options.signal?.reason);
  const current = host.records.get(record.id);
  // removed meanwhile (--rm): what the monitor wrote went with it
  return current === undefined ? (lastSeen.get(record.id) ?? record.state.exitCode) : containerState(host, current).exitCode;
}

/** Exit codes of containers that were waited for here, for the moment between their end and their removal. */
const lastSeen = new Map<string, number>();

export function resizeContainer(host: ContainerHost, nameOrId: string, size: { readonly rows: number; readonly columns: number }): void {
  const record = requireContainer(host.records, nameOrId);
  writeTerminalSize(containerFiles(host, record), size);
  tellContainer(host, record, "resize", { height: String(size.rows), width: String(size.columns) });
}

/** A program draws anew when its terminal changes its size: another one first, so that it surely changes. */
export function redrawTerminal(host: ContainerHost, nameOrId: string, { rows, columns }: { readonly rows: number; readonly columns: number }): void {
  resizeContainer(host, nameOrId, { rows: rows + 1, columns: columns + 1 });
  resizeContainer(host, nameOrId, { rows, columns });
}

/** true: ended; false: the signal came first. */
async function ended(host: ContainerHost, record: ContainerRecord, signal: AbortSignal | undefined): Promise<boolean> {
  const files = containerFiles(host, record);
  const watch = watchFile(files.exitFile, signal);
  try {
    for (;;) {
      const exit = readExit(files);
      if (exit !== undefined) lastSeen.set(record.id, exit.exitCode);
      const current = host.records.get(record.id);
      if (exit !== undefined || current === undefined || !isUp(containerState(host, current))) return true;
      if (signal?.aborted === true) return false;
      await watch.changed();
    }
  } finally {
    watch.close();
  }
}

/** SIGKILL, or the container's own signal for its end: other signals say nothing about what is wanted afterwards. */
function endsContainer(signal: number, { config }: ContainerRecord): boolean {
  return signal === constants.signals.SIGKILL || signal === signalNumber(config.stopSignal === "" ? "SIGTERM" : config.stopSignal);
}

/** A frozen process hears no signal: it goes on then, as with Docker. */
async function send(host: ContainerHost, record: ContainerRecord, signal: number): Promise<void> {
  if (!isAlive(record.state)) return;
  try {
    process.kill(record.state.pid, signal);
    tellContainer(host, record, "kill", { signal: String(signal) });
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error;
  }
  if (host.records.get(record.id)?.state.status === "paused") await unpauseContainer(host, record.id).catch(() => undefined);
}

/** INVALID_SIGNAL in Docker's words. */
export function parseSignal(text: string, nameOrId: string): number {
  const number = signalNumber(text);
  if (number !== undefined) return number;
  const outOfRange = /^\d+$/.test(text) && Number(text) !== 0;
  throw cannotKill(nameOrId, outOfRange ? `the linux daemon does not support signal ${text}` : `invalid signal: ${text}`, "invalid_argument");
}
