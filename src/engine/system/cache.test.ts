import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { digestOf } from "../../oci/digest.ts";
import type { Store } from "../../store/index.ts";
import type { Filters } from "../api.ts";
import { addContainer, addImage, addLayer, openTestStore, testLayer, type TestStore } from "../images/test-images.ts";
import { enforceCacheCeiling } from "./cache-ceiling.ts";
import { diskUsage } from "./disk-usage.ts";
import { pruneCache } from "./prune-cache.ts";
import { pruneSystem } from "./system-prune.ts";

/** What is used in one millisecond has no order. */
function nextMillisecond(): void {
  for (const before = Date.now(); Date.now() === before;);
}

/** A finished step whose layer holds `content`. */
function addStep(store: Store, content: string): void {
  const diffId = addLayer(store, content);
  nextMillisecond();
  store.cache.put({
    key: digestOf(`step ${content}`),
    slot: content,
    description: `RUN make ${content}`,
    layers: [diffId],
    chain: [diffId],
    config: {},
    inputs: {},
    sizeBytes: content.length,
    createdMs: Date.now(),
  });
}

/** Steps a, b, c in this order of use; the layer of b belongs to an image too; one cache mount, used last. */
function filled(box: TestStore): Store {
  for (const content of ["a", "b", "c"]) addStep(box.store, content);
  addImage(box.store, { names: ["docker.io/library/b:1"], layers: ["b"] });
  nextMillisecond();
  using opened = box.store.cacheMounts.open("npm", "/root/.npm");
  writeFileSync(join(opened.path, "tarball"), Buffer.alloc(5000));
  return box.reopen();
}

function names(records: readonly { readonly description: string }[]): readonly string[] {
  return records.map(({ description }) => description.replace("RUN make ", "")).sort();
}

const layerBytes = testLayer("a").length;

describe("builder prune", () => {
  const cases: readonly {
    readonly name: string;
    readonly all?: boolean;
    readonly filters?: Filters;
    readonly keepBytes?: number;
    readonly minFreeBytes?: number;
    readonly reservedBytes?: number;
    readonly gone: readonly string[];
    readonly bytes: number;
  }[] = [
    { name: "what no image shares", gone: ["/root/.npm", "a", "c"], bytes: 5000 + 2 * layerBytes },
    { name: "all; an image keeps its layer", all: true, gone: ["/root/.npm", "a", "b", "c"], bytes: 5000 + 2 * layerBytes },
    { name: "not used for a while: none", filters: { until: ["1h"] }, gone: [], bytes: 0 },
    { name: "not used for no time: all", filters: { until: ["0s"] }, gone: ["/root/.npm", "a", "c"], bytes: 5000 + 2 * layerBytes },
    { name: "mounts only", filters: { type: ["exec.cachemount"] }, gone: ["/root/.npm"], bytes: 5000 },
    { name: "by description", filters: { description: ["make a"] }, gone: ["a"], bytes: layerBytes },
    { name: "by id", filters: { id: [digestOf("step c").slice(7, 20)] }, gone: ["c"], bytes: layerBytes },
    { name: "shared ones", all: true, filters: { shared: ["true"] }, gone: ["b"], bytes: 0 },
    { name: "enough room for everything", keepBytes: 1e6, gone: [], bytes: 0 },
    { name: "room for the mount only: oldest first", keepBytes: 5000, gone: ["a", "c"], bytes: 2 * layerBytes },
    { name: "more is reserved than may stay", keepBytes: 1, reservedBytes: 1e6, gone: [], bytes: 0 },
    { name: "the disk has room enough", minFreeBytes: 1, gone: [], bytes: 0 },
    { name: "the disk has too little room", minFreeBytes: Number.MAX_SAFE_INTEGER, gone: ["/root/.npm", "a", "c"], bytes: 5000 + 2 * layerBytes },
    { name: "room for one step less", keepBytes: 5000 + layerBytes, gone: ["a"], bytes: layerBytes },
  ];
  for (const { name, gone, bytes, ...options } of cases) {
    test(name, async () => {
      using box = openTestStore();
      const store = filled(box);
      const { removed, reclaimedBytes } = await pruneCache(store, options, Date.now() + 1);
      assert.deepEqual(names(removed), gone);
      assert.equal(reclaimedBytes, bytes);
      assert.equal(store.cache.all().length + store.cacheMounts.all().length, 4 - gone.length);
      assert.deepEqual(store.orphans(), []);
    });
  }

  test("filters that mean nothing remove nothing", async () => {
    using box = openTestStore();
    const store = filled(box);
    for (const filters of [{ x: ["y"] }, { until: ["foo"] }, { shared: ["perhaps"] }])
      await assert.rejects(pruneCache(store, { all: true, filters }), { code: "INVALID_FILTER" });
    assert.equal(store.cache.all().length, 3);
  });
});

