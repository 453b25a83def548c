/** Files of the store that others removed or changed: what can be made again counts as not here, what cannot is said. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import { addLayer, createTestStore } from "./test-store.ts";

const damages: readonly (readonly [name: string, damage: (path: string) => void])[] = [
  ["is lost", (path) => rmSync(path)],
  ["is cut short", (path) => truncateSync(path, 3)],
];
const change = (path: string): void => writeFileSync(path, readFileSync(path).fill(0x58, 0, 2));

for (const [name, damage] of damages) {
  test(`a blob whose file ${name} is not here and can be put again`, () => {
    using machine = createTestStore();
    const { blobs } = machine.store;
    const { digest } = blobs.put("0123456789");
    damage(blobs.path(digest));
    assert.deepEqual([blobs.has(digest), blobs.size(digest)], [false, undefined]);
    assert.throws(() => blobs.read(digest), isCode("BLOB_MISSING"));
    blobs.put("0123456789");
    assert.equal(blobs.read(digest).toString(), "0123456789");
  });

  test(`a layer whose only file ${name} is not here`, () => {
    using machine = createTestStore();
    const { layers, blobs } = machine.store;
    const diffId = addLayer(machine.store, [{ path: "f" }]);
    assert.equal(layers.has(diffId), true);
    damage(blobs.path(diffId));
    assert.deepEqual([layers.has(diffId), layers.blobForms(diffId)], [false, []]);
  });
}

test("a blob whose file was changed is never given out as itself", async () => {
  using machine = createTestStore();
  const { blobs } = machine.store;
  const { digest } = blobs.put("0123456789");
  change(blobs.path(digest));
  assert.throws(() => blobs.read(digest), isCode("DIGEST_MISMATCH"));
  await assert.rejects(Array.fromAsync(blobs.verified(digest)), isCode("DIGEST_MISMATCH"));
  blobs.put("0123456789");
  assert.equal(Buffer.concat(await Array.fromAsync(blobs.verified(digest))).toString(), "0123456789");
});

test("a layer's lost directory is made again from another form", { skip: process.geteuid?.() === 0 ? false : "needs root: owners" }, async () => {
  using machine = createTestStore();
  const { layers, materializer, blobs } = machine.store;
  const diffId = addLayer(machine.store, [{ path: "f", content: "x" }]);
  const first = await materializer.directory([diffId], 0);
  rmSync(first, { recursive: true });
  const second = await materializer.directory([diffId], 0);
  assert.equal(readFileSync(join(second, "f"), "utf8"), "x");
  assert.equal(layers.directory([diffId], 0), second);
  rmSync(second, { recursive: true });
  rmSync(blobs.path(diffId));
  assert.equal(layers.has(diffId), false);
  await assert.rejects(
    materializer.directory([diffId], 0),
    (error) => isSlipwayError(error, "LAYER_MISSING") && error.details["remedy"] === "pull, load or build the image again",
  );
});

test("a layer whose only file was changed is found out when it is needed, and can be had again", async () => {
  using machine = createTestStore();
  const { layers, blobs, materializer } = machine.store;
  const diffId = addLayer(machine.store, [{ path: "f", content: "x" }]);
  change(blobs.path(diffId));
  await assert.rejects(materializer.directory([diffId], 0), isCode("LAYER_MISSING"));
  assert.equal(layers.has(diffId), false);
  assert.equal(addLayer(machine.store, [{ path: "f", content: "x" }]), diffId);
  assert.equal(layers.has(diffId), true);
});

test("directories that an earlier database left are in nobody's way", () => {
  using machine = createTestStore();
  const { layers, layout, cacheMounts } = machine.store;
  for (const parent of [layout.layers, layout.cacheMounts]) mkdirSync(join(parent, "1"));
  writeFileSync(join(layout.layers, "1", "old"), "");
  const diffId = addLayer(machine.store, [{ path: "f" }]);
  assert.equal(layers.adoptDirectory(diffId, layers.workDirectory("new"), 0), join(layout.layers, "2"));
  using opened = cacheMounts.open("m", "");
  assert.deepEqual([opened.path, opened.created], [join(layout.cacheMounts, "2"), true]);
});

test("a cache mount whose directory is lost begins empty, and can be removed", () => {
  using machine = createTestStore();
  const { cacheMounts, layout } = machine.store;
  using first = cacheMounts.open("m", "");
  rmSync(first.path, { recursive: true });
  using second = cacheMounts.open("m", "");
  assert.equal(second.created, true);
  rmSync(second.path, { recursive: true });
  cacheMounts.remove("m", join(layout.work, "trash"));
  assert.deepEqual(cacheMounts.all(), []);
});

test("an image whose config was lost or changed says what to do, and committing it again repairs it", () => {
  using machine = createTestStore();
  const { images, blobs } = machine.store;
  const commit = (): Digest => images.commit({ config: Buffer.from('{"os":"linux"}'), chain: [], blobs: [] });
  const id = commit();
  for (const damage of [...damages.map(([, each]) => each), change]) {
    damage(blobs.path(id));
    assert.throws(
      () => images.config(id),
      (error) => isSlipwayError(error, "STORE_CORRUPT") && String(error.details["remedy"]).includes("rmi -f"),
    );
    commit();
    assert.equal(images.config(id).os, "linux");
  }
});

function isCode(code: string): (error: unknown) => boolean {
  return (error) => isSlipwayError(error, code);
}
