/** A container's processes are held, or go on: by its control group, or by signals where it has none. What its record says is for others. */
import { constants } from "node:os";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { containerCgroup } from "./container-cgroup.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { containerPids } from "./container-processes.ts";
import type { ContainerRecord } from "./container-records.ts";

/** PAUSE_FAILED (unavailable): nothing is held then. */
export async function freeze(host: ContainerHost, record: ContainerRecord): Promise<void> {
  holdHealthChecks(host, record);
  if (containerCgroup(record) === undefined) stopProcesses(record);
  else await freezeGroup(host, record);
}

/** Also for one that is not held. Synchronous: whoever looks at a container may have to do it. PAUSE_FAILED (unavailable). */
export function thaw(host: Pick<ContainerHost, "runDirectory">, record: ContainerRecord): void {
  const switched = thawSwitch(record);
  if (switched === undefined) for (const pid of containerPids(record)) signal(pid, constants.signals.SIGCONT);
  else writeSwitch(record, switched);
  rmSync(heldFile(host, record), { force: true });
}

/** The same as a shell line, for what follows a process that dies: the processes are those of now. */
export function thawCommand(host: Pick<ContainerHost, "runDirectory">, record: ContainerRecord): string {
  const switched = thawSwitch(record);
  const go = switched === undefined ? `kill -CONT ${containerPids(record).join(" ")}` : `echo ${switched.word} >'${switched.file}'`;
  return `{ ${go}; rm -f '${heldFile(host, record)}'; } 2>/dev/null`;
}

interface Switch {
  readonly file: string;
  readonly word: string;
}

/** @see cgroup-v1 freezer-subsystem.rst, cgroup-v2.rst */
function thawSwitch(record: ContainerRecord): Switch | undefined {
  const group = containerCgroup(record);
  if (group === undefined) return undefined;
  const directory = group.directory("freezer");
  return group.version === 1 ? { file: `${directory}/freezer.state`, word: "THAWED" } : { file: `${directory}/cgroup.freeze`, word: "0" };
}

function writeSwitch(record: ContainerRecord, { file, word }: Switch): void {
  try {
    writeFileSync(file, word);
  } catch (error) {
    // its processes have just ended
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENODEV") throw pauseFailed("resume", record, error);
  }
}

/** Nothing can be run in a container that is held. */
function holdHealthChecks(host: ContainerHost, record: ContainerRecord): void {
  if (existsSync(containerFiles(host, record).health)) writeFileSync(heldFile(host, record), "");
}

function heldFile(host: Pick<ContainerHost, "runDirectory">, record: ContainerRecord): string {
  return `${containerFiles(host, record).health}/held`;
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

/** The runtime waits until the whole group is frozen. */
async function freezeGroup(host: ContainerHost, record: ContainerRecord): Promise<void> {
  const [{ runtimeCall, runtimeOf }, { runProgram }] = await Promise.all([import("./oci-runtime.ts"), import("./run-program.ts")]);
  const call = runtimeCall(runtimeOf(record), { root: containerFiles(host, record).runtimeRoot, cgroups: true }, ["pause", record.id]);
  try {
    await runProgram(call.file, call.args);
  } catch (error) {
    thaw(host, record);
    throw pauseFailed("pause", record, error);
  }
}

function pauseFailed(command: "pause" | "resume", record: ContainerRecord, error: unknown): SlipwayError {
  const reason = error instanceof Error ? error.message : String(error);
  return new SlipwayError("unavailable", "PAUSE_FAILED", printable(`cannot ${command} container ${record.id}: ${reason}`), { id: record.id }, error);
}
