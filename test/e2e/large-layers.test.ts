/**
 * Layers as large as you like pass through: a registry that makes its layer as it is asked for, and one that keeps nothing of what it is
 * sent. SLIPWAY_TEST_LAYER_MB says how large; the store needs that much disk, memory does not grow with it.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { configOf } from "../../src/engine/images/test-images.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../src/oci/manifest.ts";
import { serve, type Handler } from "../../src/registry/fixtures/loopback-server.ts";
import { compressGzip } from "../../src/tar/gzip.ts";
import { createEntry, encodeHeader } from "../../src/tar/writer.ts";
import { createSandbox } from "./sandbox.ts";

const megabytes = Number(process.env["SLIPWAY_TEST_LAYER_MB"] ?? 512);
const mostBytes = 250_000_000;
const piece = Buffer.alloc(1_000_000, "a megabyte of text that compresses well; ");

/** A layer of one file. */
async function* archive(path: string): AsyncGenerator<Buffer> {
  yield encodeHeader(createEntry({ type: "file", path, size: megabytes * piece.length, mode: 0o644 }));
  for (let at = 0; at < megabytes; at += 1) yield piece;
  yield Buffer.alloc(1024 + ((512 - ((megabytes * piece.length) % 512)) % 512));
}

interface Layer {
  readonly descriptor: Descriptor;
  readonly diffId: string;
  readonly bytes: () => AsyncIterable<Buffer>;
}

async function describe(path: string, mediaType: string): Promise<Layer> {
  const bytes = () => (mediaType === mediaTypes.ociLayerGzip ? compressGzip(archive(path), { level: 1 }) : archive(path));
  const [content, sent] = [createHash("sha256"), createHash("sha256")];
  for await (const chunk of archive(path)) content.update(chunk);
  let size = 0;
  for await (const chunk of bytes()) {
    sent.update(chunk);
    size += chunk.length;
  }
  return { descriptor: { mediaType, digest: `sha256:${sent.digest("hex")}` as Descriptor["digest"], size }, diffId: `sha256:${content.digest("hex")}`, bytes };
}

const layers = [await describe("plain", mediaTypes.ociLayer), await describe("zipped", mediaTypes.ociLayerGzip)];
const config = configOf({ layers: [] })
  .toString()
  .replace('"diff_ids":[]', `"diff_ids":${JSON.stringify(layers.map(({ diffId }) => diffId))}`);
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length },
  layers: layers.map(({ descriptor }) => descriptor),
});

const answer =
  (text: string, type: string): Handler =>
  (_, response) =>
    void response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(text) }).end(text);

/** What was sent, by the digest that its upload ended with. */
const received = new Map<string, { readonly bytes: number; readonly digest: string }>();
const uploads = new Map<string, { readonly hash: ReturnType<typeof createHash>; bytes: number }>();

async function takeUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "", "http://x");
  if (request.method === "POST") {
    uploads.set(String(uploads.size), { hash: createHash("sha256"), bytes: 0 });
    return void response.writeHead(202, { location: `/v2/sink/blobs/uploads/${uploads.size - 1}` }).end();
  }
  const upload = uploads.get(url.pathname.split("/").at(-1) ?? "");
  assert.ok(upload);
  for await (const chunk of request as AsyncIterable<Buffer>) {
    upload.hash.update(chunk);
    upload.bytes += chunk.length;
  }
  if (request.method === "PATCH") return void response.writeHead(202, { location: url.pathname, range: `0-${upload.bytes - 1}` }).end();
  received.set(url.searchParams.get("digest") ?? "", { bytes: upload.bytes, digest: `sha256:${upload.hash.digest("hex")}` });
  response.writeHead(201).end();
}

const server = await serve({
  "/v2/": answer("{}", "application/json"),
  "/v2/source/manifests/1": answer(manifest, mediaTypes.ociManifest),
  [`/v2/source/blobs/${digestOf(config)}`]: answer(config, "application/octet-stream"),
  ...Object.fromEntries(
    layers.map(({ descriptor, bytes }): [string, Handler] => [
      `/v2/source/blobs/${descriptor.digest}`,
      (_, response) => {
        response.writeHead(200, { "content-length": descriptor.size });
        void pipeline(Readable.from(bytes()), response).catch(() => {});
      },
    ]),
  ),
  "/v2/sink/blobs/uploads/*": (request, response) => void takeUpload(request, response),
  "/v2/sink/manifests/1": (request, response) => void request.resume().once("end", () => response.writeHead(201).end()),
});
const sandbox = await createSandbox({ base: false });
after(async () => {
  await server[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});

const peakFile = join(sandbox.directory, "peak");
const watcher = join(sandbox.directory, "peak.mjs");
writeFileSync(
  watcher,
  `import { writeFileSync } from "node:fs"; process.on("exit", () => writeFileSync(${JSON.stringify(peakFile)}, String(process.resourceUsage().maxRSS * 1024)));`,
);

/** Runs the command and answers how much memory it had at most, in bytes. */
async function peakOf(args: readonly string[]): Promise<number> {
  await sandbox.ok(args, { env: { NODE_OPTIONS: `--import=${watcher}` }, timeoutMs: 600_000 });
  return Number(readFileSync(peakFile, "utf8"));
}

test(`layers of ${megabytes} MB are pulled and pushed in less than 250 MB of memory`, { timeout: 1_200_000 }, async (t) => {
  const pulled = await peakOf(["pull", "-q", `${server.host}/source:1`]);
  await sandbox.ok(["tag", `${server.host}/source:1`, `${server.host}/sink:1`]);
  const pushed = await peakOf(["push", "-q", `${server.host}/sink:1`]);
  t.diagnostic(`pull ${Math.round(pulled / 1e6)} MB, push ${Math.round(pushed / 1e6)} MB of memory at most`);
  for (const { descriptor } of layers) assert.deepEqual(received.get(descriptor.digest), { bytes: descriptor.size, digest: descriptor.digest });
  assert.ok(pulled < mostBytes, `pull had ${pulled} bytes of memory`);
  assert.ok(pushed < mostBytes, `push had ${pushed} bytes of memory`);
});
