/** Which control groups this machine has, and the few that we set up ourselves. */
import { accessSync, constants, existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { deviceLines, deviceRules } from "./device-rules.ts";

export type CgroupKind = "v1" | "hybrid" | "v2" | "none";

const root = "/sys/fs/cgroup";
const cgroup2Magic = 0x63677270;
const tmpfsMagic = 0x01021994;

let known: CgroupKind | undefined;

/** hybrid: controllers of version 1, and version 2 mounted at /sys/fs/cgroup/unified. As it was when first asked: we may cover that mount. */
export function cgroupKind(): CgroupKind {
  known ??= detectKind();
  return known;
}

function detectKind(): CgroupKind {
  const magic = fileSystemType(root);
  if (magic === cgroup2Magic) return "v2";
  if (magic !== tmpfsMagic || !existsSync(`${root}/devices`)) return "none";
  return fileSystemType(`${root}/unified`) === cgroup2Magic ? "hybrid" : "v1";
}

/** Whether a cgroup of our own can be made (needs root, and a hierarchy that is not mounted read-only). */
export function cgroupsWritable(kind: CgroupKind): boolean {
  if (kind === "none" || process.geteuid?.() !== 0 || insideUserNamespace()) return false;
  return isWritable(kind === "v2" ? root : `${root}/devices`);
}

export function cgroupControllers(kind: CgroupKind): string[] {
  if (kind === "v2") return readText(`${root}/cgroup.controllers`).trim().split(" ");
  return readText("/proc/cgroups")
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [name = "", , , enabled] = line.split("\t");
      return enabled === "1" ? [name] : [];
    });
}

/**
 * A device cgroup (version 1) that build steps share: joining one costs a write, where a cgroup for each step costs 8 ms.
 * Returns the file to which a process writes "0" to join, undefined where there is no such thing.
 */
export function sharedDeviceCgroup(kind: CgroupKind): string | undefined {
  if ((kind !== "v1" && kind !== "hybrid") || !cgroupsWritable(kind)) return undefined;
  const directory = `${root}/devices/slipway-steps`;
  try {
    if (!existsSync(directory)) createDeviceCgroup(directory);
    return `${directory}/cgroup.procs`;
  } catch {
    return undefined;
  }
}

function createDeviceCgroup(directory: string): void {
  mkdirSync(directory, { recursive: true });
  const [denyAll = "a *:* rwm", ...allowed] = deviceLines(deviceRules(false, []));
  writeFileSync(`${directory}/devices.deny`, denyAll);
  for (const line of allowed) writeFileSync(`${directory}/devices.allow`, line);
}

/** True also for a "root" that is an ordinary user outside. */
export function insideUserNamespace(): boolean {
  return !/^\s*0\s+0\s+4294967295\s*$/.test(readText("/proc/self/uid_map"));
}

function fileSystemType(path: string): number | undefined {
  try {
    return statfsSync(path).type;
  } catch {
    return undefined;
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
