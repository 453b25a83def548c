/** The benchmark's arithmetic: a ratio that lies would be worse than none. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTable, median, summarize } from "../bench/figures.ts";

const medians: readonly { readonly name: string; readonly values: readonly number[]; readonly want: number }[] = [
  { name: "odd", values: [3, 1, 2], want: 2 },
  { name: "even", values: [4, 1, 2, 3], want: 2.5 },
  { name: "one", values: [7], want: 7 },
  { name: "an outlier does not count", values: [1, 1, 1000], want: 1 },
];
for (const { name, values, want } of medians) test(`median: ${name}`, () => assert.equal(median(values), want));

test("ratios are Slipway's time by the other's, and the table shows them", () => {
  const rows = summarize([
    { case: "a", description: "", contestant: "slipway", timesMs: [50, 60, 40] },
    { case: "a", description: "", contestant: "docker", timesMs: [100, 100, 90] },
  ]);
  assert.deepEqual(rows[0]?.ratio, { docker: 0.5 });
  assert.equal(
    formatTable(rows, ["slipway", "docker"]),
    "| case | slipway ms | docker ms | slipway/docker |\n|------|-----------:|----------:|---------------:|\n| a    |         50 |       100 |           0.50 |",
  );
});
