/** `update`: what of a container's configuration may change while it is there. */
import { SlipwayError } from "../../base/errors.ts";
import type { ContainerHost } from "../../runtime/container-host.ts";
import type { ContainerConfig } from "../../runtime/container-records.ts";
import { updateContainer } from "../../runtime/container-update.ts";
import type { ResourceLimits } from "../../runtime/spec-options.ts";
import type { UpdateOptions } from "../container-api.ts";
import { machineLimitSupport, supportedLimits } from "./limit-support.ts";
import { limitsFrom } from "./resource-limits.ts";
import { parseRestartPolicy } from "./restart-policy.ts";

/** Answers what this machine has no means for. */
export async function changeContainer(host: ContainerHost, id: string, options: UpdateOptions): Promise<readonly string[]> {
  const warnings: string[] = [];
  const fit: Fit = (limits) => supportedLimits(limits, machineLimitSupport(), (warning) => warnings.push(warning));
  await updateContainer(host, id, (config) => updatedConfig(config, options, id, fit));
  return warnings;
}

/** What the machine can hold of limits. */
export type Fit = (limits: ResourceLimits) => ResourceLimits;

/** Pure. INVALID_LIMIT, INVALID_RESTART_POLICY (invalid_argument) in Docker's words. */
export function updatedConfig(config: ContainerConfig, { limits = {}, restart }: UpdateOptions, id: string, fit: Fit): ContainerConfig {
  const restartPolicy = restart === undefined ? {} : { restartPolicy: parseRestartPolicy(restart) };
  if (restart !== undefined && restartPolicy.restartPolicy?.name !== "no" && config.removeOnExit)
    throw cannotUpdate(id, "Restart policy cannot be updated because AutoRemove is enabled for the container");
  return { ...config, ...restartPolicy, limits: mergedLimits(config.limits, limits, id, fit) };
}

function mergedLimits(before: ResourceLimits, change: NonNullable<UpdateOptions["limits"]>, id: string, fit: Fit): ResourceLimits {
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
  const asked = limitsFrom({
    ...change,
    ...(memory === undefined ? {} : { memoryBytes: memory }),
    ...(swap === undefined ? {} : { memorySwapBytes: swap }),
  });
  const checked = fit(asked);
  const weight = checked.block?.weight;
  if (weight !== undefined && (weight < 10 || weight > 1000))
    throw new SlipwayError("invalid_argument", "INVALID_LIMIT", "Range of blkio weight is from 10 to 1000", { got: weight });
  const pids = change.pidsLimit !== undefined && change.pidsLimit <= 0 ? { pidsLimit: -1 } : {};
  const block = checked.block === undefined ? {} : { block: { ...before.block, ...checked.block } };
  return { ...before, ...checked, ...pids, ...block };
}

function cannotUpdate(id: string, reason: string): SlipwayError {
  return new SlipwayError("conflict", "UPDATE_FAILED", `Cannot update container ${id}: ${reason}`, { id });
}
