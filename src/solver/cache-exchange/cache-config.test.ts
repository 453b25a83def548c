/** Documents of caches: what is read, and what is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Digest } from "../../oci/digest.ts";
import { parseCacheConfig, parseInlineRecords } from "./cache-config.ts";
import { ImportedCache } from "./imported-cache.ts";

const digest = (character: string): Digest => `sha256:${character.repeat(64)}` as Digest;
const bytesOf = (value: unknown): Buffer => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

test("layers stand on each other, and a zero that Go left out is the first", () => {
  const config = parseCacheConfig(
    bytesOf({
      layers: [{ blob: digest("a"), parent: -1 }, { blob: digest("b") }],
      records: [
        { digest: digest("1"), layers: [{ layer: 1, createdAt: "2026-01-02T03:04:05.678901234Z" }] },
        { digest: digest("2"), inputs: [[{}]] },
      ],
    }),
  );
  assert.deepEqual(config.records, [
    { digest: digest("1"), results: [{ layers: [0, 1], createdMs: Date.parse("2026-01-02T03:04:05.678Z") }], inputs: [] },
    { digest: digest("2"), results: [], inputs: [[{ selector: "", link: 0 }]] },
  ]);
});

test("an image's layers stand on each other in their order", () => {
  const { records } = parseInlineRecords(bytesOf([{ digest: digest("1"), layers: [{ layer: 1 }], chains: [{ layers: [1] }] }]), [digest("a"), digest("b")]);
  assert.deepEqual(
    records[0]?.results.map(({ layers }) => layers),
    [[0, 1], [1]],
  );
});

for (const [name, document, want] of [
  ["no JSON", "{", /it is no JSON/],
  ["a list", [], /it is no object/],
  ["records that are no list", { records: {} }, /records are no list/],
  ["a digest that is none", { records: [{ digest: "sha256:1" }] }, /a record's digest is no digest/],
  ["a link that leads nowhere", { records: [{ digest: digest("1"), inputs: [[{ link: 1 }]] }] }, /a link out of range/],
  ["a negative link", { records: [{ digest: digest("1"), inputs: [[{ link: -1 }]] }] }, /a link out of range/],
  ["a result without layer", { records: [{ digest: digest("1"), layers: [{ layer: 3 }] }] }, /a result's layer out of range/],
  ["a circle of layers", { layers: [{ blob: digest("a") }], records: [{ digest: digest("1"), layers: [{ layer: 0 }] }] }, /in a circle/],
  ["too many records", { records: Array.from({ length: 50_001 }, () => ({})) }, /50001 records, more than/],
  ["too many links", { records: [{ digest: digest("1"), inputs: [Array.from({ length: 500_001 }, () => ({}))] }] }, /500001 links, more than/],
] as const) {
  test(`${name} is refused`, () => {
    assert.throws(() => parseCacheConfig(bytesOf(document)), { code: "INVALID_CACHE", message: want });
  });
}

test("records that stand on each other in a circle are no way to a step", () => {
  const records = [
    { digest: digest("1"), inputs: [[{ link: 1 }]], layers: [{ layer: 0 }] },
    { digest: digest("2"), inputs: [[{ link: 0 }]] },
  ];
  const config = parseCacheConfig(bytesOf({ layers: [{ blob: digest("a"), parent: -1 }], records }));
  const descriptor = { mediaType: "", digest: digest("a"), size: 1, annotations: { "containerd.io/uncompressed": digest("b") } };
  const cache = new ImportedCache(config, [descriptor], { open: () => assert.fail() });
  const root = { digests: [digest("3")], inputs: [] };
  const second = { digests: [digest("2")], inputs: [[{ selector: "", node: root }]] };
  assert.deepEqual(cache.find({ digests: [digest("1")], inputs: [[{ selector: "", node: second }]] }), []);
  assert.deepEqual(cache.find({ digests: [digest("1")], inputs: [] }), []);
});
