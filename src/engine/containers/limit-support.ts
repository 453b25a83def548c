/** Limits that this machine's kernel has no means for are discarded, with Docker's warnings. */
import { existsSync } from "node:fs";
import { cgroupKind } from "../../runtime/cgroups.ts";
import type { ResourceLimits } from "../../runtime/spec-options.ts";

export interface LimitSupport {
  readonly blockWeight: boolean;
  readonly swappiness: boolean;
  readonly oomKillDisable: boolean;
}

export function machineLimitSupport(): LimitSupport {
  const kind = cgroupKind();
  const has = (file: string): boolean => existsSync(`/sys/fs/cgroup/${file}`);
  // version 2 has weights wherever it has the controller, and neither of the others; without groups the start says that all limits are discarded
  if (kind === "v2" || kind === "none") return { blockWeight: true, swappiness: kind === "none", oomKillDisable: kind === "none" };
  return {
    blockWeight: has("blkio/blkio.weight") || has("blkio/blkio.bfq.weight"),
    swappiness: has("memory/memory.swappiness"),
    oomKillDisable: has("memory/memory.oom_control"),
  };
}

/** Pure. */
export function supportedLimits(limits: ResourceLimits, support: LimitSupport, warn: (message: string) => void): ResourceLimits {
  const { block, memorySwappiness, oomKillDisable, ...rest } = limits;
  const lacks = (what: string): void => warn(`Your kernel does not support ${what}`);
  if (oomKillDisable === true && limits.memoryBytes === undefined)
    warn("OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.");
  if (memorySwappiness !== undefined && !support.swappiness) lacks("memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.");
  if (oomKillDisable === true && !support.oomKillDisable) lacks("OomKillDisable. OomKillDisable discarded.");
  return {
    ...rest,
    ...(memorySwappiness !== undefined && support.swappiness ? { memorySwappiness } : {}),
    ...(oomKillDisable === true && support.oomKillDisable ? { oomKillDisable } : {}),
    ...(block === undefined ? {} : { block: support.blockWeight ? block : withoutWeights(block, lacks) }),
  };
}

function withoutWeights(
  { weight, weightDevices = [], ...rates }: NonNullable<ResourceLimits["block"]>,
  lacks: (what: string) => void,
): NonNullable<ResourceLimits["block"]> {
  if (weight !== undefined) lacks("Block I/O weight or the cgroup is not mounted. Weight discarded.");
  if (weightDevices.length > 0) lacks("Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.");
  return rates;
}
