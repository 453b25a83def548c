/** The processes of a container: what its control group holds, or where it has none, those of its process namespace. */
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { containerCgroup } from "./container-cgroup.ts";
import type { ContainerRecord } from "./container-records.ts";

/** Pids as this process sees them, ascending. Empty when the container does not run. */
export function containerPids(record: ContainerRecord): readonly number[] {
  const file = containerCgroup(record)?.processes;
  const listed = file === undefined ? [] : (readText(file).match(/\d+/g) ?? []).map(Number);
  const pids = listed.length > 0 ? listed : pidsOfNamespace(record);
  return pids.toSorted((a, b) => a - b);
}

/** A container that shares another process namespace is known by descent from its first process. */
function pidsOfNamespace({ state, config }: ContainerRecord): readonly number[] {
  if (state.pid === 0) return [];
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  if (config.hostNamespaces?.includes("pid") === true || config.joins?.pid !== undefined) return descendants(state.pid, all);
  const own = namespaceOf(state.pid);
  return own === undefined ? [] : all.filter((pid) => namespaceOf(pid) === own);
}

function namespaceOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

function descendants(first: number, all: readonly number[]): readonly number[] {
  const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
  const found = new Set([first]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [pid, parent] of parents) if (parent !== undefined && found.has(parent)) found.add(pid);
  }
  return [...found];
}

function parentOf(pid: number): number | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  return stat === "" ? undefined : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
