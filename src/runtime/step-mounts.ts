/** Where a step's mounts land, for whoever prepares the layers below it. Pure. */
import type { SpecOptions } from "./spec-options.ts";

/** A path of the root file system that the OCI runtime would have to create before it can mount there. */
export interface MountTarget {
  readonly path: string;
  readonly kind: "directory" | "file";
}

const base: readonly MountTarget[] = [
  { path: "/proc", kind: "directory" },
  { path: "/dev", kind: "directory" },
  { path: "/sys", kind: "directory" },
];

/**
 * In the order in which they are mounted; parents are not listed. With a stub for each in a layer of their own below the step's upper, the
 * upper holds nothing but what the step did. What lies below another mount is left out: it is never seen in the root file system.
 */
export function stepMountTargets(options: Pick<SpecOptions, "mounts">): readonly MountTarget[] {
  const own = (options.mounts ?? []).map((mount): MountTarget => ({
    path: mount.destination,
    kind: mount.kind === "bind" && mount.sourceKind === "file" ? "file" : "directory",
  }));
  const targets = [...base, ...own.filter(({ path }) => !base.some((known) => known.path === path))];
  return targets.filter(({ path }, index) => !targets.slice(0, index).some((earlier) => path.startsWith(`${earlier.path.replace(/\/$/, "")}/`)));
}
