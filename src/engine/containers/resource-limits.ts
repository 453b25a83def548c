/** `--memory`, `--cpus` and their kin as what the control groups are told, with Docker's checks. Pure but for the machine's processors. */
import { availableParallelism } from "node:os";
import { SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { ResourceLimits } from "../../runtime/spec-options.ts";
import type { LimitOptions } from "../container-api.ts";

const minimumMemoryBytes = 6 << 20;
const defaultPeriodUs = 100_000;

function refuse(message: string): never {
  throw new SlipwayError("invalid_argument", "INVALID_LIMIT", printable(message));
}

/** Fails with INVALID_LIMIT (invalid_argument) in Docker's words. `processors`: how many this machine has. */
export function limitsFrom(options: LimitOptions, processors: number = availableParallelism()): ResourceLimits {
  return { ...memoryLimits(options), ...cpuLimits(options, processors), ...pidsLimit(options), ...furtherLimits(options) };
}

function furtherLimits({ block, memorySwappiness = -1, oomKillDisable, realtimePeriodUs = 0, realtimeRuntimeUs = 0 }: LimitOptions): ResourceLimits {
  if (memorySwappiness < -1 || memorySwappiness > 100) refuse(`invalid value: ${memorySwappiness}. Valid memory swappiness range is 0-100`);
  if (realtimePeriodUs !== 0 && realtimeRuntimeUs > realtimePeriodUs) refuse("cpu real-time runtime cannot be higher than cpu real-time period");
  return {
    ...(block === undefined ? {} : { block }),
    ...(memorySwappiness === -1 ? {} : { memorySwappiness }),
    ...(oomKillDisable === true ? { oomKillDisable } : {}),
    ...(realtimePeriodUs === 0 ? {} : { realtimePeriodUs }),
    ...(realtimeRuntimeUs === 0 ? {} : { realtimeRuntimeUs }),
  };
}

function memoryLimits({ memoryBytes = 0, memorySwapBytes = 0, memoryReservationBytes = 0 }: LimitOptions): ResourceLimits {
  if (memoryBytes > 0 && memoryBytes < minimumMemoryBytes) refuse("Minimum memory limit allowed is 6MB");
  if (memorySwapBytes > 0 && memorySwapBytes < memoryBytes) refuse("Minimum memoryswap limit should be larger than memory limit, see usage");
  if (memorySwapBytes > 0 && memoryBytes === 0) refuse("You should always set the Memory limit when using Memoryswap limit, see usage");
  if (memoryReservationBytes > 0 && memoryReservationBytes < minimumMemoryBytes) refuse("Minimum memory reservation allowed is 6MB");
  if (memoryBytes > 0 && memoryBytes < memoryReservationBytes) refuse("Minimum memory limit can not be less than memory reservation limit, see usage");
  return {
    ...(memoryBytes > 0 ? { memoryBytes, memorySwapBytes: memorySwapBytes === 0 ? 2 * memoryBytes : memorySwapBytes } : {}),
    ...(memoryReservationBytes > 0 ? { memoryReservationBytes } : {}),
  };
}

function cpuLimits(options: LimitOptions, processors: number): ResourceLimits {
  const { cpus = 0, cpuPeriodUs = 0, cpuQuotaUs = 0, cpuShares = 0, cpusetCpus = "", cpusetMems = "" } = options;
  if (cpus !== 0) {
    if (cpuPeriodUs > 0) refuse("Conflicting options: Nano CPUs and CPU Period cannot both be set");
    if (cpuQuotaUs > 0) refuse("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
    if (cpus < 0 || cpus > processors) refuse(`range of CPUs is from 0.01 to ${processors.toFixed(2)}, as there are only ${processors} CPUs available`);
  }
  if (cpuPeriodUs !== 0 && (cpuPeriodUs < 1000 || cpuPeriodUs > 1_000_000))
    refuse("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  if (cpuQuotaUs > 0 && cpuQuotaUs < 1000) refuse("CPU cfs quota can not be less than 1ms (i.e. 1000)");
  if (cpuShares < 0) refuse(`invalid CPU shares (${cpuShares}): value must be a positive integer`);
  for (const [what, list] of [
    ["cpus", cpusetCpus],
    ["mems", cpusetMems],
  ]) {
    const wrong = list?.split(",").find((part) => part !== "" && !/^\d+(-\d+)?$/.test(part));
    if (wrong !== undefined) refuse(`Invalid value ${list} for cpuset ${what}: invalid format: ${wrong}`);
  }
  const lastCpu = Math.max(0, ...(cpusetCpus.match(/\d+/g) ?? []).map(Number));
  if (lastCpu >= processors) refuse(`Requested CPUs are not available - requested ${cpusetCpus}, available: 0${processors > 1 ? `-${processors - 1}` : ""}`);
  return {
    ...(cpus > 0 ? { nanoCpus: Math.round(cpus * 1e9), cpuPeriodUs: defaultPeriodUs, cpuQuotaUs: Math.round(cpus * defaultPeriodUs) } : {}),
    ...(cpuPeriodUs > 0 ? { cpuPeriodUs } : {}),
    ...(cpuQuotaUs !== 0 ? { cpuQuotaUs } : {}),
    ...(cpuShares > 0 ? { cpuShares } : {}),
    ...(cpusetCpus === "" ? {} : { cpusetCpus }),
    ...(cpusetMems === "" ? {} : { cpusetMems }),
  };
}

/** 0 and -1 mean none. */
function pidsLimit({ pidsLimit: limit = 0 }: LimitOptions): ResourceLimits {
  return limit > 0 ? { pidsLimit: limit } : {};
}
