/** `update`: what of a container's configuration may change while it is there. Pure. */
import { SlipwayError } from "../../base/errors.ts";
import type { ContainerConfig } from "../../runtime/container-records.ts";
import type { ResourceLimits } from "../../runtime/spec-options.ts";
import type { UpdateOptions } from "../container-api.ts";
import { limitsFrom } from "./resource-limits.ts";
import { parseRestartPolicy } from "./restart-policy.ts";

/** INVALID_LIMIT, INVALID_RESTART_POLICY (invalid_argument) in Docker's words. */
export function updatedConfig(config: ContainerConfig, { limits = {}, restart }: UpdateOptions, id: string): ContainerConfig {
  const restartPolicy = restart === undefined ? {} : { restartPolicy: parseRestartPolicy(restart) };
  if (restart !== undefined && restartPolicy.restartPolicy?.name !== "no" && config.removeOnExit)
    throw cannotUpdate(id, "Restart policy cannot be updated because AutoRemove is enabled for the container");
  return { ...config, ...restartPolicy, limits: mergedLimits(config.limits, limits, id) };
}

function mergedLimits(before: ResourceLimits, change: NonNullable<UpdateOptions["limits"]>, id: string): ResourceLimits {
  // what is wrong with the change itself comes first
  limitsFrom({ ...change, ...(change.memorySwapBytes === undefined ? {} : { memoryBytes: change.memoryBytes ?? before.memoryBytes ?? 0 }) });
  const memory = change.memoryBytes ?? before.memoryBytes;
  if (
    change.memorySwapBytes === undefined &&
    change.memoryBytes !== undefined &&
    change.memoryBytes > (before.memorySwapBytes ?? 0) &&
    before.memorySwapBytes !== -1
  )
    throw cannotUpdate(id, "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time");
  const swap = change.memorySwapBytes ?? before.memorySwapBytes;
  const checked = limitsFrom({
    ...change,
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(swap === undefined ? {} : { memorySwapBytes: swap }),
  });
  const pids = change.pidsLimit !== undefined && change.pidsLimit <= 0 ? { pidsLimit: -1 } : {};
  return { ...before, ...checked, ...pids };
}

function cannotUpdate(id: string, reason: string): SlipwayError {
  return new SlipwayError("conflict", "UPDATE_FAILED", `Cannot update container ${id}: ${reason}`, { id });
}
