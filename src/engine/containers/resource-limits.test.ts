import assert from "node:assert/strict";
import { test } from "node:test";
import type { LimitOptions } from "../container-api.ts";
import { limitsFrom } from "./resource-limits.ts";

const processors = 2;
const mega = 1 << 20;

const accepted: readonly (readonly [name: string, options: LimitOptions, want: object])[] = [
  ["none", {}, {}],
  ["memory: as much swap again", { memoryBytes: 64 * mega }, { memoryBytes: 64 * mega, memorySwapBytes: 128 * mega }],
  ["memory without a limit of swap", { memoryBytes: 64 * mega, memorySwapBytes: -1 }, { memoryBytes: 64 * mega, memorySwapBytes: -1 }],
  ["a part of a processor", { cpus: 0.5 }, { nanoCpus: 500_000_000, cpuPeriodUs: 100_000, cpuQuotaUs: 50_000 }],
  ["period, quota, weight", { cpuPeriodUs: 50_000, cpuQuotaUs: 25_000, cpuShares: 512 }, { cpuPeriodUs: 50_000, cpuQuotaUs: 25_000, cpuShares: 512 }],
  ["sets", { cpusetCpus: "0-1", cpusetMems: "0" }, { cpusetCpus: "0-1", cpusetMems: "0" }],
  ["processes", { pidsLimit: 50 }, { pidsLimit: 50 }],
  ["processes without a limit", { pidsLimit: -1 }, {}],
];
for (const [name, options, want] of accepted) test(`limits: ${name}`, () => assert.deepEqual(limitsFrom(options, processors), want));

/** Docker's words, recorded. */
const refused: readonly (readonly [options: LimitOptions, message: string])[] = [
  [{ memoryBytes: mega }, "Minimum memory limit allowed is 6MB"],
  [{ memoryBytes: 64 * mega, memorySwapBytes: 32 * mega }, "Minimum memoryswap limit should be larger than memory limit, see usage"],
  [{ memorySwapBytes: 64 * mega }, "You should always set the Memory limit when using Memoryswap limit, see usage"],
  [{ memoryBytes: 64 * mega, memoryReservationBytes: 128 * mega }, "Minimum memory limit can not be less than memory reservation limit, see usage"],
  [{ cpus: 0.5, cpuPeriodUs: 1000 }, "Conflicting options: Nano CPUs and CPU Period cannot both be set"],
  [{ cpus: 100 }, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"],
  [{ cpuPeriodUs: 10 }, "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)"],
  [{ cpuQuotaUs: 10 }, "CPU cfs quota can not be less than 1ms (i.e. 1000)"],
  [{ cpuShares: -1 }, "invalid CPU shares (-1): value must be a positive integer"],
  [{ cpusetCpus: "9" }, "Requested CPUs are not available - requested 9, available: 0-1"],
  [{ cpusetCpus: "x" }, "Invalid value x for cpuset cpus: invalid format: x"],
];
for (const [options, message] of refused) {
  test(`limits refused: ${message}`, () => assert.throws(() => limitsFrom(options, processors), { code: "INVALID_LIMIT", message }));
}
