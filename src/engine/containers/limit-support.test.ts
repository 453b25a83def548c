import assert from "node:assert/strict";
import { test } from "node:test";
import type { ResourceLimits } from "../../runtime/spec-options.ts";
import { supportedLimits } from "./limit-support.ts";

const all = { blockWeight: true, swappiness: true, oomKillDisable: true };
const asked: ResourceLimits = {
  memoryBytes: 1 << 30,
  memorySwappiness: 10,
  oomKillDisable: true,
  block: { weight: 300, weightDevices: [{ path: "/dev/x", weight: 200 }], readBps: [{ path: "/dev/x", rate: 1 }] },
};

const cases: readonly {
  readonly name: string;
  readonly support: Partial<typeof all>;
  readonly want: Partial<ResourceLimits>;
  readonly said: readonly string[];
}[] = [
  { name: "all is there", support: {}, want: asked, said: [] },
  {
    name: "no weights",
    support: { blockWeight: false },
    want: { ...asked, block: { readBps: [{ path: "/dev/x", rate: 1 }] } },
    said: [
      "Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.",
      "Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.",
    ],
  },
  {
    name: "version 2",
    support: { swappiness: false, oomKillDisable: false },
    want: { memoryBytes: 1 << 30, block: asked.block ?? {} },
    said: [
      "Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.",
      "Your kernel does not support OomKillDisable. OomKillDisable discarded.",
    ],
  },
];

for (const { name, support, want, said } of cases) {
  test(`limits on a machine where ${name}`, () => {
    const told: string[] = [];
    assert.deepEqual(
      supportedLimits(asked, { ...all, ...support }, (message) => told.push(message)),
      want,
    );
    assert.deepEqual(told, said);
  });
}

test("no killer and no limit is a danger", () => {
  const told: string[] = [];
  supportedLimits({ oomKillDisable: true }, all, (message) => told.push(message));
  assert.deepEqual(told, ["OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources."]);
});
