/** Holds a container's processes and lets them go on: by its control group, or by signals where it has none. */
import { constants } from "node:os";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { containerCgroup } from "./container-cgroup.ts";
import { notRunning, requireContainer } from "./container-errors.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { withContainerLock } from "./container-lock.ts";
import { containerPids } from "./container-processes.ts";
import type { ContainerRecord, ContainerStatus } from "./container-records.ts";
import { containerState } from "./container-state.ts";
import { runtimeCall, runtimeOf } from "./oci-runtime.ts";
import { runProgram } from "./run-program.ts";

/** CONTAINER_NOT_FOUND, CONTAINER_NOT_RUNNING, CONTAINER_PAUSED (conflict) in Docker's words. */
export async function pauseContainer(host: ContainerHost, nameOrId: string): Promise<void> {
  await change(host, nameOrId, async (record, status) => {
    if (status === "paused") throw new SlipwayError("conflict", "CONTAINER_PAUSED", `Container ${record.id} is already paused`, { id: record.id });
    if (status !== "running") throw notRunning(record);
    holdHealthChecks(host, record, true);
    await freeze(host, record);
    return "paused";
  });
}

/** CONTAINER_NOT_FOUND, CONTAINER_NOT_PAUSED (conflict) in Docker's words. */
export async function unpauseContainer(host: ContainerHost, nameOrId: string): Promise<void> {
  await change(host, nameOrId, async (record, status) => {
    if (status !== "paused") throw new SlipwayError("conflict", "CONTAINER_NOT_PAUSED", `Container ${record.id} is not paused`, { id: record.id });
    await thaw(host, record);
    holdHealthChecks(host, record, false);
    return "running";
  });
}

type Change = (record: ContainerRecord, status: ContainerStatus) => Promise<ContainerStatus>;

async function change(host: ContainerHost, nameOrId: string, act: Change): Promise<void> {
  const { id, paths } = requireContainer(host.records, nameOrId);
  await withContainerLock(paths.directory, async () => {
    const record = requireContainer(host.records, id);
    const state = containerState(host, record);
    const status = await act(record, state.status);
    host.records.update({ ...record, state: { ...state, status } });
  });
}

/** Nothing can be run in a container that is held. */
function holdHealthChecks(host: ContainerHost, record: ContainerRecord, held: boolean): void {
  const { health } = containerFiles(host, record);
  if (!existsSync(health)) return;
  if (held) writeFileSync(`${health}/held`, "");
  else rmSync(`${health}/held`, { force: true });
}

async function freeze(host: ContainerHost, record: ContainerRecord): Promise<void> {
  if (containerCgroup(record) !== undefined) await callRuntime(host, record, "pause");
  else stopProcesses(record);
}

/** Also for one whose end was asked for: a frozen process takes no signal. */
export async function thaw(host: ContainerHost, record: ContainerRecord): Promise<void> {
  if (containerCgroup(record) !== undefined) await callRuntime(host, record, "resume");
  else for (const pid of containerPids(record)) signal(pid, constants.signals.SIGCONT);
}

/** Until one round finds nothing that still goes on: processes start others while they are stopped. */
function stopProcesses(record: ContainerRecord): void {
  for (let round = 0; round < 100; round++) {
    const going = containerPids(record).filter((pid) => !isHeld(pid));
    if (going.length === 0) return;
    for (const pid of going) signal(pid, constants.signals.SIGSTOP);
  }
}

function isHeld(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return /^[TtZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return true;
  }
}

function signal(pid: number, number: number): void {
  try {
    process.kill(pid, number);
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}

async function callRuntime(host: ContainerHost, record: ContainerRecord, command: "pause" | "resume"): Promise<void> {
  const call = runtimeCall(runtimeOf(record), { root: containerFiles(host, record).runtimeRoot, cgroups: true }, [command, record.id]);
  try {
    await runProgram(call.file, call.args);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SlipwayError("unavailable", "PAUSE_FAILED", printable(`cannot ${command} container ${record.id}: ${reason}`), { id: record.id }, error);
  }
}
