import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Filters } from "../api.ts";
import { pruneImages } from "./prune.ts";
import { addContainer, addImage, openTestStore } from "./test-images.ts";

interface Case {
  readonly name: string;
  readonly all?: boolean;
  readonly filters?: Filters;
  /** contents of the layers of images that go, oldest last */
  readonly gone: readonly string[];
}

const cases: readonly Case[] = [
  { name: "dangling ones", gone: ["nameless"] },
  { name: "all that no container uses", all: true, gone: ["named", "nameless"] },
  { name: "dangling=false is all", filters: { dangling: ["false"] }, gone: ["named", "nameless"] },
  { name: "with a label", all: true, filters: { label: ["keep=no"] }, gone: ["named"] },
  { name: "without a label", all: true, filters: { "label!": ["keep=no"] }, gone: ["nameless"] },
  { name: "older than", all: true, filters: { until: ["2024-01-15T00:00:00Z"] }, gone: ["nameless"] },
  { name: "none fits", filters: { label: ["nope"] }, gone: [] },
];

describe("image prune", () => {
  for (const { name, all = false, filters = {}, gone } of cases) {
    test(name, async () => {
      using box = openTestStore();
      const { store } = box;
      const ids = new Map([
        ["nameless", addImage(store, { layers: ["nameless"], created: "2024-01-01T00:00:00Z" })],
        [
          "named",
          addImage(store, { layers: ["named"], names: ["docker.io/library/named:1"], created: "2024-02-01T00:00:00Z", config: { Labels: { keep: "no" } } }),
        ],
        ["used", addImage(store, { layers: ["used"], created: "2024-01-01T00:00:00Z" })],
      ]);
      addContainer(store, ids.get("used")!);
      const expected = gone.flatMap((key) => [{ untagged: key === "named" ? "named:1" : ids.get(key) }, { deleted: ids.get(key) }]);
      const would = await pruneImages(store, { all, filters, dryRun: true });
      assert.deepEqual(would.removed, expected);
      assert.equal(store.images.all().length, 3);
      const again = box.reopen();
      const did = await pruneImages(again, { all, filters });
      assert.deepEqual(did.removed, expected);
      assert.equal(did.reclaimedBytes, would.reclaimedBytes);
      assert.equal(did.reclaimedBytes > 0, gone.length > 0);
      assert.equal(again.images.all().length, 3 - gone.length);
    });
  }

  test("filters that mean nothing remove nothing", async () => {
    using box = openTestStore();
    addImage(box.store);
    for (const filters of [{ x: ["y"] }, { dangling: ["maybe"] }, { until: ["foo"] }]) {
      await assert.rejects(pruneImages(box.store, { all: true, filters }), { code: "INVALID_FILTER" });
    }
    assert.equal(box.store.images.all().length, 1);
  });
});
