import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Digest } from "../oci/digest.ts";
import type { Store } from "./store.ts";
import { addLayer, createTestStore, spawnWithStore } from "./test-store.ts";

function putCache(store: Store, key: string, layers: readonly Digest[]): void {
  store.cache.put({ key, slot: "s", description: "d", layers, chain: layers, config: {}, inputs: {}, sizeBytes: 0, createdMs: 0 });
}

function commitImage(store: Store, text: string, chain: readonly Digest[], names: readonly string[] = []): Digest {
  return store.images.commit({ config: Buffer.from(JSON.stringify({ text, rootfs: { type: "layers", diff_ids: chain } })), chain }, names);
}

describe("stays while something reaches it:", () => {
  const holders: readonly (readonly [name: string, keep: (store: Store, layer: Digest) => void])[] = [
    ["an image without a name", (store, layer) => void commitImage(store, "a", [layer])],
    ["an image with a name", (store, layer) => void commitImage(store, "a", [layer], ["docker.io/library/a:1"])],
    ["a cache record", (store, layer) => putCache(store, "sha256:1", [layer])],
    ["a container", (store, layer) => void store.containers().insert({ id: "c", name: "n", imageId: "" }, [layer])],
  ];
  for (const [name, keep] of holders) {
    test(`a layer of ${name}`, async () => {
      using machine = createTestStore();
      const { store } = machine;
      const layer = addLayer(store, [{ path: "f", content: "x" }]);
      await store.materializer.directories([layer]);
      keep(store, layer);
      const after = machine.later();
      const { layers, blobs } = after.collect();
      assert.deepEqual([layers, blobs], [[], []]);
      assert.ok(after.layers.has(layer) && after.layers.directory([layer], 0) !== undefined && after.blobs.has(layer));
    });
  }
});

test("what nothing reaches goes, with all its forms", async () => {
  using machine = createTestStore();
  const { store } = machine;
  const layer = addLayer(store, [{ path: "f", content: "x" }]);
  const [directory] = await store.materializer.directories([layer]);
  assert.ok(directory !== undefined);
  const image = commitImage(store, "a", [layer]);
  store.images.remove(image);
  const collected = machine.later().collect();
  assert.deepEqual([collected.layers, [...collected.blobs].sort()], [[layer], [image, layer].sort()]);
  assert.ok(collected.reclaimedBytes > 0);
  assert.deepEqual([existsSync(directory), existsSync(store.blobs.path(layer))], [false, false]);
});

test("files that no row names are orphans and go", () => {
  using machine = createTestStore();
  const { store, root } = machine;
  const stray = [join(root, "blobs/sha256", "f".repeat(64)), join(root, "indexes", "e".repeat(64)), join(root, "layers/zz"), join(root, "containers/x")];
  for (const path of stray) writeFileSync(path, "stray");
  assert.deepEqual([...store.orphans()].sort(), stray.sort());
  assert.equal(store.collect().reclaimedBytes, 20);
  assert.deepEqual(store.orphans(), []);
});

test("several processes commit, tag, untag and collect at once: nothing that is tagged is lost", async () => {
  using machine = createTestStore();
  const { store, root } = machine;
  const worker = (number: number): string => `
    import { addLayer } from ${JSON.stringify(new URL("test-store.ts", import.meta.url).href)};
    for (let round = 0; round < 6; round++) {
      const layer = addLayer(store, [{ path: "f", content: "shared " + (round % 4) }, { path: "g", content: "${number} " + round }]);
      const config = Buffer.from(JSON.stringify({ n: ${number}, round, rootfs: { type: "layers", diff_ids: [layer] } }));
      const id = store.images.commit({ config, chain: [layer] }, ["docker.io/library/w${number}:" + round]);
      if (round % 3 === 0) { store.images.untag("docker.io/library/w${number}:" + round); store.images.remove(id); }
      store.collect();
    }
    console.log("done");
    store.close();`;
  const exits = await Promise.all([0, 1, 2].map((number) => spawnWithStore(root, worker(number)).exit));
  assert.deepEqual(
    exits,
    [0, 1, 2].map(() => ({ code: 0, errors: "" })),
  );
  store.collect();
  assert.deepEqual(store.orphans(), []);
  assert.equal(store.images.allNames().length, 3 * 4);
  for (const { image } of store.images.allNames()) {
    assert.equal(store.images.config(image).rootfs.diff_ids?.[0], store.images.chain(image)[0]);
    for (const layer of store.images.chain(image)) assert.ok(store.blobs.fileSize(layer) !== undefined);
  }
});
