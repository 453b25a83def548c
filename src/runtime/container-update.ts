/** Other limits and another restart policy for a container that is there, running or not. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import { requireContainer } from "./container-errors.ts";
import { tellContainer } from "./container-events.ts";
import { containerFiles, type ContainerHost } from "./container-host.ts";
import { withContainerLock } from "./container-lock.ts";
import type { ContainerConfig, ContainerRecord } from "./container-records.ts";
import { containerState } from "./container-state.ts";
import { isUp } from "./container-status.ts";
import { runtimeCall, runtimeOf } from "./oci-runtime.ts";
import { runProgram } from "./run-program.ts";
import type { ResourceLimits } from "./spec-options.ts";

/**
 * `change` answers the whole new configuration. Fails with what it throws, CONTAINER_NOT_FOUND, LIMITS_UNAVAILABLE (failed_precondition) where
 * the machine lets no control group be written, UPDATE_FAILED with the runtime's words.
 */
export async function updateContainer(host: ContainerHost, nameOrId: string, change: (config: ContainerConfig) => ContainerConfig): Promise<void> {
  const { id, paths } = requireContainer(host.records, nameOrId);
  await withContainerLock(paths.directory, async () => {
    const record = requireContainer(host.records, id);
    const config = change(record.config);
    if (isUp(containerState(host, record)) && JSON.stringify(config.limits) !== JSON.stringify(record.config.limits))
      await setLimits(host, record, config.limits);
    host.records.update({ ...requireContainer(host.records, id), config });
    tellContainer(host, record, "update");
  });
}

async function setLimits(host: ContainerHost, record: ContainerRecord, limits: ResourceLimits): Promise<void> {
  const runtime = runtimeOf(record);
  if (!runtime.canLimit) {
    const message = `Cannot update container ${record.id}: control groups cannot be written here`;
    throw new SlipwayError("failed_precondition", "LIMITS_UNAVAILABLE", message, { id: record.id });
  }
  const call = runtimeCall(runtime, { root: containerFiles(host, record).runtimeRoot, cgroups: true }, ["update", ...limitFlags(limits), record.id]);
  try {
    await runProgram(call.file, call.args);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SlipwayError("failed_precondition", "UPDATE_FAILED", printable(`Cannot update container ${record.id}: ${reason}`), { id: record.id }, error);
  }
}

/** As crun and runc both take them. Pure. */
export function limitFlags(limits: ResourceLimits): readonly string[] {
  const flags: Readonly<Record<string, number | string | undefined>> = {
    memory: limits.memoryBytes,
    "memory-swap": limits.memorySwapBytes,
    "memory-reservation": limits.memoryReservationBytes,
    "cpu-period": limits.cpuPeriodUs,
    "cpu-quota": limits.cpuQuotaUs,
    "cpu-share": limits.cpuShares,
    "cpuset-cpus": limits.cpusetCpus,
    "cpuset-mems": limits.cpusetMems,
    "pids-limit": limits.pidsLimit,
    "blkio-weight": limits.block?.weight,
    "cpu-rt-period": limits.realtimePeriodUs,
    "cpu-rt-runtime": limits.realtimeRuntimeUs,
  };
  return Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
}
