import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { describe, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { digestOf, hexOf, type Digest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import { chainId, emptyLayer } from "./layers.ts";
import { addLayer, createTestStore } from "./test-store.ts";
import type { Store } from "./store.ts";

const missing = `sha256:${"d".repeat(64)}` as Digest;

function commit(store: Store, text: string, chain: readonly Digest[] = [], names: readonly string[] = []): Digest {
  return store.images.commit({ config: Buffer.from(JSON.stringify({ text, os: "linux" })), chain }, names);
}

describe("images", () => {
  test("are their config's digest, with layers in order and names", () => {
    using machine = createTestStore();
    const { store } = machine;
    const chain = [addLayer(store, [{ path: "a" }]), addLayer(store, [{ path: "b" }])];
    const id = commit(store, "x", [...chain, chain[0] as Digest], ["a:1", "b:2"]);
    assert.equal(id, digestOf('{"text":"x","os":"linux"}'));
    assert.deepEqual([store.images.chain(id), store.images.names(id), store.images.config(id).os], [[...chain, chain[0]], ["a:1", "b:2"], "linux"]);
    assert.deepEqual([store.images.usersOfLayer(chain[0] as Digest), store.images.usersOfLayer(chain[0] as Digest, id)], [1, 0]);
  });

  test("without their layers are refused and leave nothing", () => {
    using machine = createTestStore();
    const { store } = machine;
    assert.throws(
      () => commit(store, "x", [missing], ["a:1"]),
      (error) => isSlipwayError(error, "LAYER_MISSING"),
    );
    assert.deepEqual([store.images.all(), store.images.byName("a:1")], [[], undefined]);
  });

  test("a name moves from one image to the next", () => {
    using machine = createTestStore();
    const { store } = machine;
    const [first, second] = [commit(store, "1", [], ["a:1"]), commit(store, "2", [], ["a:1"])];
    assert.deepEqual([store.images.byName("a:1"), store.images.names(first), store.images.names(second)], [second, [], ["a:1"]]);
    assert.deepEqual([store.images.untag("a:1"), store.images.untag("a:1")], [true, false]);
    assert.equal(store.images.all().length, 2);
  });

  test("are found by the beginning of their id, two at most", () => {
    using machine = createTestStore();
    const { store } = machine;
    const ids = Array.from({ length: 40 }, (_, number) => commit(store, String(number)));
    const id = ids[0] as Digest;
    assert.deepEqual(store.images.byPrefix(hexOf(id).slice(0, 12)), [id]);
    assert.deepEqual([store.images.byPrefix("").length, store.images.byPrefix("zz").length], [2, 0]);
  });

  test("repository digests", () => {
    using machine = createTestStore();
    const { images } = machine.store;
    const id = commit(machine.store, "x");
    images.addRepoDigest("docker.io/library/a", missing, id);
    images.addRepoDigest("docker.io/library/a", missing, id);
    assert.deepEqual(
      [images.repoDigests(id), images.byRepoDigest("docker.io/library/a", missing)],
      [[{ repository: "docker.io/library/a", digest: missing }], id],
    );
    images.remove(id);
    assert.deepEqual([images.byRepoDigest("docker.io/library/a", missing), images.get(id)], [undefined, undefined]);
  });
});

test("a transaction that fails changes nothing, nested ones join it", () => {
  using machine = createTestStore();
  const { store } = machine;
  assert.throws(() =>
    store.transaction(() => {
      commit(store, "x", [], ["a:1"]);
      store.transaction(() => store.images.tag("b:1", missing));
      throw new Error("stop");
    }),
  );
  assert.deepEqual([store.images.all(), store.images.allNames()], [[], []]);
});

describe("cache records", () => {
  const record = (key: string, layers: readonly Digest[], createdMs = 1): Parameters<Store["cache"]["put"]>[0] => ({
    key,
    slot: "slot",
    description: "RUN x",
    layers,
    chain: layers,
    config: { env: ["A=1"], cwd: "/" },
    inputs: { base: "b" },
    sizeBytes: 5,
    createdMs,
  });

  test("are found while their layers are here", () => {
    using machine = createTestStore();
    const { store } = machine;
    const layer = addLayer(store, [{ path: "a" }]);
    store.cache.put(record("sha256:aa", [layer]));
    store.cache.put(record("sha256:ab", [missing], 2));
    const found = store.cache.lookup("sha256:aa");
    assert.deepEqual([found?.layers, found?.config, found?.inputs, found?.sizeBytes], [[layer], { env: ["A=1"], cwd: "/" }, { base: "b" }, 5]);
    assert.deepEqual([store.cache.lookup("sha256:ab"), store.cache.known("sha256:ab"), store.cache.known("sha256:ac")], [undefined, true, false]);
    assert.equal(store.cache.newestInSlot("slot")?.key, "sha256:ab");
    assert.deepEqual(
      store.cache.byPrefix("a").map(({ key }) => key),
      ["sha256:aa"],
    );
  });

  test("uses are counted; what is removed is gone", () => {
    using machine = createTestStore();
    const { cache } = machine.store;
    cache.put(record("sha256:aa", []));
    cache.touch(["sha256:aa", "sha256:none"]);
    assert.equal(cache.lookup("sha256:aa")?.uses, 2);
    cache.remove("sha256:aa");
    assert.deepEqual([cache.all(), cache.known("sha256:aa")], [[], false]);
  });
});

describe("layers", () => {
  test("chain ids as the image specification computes them", () => {
    const [a, b] = [digestOf("a"), digestOf("b")];
    assert.deepEqual(
      [chainId([]), chainId([a]), chainId([a, b]), chainId([a, b, a])],
      ["", a, digestOf(`${a} ${b}`), digestOf(`${digestOf(`${a} ${b}`)} ${a}`)],
    );
    assert.equal(emptyLayer, digestOf(Buffer.alloc(1024)));
  });

  test("forms: only blobs that are really here count", () => {
    using machine = createTestStore();
    const { store } = machine;
    const layer = addLayer(store, [{ path: "a" }]);
    store.layers.addBlob(layer, { mediaType: mediaTypes.ociLayerGzip, digest: missing, size: 5 }, 0);
    assert.deepEqual(
      store.layers.blobForms(layer).map(({ digest }) => digest),
      [layer],
    );
    assert.equal(store.layers.diffIdOfBlob(missing), undefined);
    const { digest, size } = store.blobs.put("compressed");
    store.layers.addBlob(layer, { mediaType: mediaTypes.ociLayerGzip, digest, size }, 0);
    assert.deepEqual([store.layers.diffIdOfBlob(digest), store.layers.blobForms(layer).length], [layer, 2]);
  });

  test("a directory that is here already wins", async () => {
    using machine = createTestStore();
    const { store } = machine;
    const layer = addLayer(store, [{ path: "a" }]);
    const [first] = await store.materializer.directories([layer]);
    assert.equal(store.layers.adoptDirectory(layer, store.layers.workDirectory("again"), 0), first);
  });
});

test("containers: unique names, prefixes, what they stand on", () => {
  using machine = createTestStore();
  const containers = machine.store.containers();
  const make = (id: string, name: string) => containers.insert({ id, name, imageId: "" }, [missing]);
  assert.deepEqual([make("aa11", "one"), make("aa22", "two"), make("bb33", "one")], [undefined, undefined, "aa11"]);
  assert.deepEqual(
    [containers.get("/one")?.id, containers.get("aa2")?.id, containers.get("zz"), containers.chain("aa11")],
    ["aa11", "aa22", undefined, [missing]],
  );
  assert.throws(
    () => containers.get("aa"),
    (error) => isSlipwayError(error, "AMBIGUOUS_ID"),
  );
  assert.deepEqual(
    [
      containers.update({ id: "aa22", name: "one", imageId: "" }),
      containers.update({ id: "none", name: "x", imageId: "" }),
      containers.update({ id: "aa22", name: "new", imageId: "" }),
    ],
    ["aa11", false, true],
  );
  containers.remove("aa11");
  assert.deepEqual(
    containers.list().map(({ name }) => name),
    ["new"],
  );
});

test("cache mounts: one directory for an id, gone when removed", () => {
  using machine = createTestStore();
  const { cacheMounts } = machine.store;
  const first = cacheMounts.open("id", "d");
  const second = cacheMounts.open("id", "d");
  assert.deepEqual([first.created, second.path, second.created, cacheMounts.all().length], [true, first.path, false, 1]);
  for (const opened of [first, second]) opened[Symbol.dispose]();
  cacheMounts.remove("id", machine.store.lease().temporaryPath("trash"));
  assert.equal(existsSync(first.path), false);
  using third = cacheMounts.open("id", "d");
  assert.notEqual(third.path, first.path);
});

test("a cache mount in use: forgotten when removed, its directory stays for the collection after its last user", () => {
  using machine = createTestStore();
  const { cacheMounts } = machine.store;
  const users = [cacheMounts.open("id", "d"), cacheMounts.open("id", "d")] as const;
  const { path } = users[0];
  cacheMounts.remove("id", machine.store.lease().temporaryPath("trash"));
  using anew = cacheMounts.open("id", "d");
  assert.deepEqual([anew.created, anew.path === path], [true, false]);
  for (const user of users) {
    machine.store.collect();
    assert.equal(existsSync(path), true);
    user[Symbol.dispose]();
  }
  machine.store.collect();
  assert.deepEqual([existsSync(path), existsSync(anew.path)], [false, true]);
});
