/** What has come of a layer outlives the connection, the process and other processes that want it too. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { isSlipwayError } from "../base/errors.ts";
import { digestOf } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import { blobDescriptor, quickClient, serve, type Handler, type LoopbackServer } from "../registry/fixtures/loopback-server.ts";
import { createTestStore, tarOf } from "../store/test-store.ts";
import type { Store } from "../store/index.ts";
import { pullTask } from "./pull-task.ts";

/** so large that progress is told before its half has come */
const archive = tarOf([{ path: "noise", content: randomBytes(1_500_000).toString("hex") }]);
const layer = gzipSync(archive);
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const config = json({ os: "linux", architecture: "amd64", config: {}, rootfs: { type: "layers", diff_ids: [digestOf(archive)] } });
const manifest = json({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: blobDescriptor(config, mediaTypes.ociConfig),
  layers: [blobDescriptor(layer, mediaTypes.ociLayerGzip)],
});

const send =
  (bytes: Uint8Array, type: string): Handler =>
  (_, response) =>
    void response.writeHead(200, { "content-type": type, "content-length": bytes.length }).end(bytes);

/** A registry with the one image; `onLayer` answers for its layer. */
function serveImage(onLayer: Handler): Promise<LoopbackServer> {
  return serve({
    "/v2/app/manifests/1": send(manifest, mediaTypes.ociManifest),
    [`/v2/app/blobs/${digestOf(config)}`]: send(config, "application/octet-stream"),
    [`/v2/app/blobs/${digestOf(layer)}`]: onLayer,
  });
}

/** The layer, or what is left of it from the range's start on. */
const sendLayer: Handler = (request, response) => {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const headers = { "content-length": layer.length - start, "content-range": `bytes ${start}-${layer.length - 1}/${layer.length}` };
  response.writeHead(start === 0 ? 200 : 206, headers).end(layer.subarray(start));
};

async function pull(store: Store, registry: LoopbackServer): Promise<void> {
  await using client = quickClient();
  const task = pullTask(store, async () => client, `${registry.host}/app:1`, { platform: "linux/amd64" });
  await task.result;
}

function partials(store: Store): readonly number[] {
  return readdirSync(store.layout.partial).map((name) => statSync(join(store.layout.partial, name)).size);
}

function rangesOf(registry: LoopbackServer): readonly (string | undefined)[] {
  return registry.requests.filter(({ line }) => line.includes(digestOf(layer))).map(({ headers }) => headers.range);
}

describe("a connection that broke for good", () => {
  for (const quarter of [0, 1, 2, 3]) {
    test(`after ${quarter} quarters: the next process goes on there`, async () => {
      using machine = createTestStore();
      const stop = Math.floor((layer.length * quarter) / 4);
      let rounds = 0;
      await using broken = await serveImage((_, response) => {
        if (rounds++ > 0) return void response.destroy();
        response.writeHead(200, { "content-length": layer.length });
        response.write(layer.subarray(0, Math.max(1, stop)), () => response.destroy());
      });
      await assert.rejects(pull(machine.store, broken), (error) => isSlipwayError(error, "CONNECTION_LOST"));
      const [kept = 0] = partials(machine.store);
      assert.ok(kept <= Math.max(1, stop), `${kept} of ${stop} bytes`);
      await using registry = await serveImage(sendLayer);
      const later = machine.later();
      await pull(later, registry);
      assert.deepEqual([rangesOf(registry), partials(later)], [[kept === 0 ? undefined : `bytes=${kept}-`], []]);
      assert.ok(readFileSync(later.blobs.path(digestOf(layer))).equals(layer));
    });
  }
});

