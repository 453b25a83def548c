import assert from "node:assert/strict";
import { test } from "node:test";
import { goDuration, parseResult, probeOf } from "./health-checks.ts";

test("what a container runs to see whether it is well", () => {
  assert.deepEqual(probeOf({ Test: ["CMD", "curl", "-f", "localhost"] }, undefined), ["curl", "-f", "localhost"]);
  assert.deepEqual(probeOf({ Test: ["CMD-SHELL", "exit 1"] }, undefined), ["/bin/sh", "-c", "exit 1"]);
  assert.deepEqual(probeOf({ Test: ["CMD-SHELL", "exit 1"] }, ["/bin/bash", "-ec"]), ["/bin/bash", "-ec", "exit 1"]);
  for (const check of [undefined, {}, { Test: [] }, { Test: ["NONE"] }, { Test: ["CMD"] }]) assert.equal(probeOf(check, undefined), undefined);
});

test("what a check left", () => {
  assert.deepEqual(parseResult("a b 3\nbad\n", {}), { start: "a", end: "b", exitCode: 3, output: "bad\n" });
  assert.deepEqual(parseResult("a b late\n", { Timeout: 1.5e9 }), { start: "a", end: "b", exitCode: -1, output: "Health check exceeded timeout (1.5s)" });
  assert.equal(parseResult("a b late\nslow\n", {}).output, "Health check exceeded timeout (30s): slow\n");
  assert.equal(parseResult(`a b 0\n${"x".repeat(5000)}`, {}).output, `${"x".repeat(4096)}...`);
});

test("durations as Go writes them", () => {
  assert.deepEqual([5e5, 1e9, 1.5e9, 90e9, 3600e9].map(goDuration), ["0.5ms", "1s", "1.5s", "1m30s", "1h0m0s"]);
});
