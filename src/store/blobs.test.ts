import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { digestOf } from "../oci/digest.ts";
import { createTestStore } from "./test-store.ts";

const code = (wanted: string) => (error: unknown) => isSlipwayError(error, wanted);

test("nothing is visible before the commit, everything after it", () => {
  using machine = createTestStore();
  const { blobs } = machine.store;
  const digest = digestOf("hello");
  using ingest = blobs.ingest();
  ingest.write(Buffer.from("hel"));
  ingest.write(Buffer.from("lo"));
  assert.deepEqual([blobs.has(digest), existsSync(blobs.path(digest)), ingest.size], [false, false, 5]);
  assert.deepEqual(ingest.commit({ digest, size: 5 }), { digest, size: 5 });
  assert.deepEqual([blobs.has(digest), readFileSync(blobs.path(digest), "utf8"), machine.reopen().blobs.read(digest).toString()], [true, "hello", "hello"]);
});

test("other bytes than expected are refused and leave nothing", () => {
  using machine = createTestStore();
  const { blobs } = machine.store;
  for (const [expected, wanted] of [
    [{ digest: digestOf("other") }, "DIGEST_MISMATCH"],
    [{ digest: digestOf("hello"), size: 6 }, "SIZE_MISMATCH"],
  ] as const) {
    {
      using ingest = blobs.ingest();
      ingest.write(Buffer.from("hello"));
      assert.throws(() => ingest.commit(expected), code(wanted));
    }
    assert.deepEqual([blobs.has(digestOf("hello")), readdirSync(machine.store.lease().directory)], [false, ["lock"]]);
  }
});

test("an ingest that is not committed leaves nothing", () => {
  using machine = createTestStore();
  {
    using ingest = machine.store.blobs.ingest();
    ingest.write(Buffer.from("half"));
  }
  assert.deepEqual(readdirSync(machine.store.lease().directory), ["lock"]);
});

test("the same bytes twice are one blob", () => {
  using machine = createTestStore();
  const other = machine.reopen();
  using first = machine.store.blobs.ingest();
  using second = other.blobs.ingest();
  for (const ingest of [first, second]) ingest.write(Buffer.from("x"));
  assert.equal(first.commit().digest, second.commit().digest);
  assert.equal(machine.store.blobs.put("x").size, 1);
});

test("sha512 digests are understood", () => {
  using machine = createTestStore();
  const expected = `sha512:${"0".repeat(128)}` as ReturnType<typeof digestOf>;
  using ingest = machine.store.blobs.ingest(expected);
  ingest.write(Buffer.from("x"));
  assert.throws(() => ingest.commit({ digest: expected }), code("DIGEST_MISMATCH"));
});

test("reading: what is missing, and what is larger than it may be", () => {
  using machine = createTestStore();
  const { blobs } = machine.store;
  const { digest } = blobs.put("12345");
  assert.throws(() => blobs.read(digestOf("none")), code("BLOB_MISSING"));
  assert.throws(() => blobs.stream(digestOf("none")), code("BLOB_MISSING"));
  assert.throws(() => blobs.read(digest, 4), code("BLOB_TOO_LARGE"));
  assert.equal(blobs.fileSize(digest), 5);
});
