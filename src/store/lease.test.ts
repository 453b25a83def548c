import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Digest } from "../oci/digest.ts";
import { createTestStore, spawnWithStore } from "./test-store.ts";

/** A process that has a finished blob, a half one and a layer's directory in its hands, and then waits. */
const holder = `
  const { digest } = store.blobs.put("held by a process");
  const half = store.blobs.ingest();
  half.write(Buffer.from("half"));
  const directory = store.layers.workDirectory("unpack");
  console.log(JSON.stringify({ digest, lease: store.lease().id, directory, half: half.path }));
  setInterval(() => {}, 1000);`;

interface Held {
  readonly digest: Digest;
  readonly lease: string;
  readonly directory: string;
  readonly half: string;
}

test("a live process keeps what it holds; once killed, it is swept", async () => {
  using machine = createTestStore();
  const { store, root } = machine;
  const { child, firstLine, exit } = spawnWithStore(root, holder);
  const held = JSON.parse(await firstLine) as Held;

  assert.deepEqual(store.collect(), { layers: [], blobs: [], deadLeases: 0, reclaimedBytes: 0 });
  assert.deepEqual([store.blobs.has(held.digest), existsSync(held.half), existsSync(held.directory)], [true, true, true]);

  child.kill("SIGKILL");
  await exit;
  const { blobs, deadLeases } = store.collect();
  assert.deepEqual([blobs, deadLeases], [[held.digest], 1]);
  assert.deepEqual([existsSync(held.half), existsSync(held.directory), existsSync(store.blobs.path(held.digest))], [false, false, false]);
  assert.deepEqual([store.orphans(), store.collect().deadLeases], [[], 0]);
});

test("a directory that a sweeper left half-way is recognised by the next one", () => {
  using machine = createTestStore();
  const { store, root } = machine;
  mkdirSync(join(root, "work", "zz-dead"));
  assert.equal(store.collect().deadLeases, 1);
  assert.equal(existsSync(join(root, "work", "zz-dead")), false);
});

test("a process that is just starting is left alone, one that died in its start is not", () => {
  using machine = createTestStore();
  const { store, root } = machine;
  const young = `.new-${Date.now().toString(36)}-aa`;
  const old = `.new-${(Date.now() - 2 * 3_600_000).toString(36)}-bb`;
  for (const name of [young, old]) mkdirSync(join(root, "work", name));
  store.collect();
  assert.deepEqual([existsSync(join(root, "work", young)), existsSync(join(root, "work", old))], [true, false]);
});

test("closing the store gives everything free", () => {
  using machine = createTestStore();
  const { digest } = machine.store.blobs.put("x");
  const other = machine.reopen();
  assert.deepEqual(other.collect().blobs, []);
  assert.deepEqual(machine.later().collect().blobs, [digest]);
});

test("temporary paths are never given twice", () => {
  using machine = createTestStore();
  const lease = machine.store.lease();
  const paths = Array.from({ length: 100 }, () => lease.temporaryPath("x"));
  assert.equal(new Set(paths).size, 100);
  assert.deepEqual(readdirSync(lease.directory), ["lock"]);
});
