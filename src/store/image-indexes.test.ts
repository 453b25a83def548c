import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { digestOf, type Digest } from "../oci/digest.ts";
import { addLayer, createTestStore } from "./test-store.ts";
import { Store } from "./store.ts";

function member(store: Store, architecture: string, alone = false): Digest {
  const chain = [addLayer(store, [{ path: architecture }])];
  return store.images.commit({ config: Buffer.from(JSON.stringify({ architecture, os: "linux" })), chain, member: !alone });
}

function indexOf(store: Store, text: string, images: readonly Digest[], names: readonly string[] = []): Digest {
  return store.indexes.commit({ text, members: images.map((image, at) => ({ platform: `linux/a${at}`, image })) }, names);
}

describe("an index", () => {
  test("is its text's digest, with members in order and names", () => {
    using machine = createTestStore();
    const { store } = machine;
    const images = [member(store, "b"), member(store, "a")];
    const id = indexOf(store, "x", images, ["a:1"]);
    assert.equal(id, digestOf("x"));
    assert.equal(store.images.byName("a:1"), id);
    assert.deepEqual(store.images.names(id), ["a:1"]);
    assert.deepEqual(
      store.indexes.members(id).map(({ image }) => image),
      images,
    );
    assert.deepEqual([store.indexes.holding(images[0] as Digest), store.indexes.text(id)], [[id], "x"]);
    assert.deepEqual(
      store.images.all().map(({ own }) => own),
      [false, false],
    );
    assert.deepEqual(store.images.byPrefix(id.slice(7, 20)), [id]);
  });

  test("keeps its members, their layers and its text from collection, and takes them along when it goes", () => {
    using machine = createTestStore();
    const id = indexOf(machine.store, "x", [member(machine.store, "a"), member(machine.store, "b")], ["a:1"]);
    const store = machine.later();
    assert.deepEqual(store.collect().blobs, []);
    assert.equal(store.indexes.text(id), "x");
    assert.equal(store.indexes.remove(id).length, 2);
    assert.deepEqual([store.images.all(), store.images.allNames(), store.indexes.all()], [[], [], []]);
    assert.equal(store.collect().layers.length, 2);
    assert.equal(store.blobs.has(id), false);
  });

  test("leaves what stands for itself, and what another index has", () => {
    using machine = createTestStore();
    const { store } = machine;
    const [shared, own, tagged] = [member(store, "a"), member(store, "b", true), member(store, "c")];
    store.images.tag("c:1", tagged);
    const [first, second] = [indexOf(store, "1", [shared, own, tagged]), indexOf(store, "2", [shared])];
    assert.deepEqual(store.indexes.remove(first), []);
    assert.equal(store.images.all().length, 3);
    assert.deepEqual(store.indexes.remove(second), [shared]);
  });

  test("keeps a member that is removed under its own name", () => {
    using machine = createTestStore();
    const { store } = machine;
    const image = member(store, "a", true);
    store.images.tag("a:1", image);
    const id = indexOf(store, "x", [image]);
    assert.deepEqual([store.images.remove(image), store.images.get(image)?.own, store.images.names(image)], [false, false, []]);
    assert.deepEqual(store.indexes.remove(id), [image]);
  });

  test("of an image that is gone is refused", () => {
    using machine = createTestStore();
    assert.throws(
      () => indexOf(machine.store, "x", [digestOf("gone")]),
      (error) => isSlipwayError(error, "NO_SUCH_IMAGE"),
    );
    assert.deepEqual(machine.store.indexes.all(), []);
  });
});

test("a store of the first version gains indexes and keeps its images", (t) => {
  const root = mkdtempSync(join(tmpdir(), "slipway-store-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const before = Store.open(root);
  const id = member(before, "a", true);
  before.images.tag("a:1", id);
  before.close();
  const db = new DatabaseSync(join(root, "slipway.db"));
  db.exec(
    "DROP TABLE image_index; DROP TABLE index_member; ALTER TABLE image DROP COLUMN own; ALTER TABLE image DROP COLUMN annotations; ALTER TABLE image DROP COLUMN document; PRAGMA user_version = 1",
  );
  db.close();
  const store = Store.open(root);
  t.after(() => store.close());
  assert.deepEqual([store.images.byName("a:1"), store.images.get(id)?.own], [id, true]);
  assert.deepEqual(store.indexes.members(indexOf(store, "x", [id])).length, 1);
});