describe("the ceiling", () => {
  test("oldest first, as much as is needed, and not again at once", () => {
    using box = openTestStore();
    const store = filled(box);
    assert.equal(enforceCacheCeiling(store, { ceilingBytes: 1e6 }), 0);
    assert.equal(enforceCacheCeiling(store, { ceilingBytes: 5000 }), 0);
    assert.equal(enforceCacheCeiling(store, { ceilingBytes: 5000 + layerBytes, intervalMs: 0 }), layerBytes);
    assert.deepEqual(names(store.cache.all()), ["b", "c"]);
    assert.equal(enforceCacheCeiling(store, { ceilingBytes: 0, intervalMs: 0 }), 5000 + layerBytes);
    assert.deepEqual(names(store.cache.all()), ["b"]);
  });

  test("what a live process holds stays on the disk", () => {
    using box = openTestStore();
    addStep(box.store, "held");
    assert.equal(enforceCacheCeiling(box.store, { ceilingBytes: 0, intervalMs: 0 }), 0);
    assert.equal(box.store.layers.has(digestOf(testLayer("held"))), true);
  });
});

test("disk usage: each layer once, what is in use is not reclaimable, nothing unexplained", async () => {
  using box = openTestStore();
  const store = filled(box);
  const used = addImage(store, { layers: ["b", "used"] });
  addContainer(store, used);
  mkdirSync(join(store.layout.volumes, "data"));
  writeFileSync(join(store.layout.volumes, "data", "file"), "12345");
  const usage = await diskUsage(store);
  assert.deepEqual(usage.images, { total: 2, active: 1, sizeBytes: 2 * layerBytes, reclaimableBytes: 0 });
  assert.deepEqual(usage.containers, { total: 1, active: 0, sizeBytes: 0, reclaimableBytes: 0 });
  assert.deepEqual(usage.volumes, { total: 1, active: 0, sizeBytes: 5, reclaimableBytes: 5 });
  assert.deepEqual(usage.cache, { total: 4, active: 0, sizeBytes: 5000 + 2 * layerBytes, reclaimableBytes: 5000 + 2 * layerBytes });
  assert.equal(usage.orphanBytes, 0);
  writeFileSync(join(store.layout.layers, "stray"), "123");
  assert.equal((await diskUsage(store)).orphanBytes, 3);
});

test("system prune: containers first, then what they used, then cache and strays", async () => {
  using box = openTestStore();
  const store = filled(box);
  const image = addImage(store, { layers: ["x"] });
  const container = addContainer(store, image);
  writeFileSync(join(store.layout.layers, "stray"), "123");
  const pruneContainers = async (): Promise<{ removed: readonly string[]; reclaimedBytes: number }> => {
    store.containers().remove(container);
    return { removed: [container], reclaimedBytes: 7 };
  };
  const pruned = await pruneSystem(store, { pruneContainers });
  assert.deepEqual(pruned.containers, [container]);
  assert.deepEqual(pruned.images, [{ untagged: image }, { deleted: image }]);
  assert.equal(pruned.cache.length, 3);
  assert.deepEqual(store.orphans(), []);
  assert.equal(store.images.all().length, 1);
});
