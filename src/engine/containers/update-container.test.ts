import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import type { ContainerConfig } from "../../runtime/container-records.ts";
import { supportedLimits } from "./limit-support.ts";
import { updatedConfig } from "./update-container.ts";

const readBps = [{ path: "/dev/null", rate: 1000 }];
const config = { limits: { cpuShares: 5, block: { weight: 20, readBps } }, removeOnExit: false } as unknown as ContainerConfig;

test("a new weight of block I/O leaves the rates; what the machine has no means for is said and leaves the old one", () => {
  const support = { blockWeight: true, swappiness: true, oomKillDisable: true };
  const warnings: string[] = [];
  const after = (blockWeight: boolean, weight: number): ContainerConfig["limits"] =>
    updatedConfig(config, { limits: { block: { weight } } }, "id", (limits) =>
      supportedLimits(limits, { ...support, blockWeight }, (warning) => warnings.push(warning)),
    ).limits;
  assert.deepEqual(after(true, 300), { cpuShares: 5, block: { weight: 300, readBps } });
  assert.deepEqual(warnings, []);
  assert.deepEqual(after(false, 300), { cpuShares: 5, block: { weight: 20, readBps } });
  assert.deepEqual(warnings, ["Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded."]);
  assert.throws(
    () => after(true, 5),
    (error) => isSlipwayError(error, "INVALID_LIMIT"),
  );
});

test("the real-time share of a processor", () => {
  const limits = { realtimePeriodUs: 1000, realtimeRuntimeUs: 200 };
  assert.deepEqual(updatedConfig(config, { limits }, "id", (asked) => asked).limits, { ...config.limits, ...limits });
});
