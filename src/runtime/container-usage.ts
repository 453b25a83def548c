/** What a container uses now: from its control groups, or where it has none, summed over its processes. */
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import { containerCgroup, type ContainerCgroup } from "./container-cgroup.ts";
import { containerPids } from "./container-processes.ts";
import type { ContainerRecord } from "./container-records.ts";

export interface ContainerUsage {
  /** processor time since the container's start */
  readonly cpuNs: bigint;
  /** processor time of the whole machine since its start, busy or not, over all processors */
  readonly machineNs: bigint;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly processes: number;
}

/** USER_HZ, which Linux shows as 100 on every architecture that Node runs on. */
const nsPerTick = 10_000_000n;

export function containerUsage(record: ContainerRecord): ContainerUsage {
  const pids = containerPids(record);
  const group = containerCgroup(record);
  const own = group === undefined ? usageOfProcesses(pids) : group.version === 1 ? usageOfVersion1(group) : usageOfVersion2(group);
  return { machineNs: machineTime(), ...own, ...traffic(record) };
}

type Measured = Omit<ContainerUsage, "machineNs" | "receivedBytes" | "sentBytes">;

function usageOfVersion1({ directory }: ContainerCgroup): Measured {
  const memory = (name: string): number => Number(readText(`${directory("memory")}/${name}`));
  const inactive = valueOf(readText(`${directory("memory")}/memory.stat`), "total_inactive_file");
  const blocks = readText(`${directory("blkio")}/blkio.throttle.io_service_bytes`);
  return {
    cpuNs: integer(readText(`${directory("cpuacct")}/cpuacct.usage`)),
    memoryBytes: Math.max(0, memory("memory.usage_in_bytes") - inactive),
    memoryLimitBytes: Math.min(memory("memory.limit_in_bytes") || totalmem(), totalmem()),
    readBytes: sumOf(blocks, /^\S+ Read (\d+)$/gm),
    writtenBytes: sumOf(blocks, /^\S+ Write (\d+)$/gm),
    processes: Number(readText(`${directory("pids")}/pids.current`)),
  };
}

function usageOfVersion2({ directory }: ContainerCgroup): Measured {
  const file = (name: string): string => readText(`${directory("")}/${name}`);
  const limit = file("memory.max").trim();
  const blocks = file("io.stat");
  return {
    cpuNs: BigInt(valueOf(file("cpu.stat"), "usage_usec")) * 1000n,
    memoryBytes: Math.max(0, Number(file("memory.current")) - valueOf(file("memory.stat"), "inactive_file")),
    memoryLimitBytes: /^\d+$/.test(limit) ? Math.min(Number(limit), totalmem()) : totalmem(),
    readBytes: sumOf(blocks, /\brbytes=(\d+)/g),
    writtenBytes: sumOf(blocks, /\bwbytes=(\d+)/g),
    processes: Number(file("pids.current")),
  };
}

function usageOfProcesses(pids: readonly number[]): Measured {
  const sum = (read: (pid: number) => number): number => pids.reduce((total, pid) => total + read(pid), 0);
  const io = (pid: number, name: string): number => valueOf(readText(`/proc/${pid}/io`).replaceAll(":", ""), name);
  return {
    cpuNs: pids.reduce((total, pid) => total + ticksOf(pid) * nsPerTick, 0n),
    memoryBytes: sum((pid) => valueOf(readText(`/proc/${pid}/status`).replaceAll(":", ""), "RssAnon") * 1024),
    memoryLimitBytes: totalmem(),
    readBytes: sum((pid) => io(pid, "read_bytes")),
    writtenBytes: sum((pid) => io(pid, "write_bytes")),
    processes: pids.length,
  };
}

/** Fields 14 and 15 of /proc/PID/stat. */
function ticksOf(pid: number): bigint {
  const stat = readText(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return integer(fields[11] ?? "") + integer(fields[12] ?? "");
}

function machineTime(): bigint {
  const [, ...ticks] = (readText("/proc/stat").split("\n", 1)[0] ?? "").split(/\s+/);
  // the last two are counted in the first two already
  return ticks.slice(0, 8).reduce((total, value) => total + integer(value), 0n) * nsPerTick;
}

/** Of its network namespace, loopback left out; nothing where it has the machine's or another container's. */
function traffic({ state, config }: ContainerRecord): Pick<ContainerUsage, "receivedBytes" | "sentBytes"> {
  let [receivedBytes, sentBytes] = [0, 0];
  if (state.pid !== 0 && config.networkMode !== "host" && config.networkMode !== "joined") {
    for (const line of readText(`/proc/${state.pid}/net/dev`).split("\n").slice(2)) {
      const [name = "", numbers = ""] = line.split(":");
      if (name.trim() === "lo") continue;
      const fields = numbers.trim().split(/\s+/).map(Number);
      receivedBytes += fields[0] ?? 0;
      sentBytes += fields[8] ?? 0;
    }
  }
  return { receivedBytes, sentBytes };
}

function valueOf(text: string, name: string): number {
  return Number(new RegExp(`^${name}\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
}

function sumOf(text: string, pattern: RegExp): number {
  return [...text.matchAll(pattern)].reduce((total, match) => total + Number(match[1]), 0);
}

function integer(text: string): bigint {
  return /^\s*\d+\s*$/.test(text) ? BigInt(text.trim()) : 0n;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
