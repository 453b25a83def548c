/** Where a container's control groups lie, where it has some. */
import { existsSync } from "node:fs";
import { cgroupKind } from "./cgroups.ts";
import type { ContainerRecord } from "./container-records.ts";

export interface ContainerCgroup {
  readonly version: 1 | 2;
  /** of a controller; with version 2 all are the same directory */
  readonly directory: (controller: string) => string;
  /** names the container's processes */
  readonly processes: string;
}

/** As the OCI configuration names it, below each hierarchy. */
export function cgroupPath({ id, config }: Pick<ContainerRecord, "id" | "config">): string {
  return `${config.cgroupParent ?? "/slipway"}/${id}`;
}

/** Undefined where the container runs without a control group of its own. */
export function containerCgroup(record: Pick<ContainerRecord, "id" | "config">): ContainerCgroup | undefined {
  const kind = cgroupKind();
  if (kind === "none") return undefined;
  const directory = (controller: string): string => `/sys/fs/cgroup${kind === "v2" ? "" : `/${controller}`}${cgroupPath(record)}`;
  if (!existsSync(directory("pids"))) return undefined;
  return { version: kind === "v2" ? 2 : 1, directory, processes: `${directory("pids")}/cgroup.procs` };
}
