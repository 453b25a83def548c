import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { test } from "node:test";
import { constants, createZstdCompress, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { isSlipwayError } from "../base/errors.ts";
import { type Compression, decompress, decompressDetected, detectCompression, isTarHeader, peek } from "./compression.ts";
import { compressGzip } from "./gzip.ts";
import { createEntry, encodeHeader } from "./writer.ts";
import { compressZstd } from "./zstd.ts";

const text = Buffer.from("All work and no play makes Jack a dull boy.\n".repeat(20_000));
const small = Buffer.concat([randomBytes(200_000), text.subarray(0, 200_000)]);
const mixed = Buffer.concat([text, randomBytes(1_500_000), text, Buffer.alloc(600_000)]);

async function* inChunks(bytes: Uint8Array, size = 60_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function gather(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source));
}

function hasProgram(name: string): boolean {
  try {
    execFileSync(name, ["--version"], { stdio: "ignore", input: "" });
    return true;
  } catch {
    return false;
  }
}

const samples: readonly (readonly [Compression, (bytes: Buffer) => Buffer])[] = [
  ["none", (bytes) => bytes],
  ["gzip", (bytes) => gzipSync(bytes)],
  ["zstd", (bytes) => zstdCompressSync(bytes, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })],
  ...(["bzip2", "xz"] as const)
    .filter(hasProgram)
    .map((program) => [program, (bytes: Buffer) => execFileSync(program, ["-1c"], { input: bytes, maxBuffer: 1 << 26 })] as const),
];

for (const [kind, compress] of samples) {
  test(`${kind}: detected and decompressed`, async () => {
    const compressed = compress(text);
    assert.equal(detectCompression(compressed), kind);
    const detected = await decompressDetected(inChunks(compressed, 1000));
    assert.equal(detected.kind, kind);
    assert.ok((await gather(detected.bytes)).equals(text));
  });

  if (kind === "none") continue;
  test(`${kind}: several streams in a row`, async () => {
    const joined = Buffer.concat([compress(text), compress(Buffer.from("second")), compress(Buffer.from("third"))]);
    assert.ok((await gather(decompress(inChunks(joined, 777), kind))).equals(Buffer.concat([text, Buffer.from("secondthird")])));
  });

  test(`${kind}: truncated, damaged and endless input`, async () => {
    const compressed = compress(small);
    const damaged = Buffer.from(compressed);
    for (let at = 5000; at < 5100; at++) damaged[at] = 0x55;
    await assert.rejects(gather(decompress(inChunks(compressed.subarray(0, -50)), kind)), (error) => isSlipwayError(error, "COMPRESSION_TRUNCATED"));
    await assert.rejects(gather(decompress(inChunks(damaged), kind)), (error) => isSlipwayError(error, "COMPRESSION_CORRUPT"));
    await assert.rejects(gather(decompress(inChunks(compressed), kind, { maxBytes: 100_000 })), (error) => isSlipwayError(error, "DECOMPRESSION_LIMIT"));
  });

  test(`${kind}: the source's error comes through`, async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield compress(text).subarray(0, 100);
      throw new Error("connection lost");
    }
    await assert.rejects(gather(decompress(failing(), kind)), /connection lost/);
  });

  test(`${kind}: a reader that stops early closes the source`, async () => {
    let closed = false;
    const member = compress(randomBytes(300_000));
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield member;
      } finally {
        closed = true;
      }
    }
    for await (const chunk of decompress(watched(), kind)) {
      assert.ok(chunk.length > 0);
      break;
    }
    // Streams close their source in their own time.
    while (!closed) await new Promise(setImmediate);
  });
}

test("a missing program is named with its package", async () => {
  const path = process.env["PATH"];
  process.env["PATH"] = "/nonexistent";
  try {
    await assert.rejects(
      gather(decompress(inChunks(text), "xz")),
      (error) => isSlipwayError(error, "PROGRAM_MISSING") && /apt-get install xz-utils/.test(error.message),
    );
  } finally {
    process.env["PATH"] = path;
  }
});

test("magic bytes", () => {
  assert.equal(detectCompression(Buffer.from([0x53, 0x2a, 0x4d, 0x18])), "zstd");
  assert.equal(detectCompression(Buffer.alloc(0)), "none");
  assert.equal(detectCompression(Buffer.from([0x1f, 0x8b])), "none");
  assert.ok(isTarHeader(encodeHeader(createEntry({ type: "file", path: "f" }))));
  assert.ok(!isTarHeader(Buffer.alloc(512)));
  assert.ok(!isTarHeader(Buffer.alloc(512, "text")));
  assert.ok(!isTarHeader(Buffer.alloc(10)));
});

test("peek keeps the stream whole", async () => {
  for (const size of [0, 10, 60_001, text.length + 1]) {
    const { head, rest } = await peek(inChunks(text), size);
    assert.ok(head.equals(text.subarray(0, size)));
    assert.ok((await gather(rest)).equals(text));
  }
});

test("gzip: one member, the same for every chunking, read by gzip", async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from("x"), mixed, mixed.subarray(0, 2 << 20)]) {
    const compressed = await gather(compressGzip(inChunks(bytes)));
    assert.ok(gunzipSync(compressed).equals(bytes));
    assert.ok(compressed.equals(await gather(compressGzip(inChunks(bytes, 1_048_577)))), "other chunks");
    assert.ok(execFileSync("gzip", ["-dc"], { input: compressed, maxBuffer: 1 << 26 }).equals(bytes));
    assert.equal(compressed.subarray(3, 10).toString("hex"), "000000000000ff".slice(0, 14));
  }
  const whole = gzipSync(text, { level: 6 }).length;
  const ours = (await gather(compressGzip(inChunks(text)))).length;
  assert.ok(ours < whole * 1.1 + 100, `${ours} against ${whole}`);
});

test("zstd: frames of every kind in a row", async () => {
  const streamed = await gather(Readable.from([text, text]).pipe(createZstdCompress()));
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5]);
  const tiny = zstdCompressSync(Buffer.from("x"));
  const large = zstdCompressSync(Buffer.alloc(5 << 20));
  const joined = Buffer.concat([skippable, tiny, streamed, zstdCompressSync(Buffer.alloc(0)), tiny, skippable, large, tiny]);
  const wanted = Buffer.concat([Buffer.from("x"), text, text, Buffer.from("x"), Buffer.alloc(5 << 20), Buffer.from("x")]);
  for (const size of [7, 100_000]) assert.ok((await gather(decompress(inChunks(joined, size), "zstd"))).equals(wanted));
  for (const bad of [Buffer.concat([tiny, Buffer.from("garbage")]), Buffer.concat([tiny, tiny.subarray(0, 6)]), Buffer.alloc(0)]) {
    await assert.rejects(gather(decompress(inChunks(bad), "zstd")), (error) => isSlipwayError(error) && error.kind === "data_loss");
  }
});

test("zstd: frames, the same for every chunking", async () => {
  for (const bytes of [Buffer.alloc(0), mixed]) {
    const compressed = await gather(compressZstd(inChunks(bytes)));
    assert.ok((await gather(decompress(inChunks(compressed), "zstd"))).equals(bytes));
    assert.ok(compressed.equals(await gather(compressZstd(inChunks(bytes, 999_999)))));
  }
});