test("a process that is killed: what it received is not fetched again", async () => {
  using machine = createTestStore();
  const half = layer.length >> 1;
  await using stalling = await serveImage((_, response) => {
    response.writeHead(200, { "content-length": layer.length });
    response.write(layer.subarray(0, half));
  });
  const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
  const script = `
    import { Store } from ${module("../store/store.ts")};
    import { quickClient } from ${module("../registry/fixtures/loopback-server.ts")};
    import { pullTask } from ${module("pull-task.ts")};
    const client = quickClient({ timeouts: { idleMs: 600000 } });
    const task = pullTask(Store.open(${JSON.stringify(machine.root)}), async () => client, ${JSON.stringify(`${stalling.host}/app:1`)}, { platform: "linux/amd64" });
    for await (const event of task) console.log(event.status, event.current ?? "");`;
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module-typescript", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of child.stdout) if (String(line).includes("Downloading")) break;
  child.kill("SIGKILL");
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  const [kept = 0] = partials(machine.store);
  assert.ok(kept > 0 && kept <= half, `${kept} of ${half} bytes`);
  await using registry = await serveImage(sendLayer);
  await pull(machine.store, registry);
  assert.deepEqual([rangesOf(registry), partials(machine.store)], [[`bytes=${kept}-`], []]);
});

test("a registry without ranges sends all again, and the blob is whole", async () => {
  using machine = createTestStore();
  writeFileSync(join(machine.store.layout.partial, digestOf(layer).replace(":", "-")), layer.subarray(0, 1000));
  await using registry = await serveImage(send(layer, "application/octet-stream"));
  await pull(machine.store, registry);
  assert.ok(readFileSync(machine.store.blobs.path(digestOf(layer))).equals(layer));
});

describe("what is kept and is of no use", () => {
  const cases: readonly (readonly [string, Buffer, readonly (string | undefined)[]])[] = [
    ["other bytes, as after a loss of power", Buffer.alloc(5000), ["bytes=5000-", undefined]],
    ["more bytes than the blob has", Buffer.alloc(layer.length + 1), [undefined]],
    ["all of them, wrong", Buffer.alloc(layer.length), [undefined]],
    ["all of them, right", layer, []],
  ];
  for (const [name, bytes, ranges] of cases) {
    test(name, async () => {
      using machine = createTestStore();
      writeFileSync(join(machine.store.layout.partial, digestOf(layer).replace(":", "-")), bytes);
      await using registry = await serveImage(sendLayer);
      await pull(machine.store, registry);
      assert.deepEqual([rangesOf(registry), partials(machine.store)], [ranges, []]);
      assert.ok(readFileSync(machine.store.blobs.path(digestOf(layer))).equals(layer));
    });
  }
});

test("several that pull the same at once fetch it once", async () => {
  using machine = createTestStore();
  await using registry = await serveImage(sendLayer);
  const stores = [machine.store, machine.reopen(), machine.reopen()];
  await Promise.all(stores.map((store) => pull(store, registry)));
  assert.deepEqual([rangesOf(registry), partials(machine.store)], [[undefined], []]);
  assert.ok(stores.every((store) => store.images.byName(`${registry.host}/app:1`) !== undefined));
});

test("wrong bytes leave nothing to go on from", async () => {
  using machine = createTestStore();
  await using registry = await serveImage(send(Buffer.alloc(layer.length), "application/octet-stream"));
  await assert.rejects(pull(machine.store, registry), (error) => isSlipwayError(error, "DIGEST_MISMATCH"));
  assert.deepEqual(partials(machine.store), []);
});

test("collection removes what nobody went on with for a day, and nothing younger", () => {
  using machine = createTestStore();
  const { partial } = machine.store.layout;
  for (const name of ["sha256-old", "sha256-new"]) writeFileSync(join(partial, name), "");
  truncateSync(join(partial, "sha256-old"), 12);
  const longAgo = new Date(Date.now() - 25 * 3600 * 1000);
  utimesSync(join(partial, "sha256-old"), longAgo, longAgo);
  assert.equal(machine.store.collect().reclaimedBytes, 12);
  assert.deepEqual(readdirSync(partial), ["sha256-new"]);
});
