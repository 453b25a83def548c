/** What is true about a container now, whatever its record says: processes die by kill -9, and machines are switched off. */
import { readFileSync, statSync } from "node:fs";
import { isSlipwayError } from "../base/errors.ts";
import { bootId } from "./boot-id.ts";
import { readPidFile } from "./conmon.ts";
import { containerFiles, type ContainerFiles, type ContainerHost } from "./container-host.ts";
import { tellContainer, tellEnd } from "./container-events.ts";
import { thaw } from "./container-freeze.ts";
import { tryContainerLock } from "./container-lock.ts";
import type { ContainerRecord, ContainerState } from "./container-records.ts";
import { isUp } from "./container-status.ts";
import { isAlive, noProcess, wroteItself } from "./live-process.ts";

/** The exit code of a container whose end nobody saw. */
const lostExitCode = 255;

/** The truth; written back to the record when it changed. What was held by a process that died goes on. */
export function containerState(host: ContainerHost, record: ContainerRecord): ContainerState {
  const state = currentState(host, record);
  if (isHeldByDead(state)) return endHold(host, record, state);
  if (state !== record.state) noteState(host, record, state);
  if (isUp(record.state) && !isUp(state)) tellEnd(host, record, state);
  return state;
}

function isHeldByDead({ status, holder }: ContainerState): boolean {
  return status === "paused" && holder !== undefined && !isAlive(holder);
}

/** Whoever has the container's lock just now comes here too, or has been here: between two looks it may be held anew, by another. */
function endHold(host: ContainerHost, record: ContainerRecord, { holder: _holder, ...held }: ContainerState): ContainerState {
  const going: ContainerState = { ...held, status: "running" };
  using lock = tryContainerLock(record.paths.directory);
  if (lock === undefined) return going;
  const now = host.records.get(record.id);
  if (now === undefined || !isHeldByDead(now.state)) return now?.state ?? going;
  thaw(host, now);
  noteState(host, now, going);
  tellContainer(host, now, "unpause");
  return going;
}

/** What was read is old when the container was removed or started again since. */
function noteState(host: ContainerHost, record: ContainerRecord, state: ContainerState): void {
  const now = host.records.get(record.id);
  if (now === undefined || now.state.status !== record.state.status || now.state.startedAt !== record.state.startedAt) return;
  try {
    host.records.update({ ...now, state });
  } catch (error) {
    if (!isSlipwayError(error, "CONTAINER_NOT_FOUND")) throw error;
  }
}

/** Changes nothing. The same object as in the record when nothing changed. */
export function currentState(host: Pick<ContainerHost, "runDirectory">, record: ContainerRecord): ContainerState {
  const { state } = record;
  const sameBoot = state.bootId === undefined || state.bootId === bootId();
  if (state.status === "restarting" && !(sameBoot && isAlive(record.restarts ?? noProcess))) return { ...state, status: "exited" };
  if (!isUp(state)) return state;
  const files = containerFiles(host, record);
  const early = readExit(files);
  // between the process's end and the monitor's word the container counts as running
  if (early === undefined && sameBoot && (isAlive(state) || isMonitored(files))) return state;
  // the monitor may have said it, and ended, since the first look
  const { exitCode, finishedAt } = early ?? readExit(files) ?? { exitCode: lostExitCode, finishedAt: new Date().toISOString() };
  return { ...state, status: "exited", pid: 0, startTimeTicks: "", exitCode, finishedAt, oomKilled: exists(files.oomFile) };
}

/** Whether the container's conmon lives. */
export function isMonitored(files: Pick<ContainerFiles, "conmonPid">): boolean {
  const pid = readPidFile(files.conmonPid);
  return pid !== undefined && wroteItself(pid, files.conmonPid);
}

/**
 * Whether a run has ended and nobody is there to clear it away: the monitor was killed, or its exit command. `state`: what containerState()
 * said.
 */
export function isAbandoned(host: Pick<ContainerHost, "runDirectory">, record: ContainerRecord, state: ContainerState): boolean {
  if (state.status !== "exited") return false;
  const files = containerFiles(host, record);
  return !isMonitored(files) && (record.config.removeOnExit || exists(files.runToken));
}

/** What the monitor left; undefined while it has not. */
export function readExit(files: Pick<ContainerFiles, "exitFile">): { readonly exitCode: number; readonly finishedAt: string } | undefined {
  try {
    const text = readFileSync(files.exitFile, "utf8").trim();
    if (!/^-?\d+$/.test(text)) return undefined;
    return { exitCode: Number(text), finishedAt: statSync(files.exitFile).mtime.toISOString() };
  } catch {
    return undefined;
  }
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}
