import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { paddingLength } from "./block.ts";
import { compressEstargz, tocName, type EstargzResult } from "./estargz.ts";
import { readTarMembers } from "./read.ts";
import { createEntry, encodeHeader, endOfArchive } from "./writer.ts";

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const chunk = 4 * 1024 * 1024;

interface TocEntry {
  readonly name: string;
  readonly type: string;
  readonly size?: number;
  readonly offset?: number;
  readonly digest?: string;
  readonly chunkOffset?: number;
  readonly chunkSize?: number;
  readonly chunkDigest?: string;
  readonly linkName?: string;
  readonly xattrs?: Readonly<Record<string, string>>;
  readonly modtime?: string;
}

function file(path: string, content: Uint8Array): Buffer {
  const entry = createEntry({ type: "file", path, size: content.length, mode: 0o640, uid: 7, mtimeNs: 1_700_000_000n * 1_000_000_000n });
  return Buffer.concat([encodeHeader(entry), content, Buffer.alloc(paddingLength(content.length))]);
}

async function compress(tar: Buffer, pieceSize: number): Promise<{ blob: Buffer; result: EstargzResult }> {
  const compressed = compressEstargz(
    (async function* () {
      for (let at = 0; at < tar.length; at += pieceSize) yield tar.subarray(at, at + pieceSize);
    })(),
  );
  const members: Buffer[] = [];
  let next = await compressed.next();
  for (; next.done !== true; next = await compressed.next()) members.push(next.value);
  return { blob: Buffer.concat(members), result: next.value };
}

async function tableOf(blob: Buffer): Promise<{ bytes: Buffer; entries: readonly TocEntry[] }> {
  const footer = blob.subarray(-51);
  assert.equal(footer.toString("latin1", 12, 16), "SG\u0016\u0000");
  assert.equal(footer.toString("latin1", 32, 38), "STARGZ");
  assert.equal(gunzipSync(footer).length, 0);
  const tail = gunzipSync(blob.subarray(Number.parseInt(footer.toString("latin1", 16, 32), 16), -51));
  for await (const { entry, content } of readTarMembers(source(tail))) {
    assert.equal(entry.path, tocName);
    const bytes = Buffer.concat(await Array.fromAsync(content, (piece) => Buffer.from(piece)));
    return { bytes, entries: (JSON.parse(bytes.toString()) as { readonly entries: readonly TocEntry[] }).entries };
  }
  throw new Error("no table");
}

async function* source(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

const contents: Readonly<Record<string, Buffer>> = {
  "d/small": Buffer.from("hello"),
  "d/empty": Buffer.alloc(0),
  "d/exact": randomBytes(chunk),
  "d/twice": randomBytes(2 * chunk),
  "d/big": randomBytes(2 * chunk + 1000),
  "d/last": Buffer.from("end"),
};
const tar = Buffer.concat([
  encodeHeader(createEntry({ type: "directory", path: "d", mode: 0o755 })),
  ...Object.entries(contents).map(([path, content]) => file(path, content)),
  encodeHeader(createEntry({ type: "symlink", path: "d/link", linkname: "small" })),
  encodeHeader(createEntry({ type: "file", path: "d/able", xattrs: new Map([["security.capability", Buffer.from([1, 2])]]) })),
  endOfArchive,
]);

test("every file can be fetched by itself with what the table says, and the whole is the tar with the table behind it", async () => {
  const { blob, result } = await compress(tar, 1_000_003);
  const whole = gunzipSync(blob);
  assert.ok(whole.subarray(0, tar.length).equals(tar));
  assert.equal(whole.length, result.uncompressedSize);
  assert.equal(sha256(whole), result.diffId);
  const { bytes, entries } = await tableOf(blob);
  assert.equal(sha256(bytes), result.tocDigest);
  const names = entries.filter(({ type }) => type !== "chunk").map(({ name, type }) => `${type} ${name}`);
  assert.deepEqual(names, ["dir d/", ...Object.keys(contents).map((path) => `reg ${path}`), "symlink d/link", "reg d/able"]);
  for (const [path, content] of Object.entries(contents)) {
    const pieces = entries.filter(({ name }) => name === path);
    assert.equal(pieces[0]?.digest, sha256(content), path);
    assert.equal(pieces[0]?.size ?? 0, content.length);
    assert.equal(pieces.length, Math.max(1, Math.ceil(content.length / chunk)));
    assert.equal(pieces[0]?.modtime, "2023-11-14T22:13:20Z");
    for (const { offset, chunkOffset = 0, chunkSize, chunkDigest } of content.length === 0 ? [] : pieces) {
      const want = content.subarray(chunkOffset, chunkOffset + (chunkSize ?? content.length));
      const got = gunzipSync(blob.subarray(offset)).subarray(0, want.length);
      assert.ok(got.equals(want), `${path} at ${chunkOffset}`);
      assert.equal(chunkDigest, sha256(want));
    }
  }
  const link = entries.find(({ name }) => name === "d/link");
  assert.equal(link?.linkName, "small");
  assert.deepEqual(entries.at(-1)?.xattrs, { "security.capability": "AQI=" });
});

test("how the source cuts its bytes does not matter", async () => {
  const few = await compress(tar, tar.length);
  assert.equal(sha256((await compress(tar, 70_001)).blob), sha256(few.blob));
});

test("many entries without content make members of a bounded size", async () => {
  const many = Buffer.concat([
    ...Array.from({ length: 20_000 }, (_, i) => encodeHeader(createEntry({ type: "directory", path: `d${i}` }))),
    file("f", Buffer.from("x")),
    endOfArchive,
  ]);
  const { blob } = await compress(many, 65_536);
  const entry = (await tableOf(blob)).entries.find(({ name }) => name === "f");
  assert.equal(gunzipSync(blob.subarray(entry?.offset)).toString("latin1", 0, 1), "x");
  assert.equal(gunzipSync(blob).subarray(0, many.length).compare(many), 0);
});
