import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { isSlipwayError } from "../base/errors.ts";
import type { Digest } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import { lGetXattr } from "./syscalls.ts";
import { addLayer, createTestStore, tarOf, type Member } from "./test-store.ts";

const skip = process.geteuid?.() === 0 ? {} : { skip: "needs root: owners and whiteouts" };
const base: readonly Member[] = [
  { path: "etc", type: "directory", mode: 0o750, uid: 5, gid: 6, mtimeNs: 7_000_000_000n, xattrs: new Map([["user.note", Buffer.from("n")]]) },
  { path: "etc/passwd", content: "root", mode: 0o600 },
  { path: "link", type: "symlink", linkname: "etc" },
];

async function collectBytes(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

describe("a layer becomes a directory", () => {
  const forms: readonly (readonly [name: string, compress: (tar: Buffer) => Buffer, mediaType: string])[] = [
    ["a gzip blob", (tar) => gzipSync(tar), mediaTypes.ociLayerGzip],
    ["a zstd blob", (tar) => zstdCompressSync(tar), mediaTypes.ociLayerZstd],
    ["a plain blob", (tar) => tar, mediaTypes.ociLayer],
  ];
  for (const [name, compress, mediaType] of forms) {
    test(`from ${name}`, async () => {
      using machine = createTestStore();
      const { store } = machine;
      const tar = tarOf([{ path: "f", content: "x" }]);
      const diffId = addLayer(machine.reopen(), [{ path: "f", content: "x" }]);
      const blob = store.blobs.put(compress(tar));
      store.layers.addBlob(diffId, { mediaType, ...blob }, tar.length);
      const [directory] = await store.materializer.directories([diffId]);
      assert.equal(readFileSync(join(directory ?? "", "f"), "utf8"), "x");
    });
  }

  test("once, also when many ask at the same time", async () => {
    using machine = createTestStore();
    const { store } = machine;
    const chain = [addLayer(store, [{ path: "f" }])];
    const asked = await Promise.all(Array.from({ length: 5 }, () => store.materializer.directory(chain, 0)));
    assert.equal(new Set(asked).size, 1);
    assert.equal(readdirSync(store.layout.layers).length, 1);
  });
});

test("other bytes than the diffID says are refused and nothing stays", async () => {
  using machine = createTestStore();
  const { store } = machine;
  const diffId = addLayer(store, [{ path: "f", content: "right" }]);
  writeFileSync(store.blobs.path(diffId), tarOf([{ path: "f", content: "wrong" }]));
  const missing = (error: unknown): boolean => isSlipwayError(error, "LAYER_MISSING");
  await assert.rejects(store.materializer.directories([diffId]), (error) => missing(error) && isSlipwayError((error as Error).cause, "DIFF_ID_MISMATCH"));
  await assert.rejects(machine.reopen().materializer.view([diffId]), missing);
  assert.deepEqual([readdirSync(store.layout.layers), readdirSync(store.layout.indexes), store.layers.directory([diffId], 0)], [[], [], undefined]);
});

test("a layer without any form is missing", async () => {
  using machine = createTestStore();
  const none = `sha256:${"a".repeat(64)}` as Digest;
  await assert.rejects(machine.store.materializer.directories([none]), (error) => isSlipwayError(error, "LAYER_MISSING"));
});

test("parents that an archive leaves out have the attributes of the layers below", skip, async () => {
  using machine = createTestStore();
  const { store } = machine;
  const lower = addLayer(store, base);
  const upper = addLayer(store, [
    { path: "etc/new", content: "n" },
    { path: "made/by/me", content: "m" },
  ]);
  const [, directory = ""] = await store.materializer.directories([lower, upper]);
  const stat = lstatSync(join(directory, "etc"), { bigint: true });
  assert.deepEqual([Number(stat.mode) & 0o7777, Number(stat.uid), Number(stat.gid), stat.mtimeNs], [0o750, 5, 6, 7_000_000_000n]);
  assert.equal(lGetXattr(join(directory, "etc"), "user.note")?.toString(), "n");
  assert.equal(lstatSync(join(directory, "made")).mode & 0o7777, 0o755);
  // The same layer on another base gets a directory of its own.
  const other = addLayer(store, [{ path: "etc", type: "directory", mode: 0o700 }]);
  const [, second = ""] = await store.materializer.directories([other, upper]);
  assert.deepEqual([second === directory, lstatSync(join(second, "etc")).mode & 0o7777], [false, 0o700]);
  assert.equal(store.layers.directory([lower, upper], 1), directory);
});

test("a hard link into a lower layer brings the file", skip, async () => {
  using machine = createTestStore();
  const { store } = machine;
  const lower = addLayer(store, base);
  const upper = addLayer(store, [{ path: "copy", type: "hardlink", linkname: "etc/passwd", mode: 0o600 }]);
  const [, directory = ""] = await store.materializer.directories([lower, upper]);
  assert.deepEqual([readFileSync(join(directory, "copy"), "utf8"), lstatSync(join(directory, "copy")).mode & 0o7777], ["root", 0o600]);
  const dangling = addLayer(store, [{ path: "copy", type: "hardlink", linkname: "etc/nothing" }]);
  await assert.rejects(store.materializer.directories([lower, dangling]), (error) => isSlipwayError(error, "HARDLINK_TARGET_MISSING"));
});

test("views: an archive that is not unpacked is read once, for its index", async () => {
  using machine = createTestStore();
  const { store } = machine;
  const chain = [addLayer(store, base), addLayer(store, [{ path: ".wh.link" }, { path: "etc/.wh.passwd" }, { path: "etc/x", content: "1" }])];
  const view = await store.materializer.view(chain);
  assert.deepEqual([view.list(""), view.list("etc"), view.lookup("etc/x")?.size, view.lookup("link")], [["etc"], ["x"], 1, undefined]);
  assert.deepEqual(readdirSync(store.layout.layers), []);
  assert.equal(readdirSync(store.layout.indexes).length, 2);
});

test("a directory gives back the tar it came from", skip, async () => {
  using machine = createTestStore();
  const { store } = machine;
  const chain = [
    addLayer(store, [
      { path: "d", type: "directory" },
      { path: "d/.wh.x", mode: 0o600 },
      { path: "f", content: "x" },
    ]),
  ];
  const tar = await collectBytes(store.materializer.tar(chain[0] as Digest));
  const [directory = ""] = await store.materializer.directories(chain);
  const { hashDirectory } = await import("./pack.ts");
  const diffId = hashDirectory({ directory, overlay: true }).diffId;
  assert.deepEqual([diffId, tar.length > 0, existsSync(join(directory, "d/x"))], [chain[0], true, true]);
});
