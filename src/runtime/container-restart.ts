/** Restart policies: what the process that a container's monitor leaves behind does when the container ended. */
import { setTimeout as sleep } from "node:timers/promises";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import type { ContainerHost } from "./container-host.ts";
import { withContainerLock } from "./container-lock.ts";
import type { ContainerRecord, RestartPolicy } from "./container-records.ts";
import { startContainer } from "./container-start.ts";
import { containerState } from "./container-state.ts";
import { startTimeTicks } from "./death-watch.ts";

const firstDelayMs = 100;
const longestDelayMs = 60_000;
/** a run that lasted so long was a good one */
const goodRunMs = 10_000;

/** Pure. */
export function wantsRestart(
  policy: RestartPolicy | undefined,
  end: { readonly exitCode: number; readonly stopAsked: boolean; readonly restarts: number },
): boolean {
  if (policy === undefined || policy.name === "no" || end.stopAsked) return false;
  if (policy.name !== "on-failure") return true;
  return end.exitCode !== 0 && (policy.maximumRetryCount === 0 || end.restarts < policy.maximumRetryCount);
}

/**
 * Whether a container that has run before and does not run now belongs to those that are started with the machine. `always` means also one that
 * was stopped by hand. Pure.
 */
export function wantsStartWithMachine(policy: RestartPolicy | undefined, end: Parameters<typeof wantsRestart>[1]): boolean {
  return policy?.name === "always" || wantsRestart(policy, end);
}

/** Doubles from run to run, and begins anew after a good one. Pure. */
export function nextDelayMs(formerMs: number | undefined, runMs: number): number {
  if (formerMs === undefined || runMs >= goodRunMs) return firstDelayMs;
  return Math.min(formerMs * 2, longestDelayMs);
}

/** Starts the container again if its policy wants it; resolves when it runs, or is not to. A stop in the meantime is heeded. */
export async function restartByPolicy(host: ContainerHost, id: string): Promise<void> {
  const delayMs = await noteRestart(host, id);
  if (delayMs === undefined) return;
  await sleep(delayMs);
  try {
    await startContainer(host, id, { byPolicy: true });
  } catch (error) {
    // the record has why
    if (!isSlipwayError(error)) throw error;
  }
}

/** The delay, or undefined when the container stays as it is. */
async function noteRestart(host: ContainerHost, id: string): Promise<number | undefined> {
  const first = host.records.get(id);
  if (first === undefined) return undefined;
  return await withContainerLock(first.paths.directory, async () => {
    const record = host.records.get(id);
    if (record === undefined) return undefined;
    const state = containerState(host, record);
    const end = { exitCode: state.exitCode, stopAsked: record.stopAsked === true, restarts: record.restarts?.count ?? 0 };
    if (state.status !== "exited" || !wantsRestart(record.config.restartPolicy, end)) return undefined;
    const delayMs = nextDelayMs(record.restarts?.delayMs, Date.parse(state.finishedAt) - Date.parse(state.startedAt));
    const restarts: ContainerRecord["restarts"] = { count: end.restarts + 1, delayMs, pid: process.pid, startTimeTicks: startTimeTicks(process.pid) ?? "" };
    host.records.update({ ...record, restarts, state: { ...state, status: "restarting" } });
    return delayMs;
  });
}

/** From now on no policy starts it again, until somebody does. One that waits for its next start is ended. */
export function noteStopAsked(host: ContainerHost, id: string): void {
  const record = host.records.get(id);
  if (record === undefined) return;
  const state = record.state.status === "restarting" ? { ...record.state, status: "exited" as const } : record.state;
  host.records.update({ ...record, state, stopAsked: true });
}

export interface PolicyStart {
  readonly record: ContainerRecord;
  /** why it could not be started; the record has it too */
  readonly failure?: SlipwayError;
}

/** Starts what its policy wants and does not run, oldest first: after a boot, or after monitors were killed. `admit` fails for what is not to be started. */
export async function* startByPolicies(host: ContainerHost, admit: (record: ContainerRecord) => Promise<void> = async () => {}): AsyncGenerator<PolicyStart> {
  for (const { id } of host.records.list().toReversed()) {
    const record = host.records.get(id);
    if (record === undefined || !waitsForMachine(host, record)) continue;
    try {
      await admit(record);
      await startContainer(host, id);
      yield { record };
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
      yield { record, failure: error };
    }
  }
}

function waitsForMachine(host: ContainerHost, record: ContainerRecord): boolean {
  const { status, exitCode } = containerState(host, record);
  const end = { exitCode, stopAsked: record.stopAsked === true, restarts: record.restarts?.count ?? 0 };
  return status === "exited" && wantsStartWithMachine(record.config.restartPolicy, end);
}
