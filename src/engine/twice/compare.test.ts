import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Json } from "../../oci/bounded-json.ts";
import { createEntry } from "../../tar/writer.ts";
import { compareConfigs } from "./compare-configs.ts";
import { compareEntries, firstDifference } from "./compare-layers.ts";
import { pathInCopy } from "./other-checkout.ts";

const entry = (more: object = {}) => ({ entry: { ...createEntry({ type: "file", path: "f", size: 1 }), ...more }, digest: "a".repeat(64) });
const entries: readonly { readonly name: string; readonly second: ReturnType<typeof entry> | undefined; readonly want: readonly string[] }[] = [
  { name: "nothing", second: entry(), want: [] },
  { name: "mode", second: entry({ mode: 0o4755 }), want: ["mode 0644 → 4755"] },
  { name: "owner", second: entry({ uid: 5, gid: 6 }), want: ["owner 0:0 → 5:6"] },
  { name: "time", second: entry({ mtimeNs: 1_000_000_001n }), want: ["mtime 1970-01-01T00:00:00Z → 1970-01-01T00:00:01Z +1ns"] },
  { name: "xattr", second: entry({ xattrs: new Map([["user.a", Buffer.from("b")]]) }), want: ["xattr user.a none → 62"] },
  { name: "type", second: entry({ type: "symlink", linkname: "x" }), want: ["type file → symlink", "link  → x"] },
  { name: "device", second: entry({ devmajor: 1, devminor: 3 }), want: ["device 0:0 → 1:3"] },
  { name: "presence", second: undefined, want: ["presence file → absent"] },
];
describe("entries differ in:", () => {
  for (const { name, second, want } of entries) {
    test(name, () =>
      assert.deepEqual(
        compareEntries(entry(), second).map((each) => `${each.field} ${each.first} → ${each.second}`),
        want,
      ),
    );
  }
});

const configs: readonly { readonly name: string; readonly first: Json; readonly second: Json; readonly want: readonly string[] }[] = [
  { name: "nothing", first: { a: [1, { b: null }] }, second: { a: [1, { b: null }] }, want: [] },
  { name: "a value", first: { config: { Env: ["A=1", "B=2"] } }, second: { config: { Env: ["A=1", "B=3"] } }, want: ['config.Env[1] "B=2" → "B=3"'] },
  { name: "a longer list", first: { l: [] }, second: { l: [true] }, want: ["l[0] none → true"] },
  { name: "another kind", first: { l: [] }, second: { l: {} }, want: ["l [] → {}"] },
  { name: "layers, which are told of elsewhere", first: { rootfs: { diff_ids: ["a"] } }, second: { rootfs: { diff_ids: ["b"] } }, want: [] },
];
describe("configs differ in:", () => {
  for (const { name, first, second, want } of configs) {
    test(name, () =>
      assert.deepEqual(
        compareConfigs(first, second).map((each) => `${each.field} ${each.first} → ${each.second}`),
        want,
      ),
    );
  }
});

test("the first byte that differs, or the end of the shorter", () => {
  const bytes = (text: string): Uint8Array => Buffer.from(text);
  assert.deepEqual(
    [firstDifference(bytes("abc"), bytes("abd")), firstDifference(bytes("ab"), bytes("abc")), firstDifference(bytes(""), bytes("x"))],
    [2, 2, 0],
  );
});

test("paths of the copy", () => {
  assert.deepEqual(
    ["/c/sub/D", "sub/D", "/elsewhere/D", "/cc/D"].map((path) => pathInCopy(path, "/c", "/t")),
    ["/t/sub/D", "/t/sub/D", "/elsewhere/D", "/cc/D"],
  );
});
