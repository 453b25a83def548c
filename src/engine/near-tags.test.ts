import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { nearTags } from "./near-tags.ts";

describe("nearTags", () => {
  const table: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ["1.38", ["1.35", "1.36", "latest", "musl"], ["1.36", "1.35"]],
    ["alpin", ["alpine", "alpine3.20", "bookworm"], ["alpine", "alpine3.20"]],
    ["lates", ["latest", "late-night-snack"], ["latest"]],
    ["v2", ["1", "2", "v1"], ["v1", "2"]],
    ["x", ["latest", "1"], ["1"]],
    ["nothing-like-it", ["latest", "1"], []],
    ["1", ["x".repeat(1000)], []],
  ];
  for (const [wanted, tags, want] of table) test(wanted, () => assert.deepEqual(nearTags(wanted, tags, 5), want));
  test("no more than asked for", () =>
    assert.equal(
      nearTags(
        "1",
        Array.from({ length: 1000 }, (_, index) => `1.${index}`),
        5,
      ).length,
      5,
    ));
});
