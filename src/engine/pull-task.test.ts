import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { digestOf, shortId } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import { blobDescriptor, quickClient, serve, type Handler, type LoopbackServer } from "../registry/fixtures/loopback-server.ts";
import type { Store } from "../store/index.ts";
import type { PullEvent } from "./registry-api.ts";
import { listImages } from "./images/list.ts";
import { addImage, configOf, openTestStore, testLayer } from "./images/test-images.ts";
import { pullTask, type PullOutcome, type PullRequest } from "./pull-task.ts";

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const layers = ["base", "top"].map((content) => gzipSync(testLayer(content)));

/** An image of the first `count` layers, with what a registry answers about it. */
function imageOf(count: number, architecture?: string): { readonly manifest: Buffer; readonly handlers: Readonly<Record<string, Handler>> } {
  const config = configOf({ layers: ["base", "top"].slice(0, count), ...(architecture === undefined ? {} : { architecture }) });
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: blobDescriptor(config, mediaTypes.ociConfig),
    layers: layers.slice(0, count).map((bytes) => blobDescriptor(bytes, mediaTypes.ociLayerGzip)),
  });
  const blobs = [config, ...layers.slice(0, count)].map((bytes) => [`/v2/team/app/blobs/${digestOf(bytes)}`, send(bytes, "application/octet-stream")] as const);
  return { manifest, handlers: Object.fromEntries(blobs) };
}

function send(bytes: Uint8Array, type: string): Handler {
  return (_, response) => void response.writeHead(200, { "content-type": type, "content-length": bytes.length }).end(bytes);
}

async function startRegistry(): Promise<LoopbackServer> {
  const [one, two] = [imageOf(1), imageOf(2)];
  return await serve({
    "/v2/": send(json({}), "application/json"),
    "/v2/team/app/manifests/1": send(one.manifest, mediaTypes.ociManifest),
    "/v2/team/app/manifests/2": send(two.manifest, mediaTypes.ociManifest),
    "/v2/team/app/manifests/index": send(
      json({
        schemaVersion: 2,
        mediaType: mediaTypes.ociIndex,
        manifests: [{ ...blobDescriptor(one.manifest, mediaTypes.ociManifest), platform: { os: "linux", architecture: "s390x" } }],
      }),
      mediaTypes.ociIndex,
    ),
    "/v2/team/app/tags/list": send(json({ tags: ["1", "2"] }), "application/json"),
    ...one.handlers,
    ...two.handlers,
  });
}

async function pull(store: Store, reference: string, options: PullRequest = {}): Promise<{ readonly lines: readonly string[]; readonly outcome: PullOutcome }> {
  await using client = quickClient();
  const task = pullTask(store, async () => client, reference, options);
  const events: PullEvent[] = [];
  for await (const event of task) events.push(event);
  return { lines: events.map(({ id, status }) => (id === undefined ? status : `${id}: ${status}`)), outcome: await task.result };
}

const [base = "", top = ""] = layers.map((bytes) => shortId(digestOf(bytes)));
const download = ["Pulling fs layer", "Downloading", "Verifying Checksum", "Download complete", "Pull complete"];

/** One name for images of three architectures. */
async function startSeveral(): Promise<LoopbackServer> {
  const images = ["amd64", "arm64", "s390x"].map((architecture) => ({ architecture, ...imageOf(1, architecture) }));
  const manifests = images.map(({ architecture, manifest }) => ({
    ...blobDescriptor(manifest, mediaTypes.ociManifest),
    platform: { os: "linux", architecture },
  }));
  const index = send(json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }), mediaTypes.ociIndex);
  const answers = images.map(({ manifest }) => [`/v2/team/app/manifests/${digestOf(manifest)}`, send(manifest, mediaTypes.ociManifest)] as const);
  return await serve({
    "/v2/": send(json({}), "application/json"),
    "/v2/team/app/manifests/1": index,
    "/v2/team/app/manifests/same": index,
    ...Object.fromEntries(answers),
    ...Object.assign({}, ...images.map(({ handlers }) => handlers)),
  });
}

test("the platforms of an index that are pulled one after the other stand together under its names", async () => {
  using box = openTestStore();
  await using registry = await startSeveral();
  const { store } = box;
  const name = `${registry.host}/team/app`;
  const variants = (): readonly (readonly string[])[] =>
    listImages(store).map((image) => [...image.repoTags, ...image.variants.map(({ platform }) => platform)]);
  const amd64 = await pull(store, `${name}:1`, { platform: "linux/amd64" });
  assert.deepEqual(variants(), [[`${name}:1`, "linux/amd64"]]);
  await pull(store, `${name}:1`, { platform: "linux/arm64" });
  assert.deepEqual(variants(), [[`${name}:1`, "linux/amd64", "linux/arm64"]]);
  await pull(store, `${name}:same`, { platform: "linux/s390x" });
  assert.deepEqual(variants(), [[`${name}:1`, `${name}:same`, "linux/amd64", "linux/arm64", "linux/s390x"]]);
  const again = await pull(store, `${name}:1`, { platform: "linux/amd64" });
  assert.deepEqual([again.outcome.status, again.outcome.id], [`Image is up to date for ${name}:1`, amd64.outcome.id]);
  const [index] = listImages(store);
  assert.deepEqual([index?.repoDigests, store.indexes.all().length], [[`${name}@${amd64.outcome.digest}`], 1]);
  store.indexes.remove(store.images.byName(`${name}:1`)!);
  assert.deepEqual([store.images.all(), variants()], [[], []]);
});

test("a store that has the platforms of an index side by side, as they were kept once, joins them with the next pull", async () => {
  using box = openTestStore();
  await using registry = await startSeveral();
  const { store } = box;
  const name = `${registry.host}/team/app`;
  const { outcome } = await pull(store, `${name}:1`, { platform: "linux/amd64" });
  const other = addImage(store, { architecture: "arm64", layers: ["base"], form: "gzip" });
  store.images.addRepoDigest(name, outcome.digest, other);
  await pull(store, `${name}:1`, { platform: "linux/amd64" });
  assert.deepEqual(
    listImages(store).map((image) => [...image.repoTags, ...image.variants.map(({ platform }) => platform).toSorted()]),
    [[`${name}:1`, "linux/amd64", "linux/arm64"]],
  );
});

test("all platforms at once: one name, one index, and up to date the second time", async () => {
  using box = openTestStore();
  await using registry = await startSeveral();
  const { store } = box;
  const name = `${registry.host}/team/app:1`;
  const { lines, outcome } = await pull(store, name, { allPlatforms: true });
  assert.equal(lines.filter((line) => line.endsWith("Pulling from team/app")).length, 1);
  assert.deepEqual(
    listImages(store).map((image) => [...image.repoTags, ...image.variants.map(({ platform }) => platform)]),
    [[name, "linux/amd64", "linux/arm64", "linux/s390x"]],
  );
  assert.equal(store.indexes.get(store.images.byName(name)!)?.document, outcome.digest);
  const requests = registry.requests.filter(({ line }) => line.includes("/manifests/1")).length;
  assert.equal(requests, 1, "the index is fetched once");
  assert.match((await pull(store, name, { allPlatforms: true })).outcome.status, /^Image is up to date/);
  const { outcome: same } = await pull(store, `${registry.host}/team/app:same`, { allPlatforms: true });
  assert.equal(same.digest, outcome.digest);
});

describe("pull", () => {
  test("a new image, the same again, another with a layer of it", async () => {
    using box = openTestStore();
    await using registry = await startRegistry();
    const name = `${registry.host}/team/app`;
    const digest = digestOf(imageOf(1).manifest);
    const first = await pull(box.store, `${name}:1`);
    assert.deepEqual(first.lines, [
      "1: Pulling from team/app",
      ...download.map((status) => `${base}: ${status}`),
      `Digest: ${digest}`,
      `Status: Downloaded newer image for ${name}:1`,
    ]);
    assert.deepEqual(first.outcome, {
      reference: `${name}:1`,
      id: digestOf(configOf({ layers: ["base"] })),
      digest,
      status: `Downloaded newer image for ${name}:1`,
    });
    const again = await pull(box.store, `${name}:1`);
    assert.deepEqual(again.lines, ["1: Pulling from team/app", `Digest: ${digest}`, `Status: Image is up to date for ${name}:1`]);
    const second = await pull(box.store, `${name}:2`);
    assert.deepEqual(second.lines.slice(1, -2), [`${base}: Already exists`, ...download.map((status) => `${top}: ${status}`)]);
    assert.deepEqual(box.store.images.names(second.outcome.id), [`${name}:2`]);
  });

  test("scratch is nothing to pull", async () => {
    using box = openTestStore();
    await assert.rejects(pull(box.store, "scratch"), { code: "INVALID_IMAGE_NAME", message: "'scratch' is a reserved name" });
  });

  test("by digest: the whole name stands where the tag would", async () => {
    using box = openTestStore();
    await using registry = await serve({
      ...imageOf(1).handlers,
      [`/v2/team/app/manifests/${digestOf(imageOf(1).manifest)}`]: send(imageOf(1).manifest, mediaTypes.ociManifest),
    });
    const name = `${registry.host}/team/app@${digestOf(imageOf(1).manifest)}`;
    const { lines, outcome } = await pull(box.store, name);
    assert.equal(lines[0], `${name}: Pulling from team/app`);
    assert.deepEqual(box.store.images.names(outcome.id), []);
    assert.equal(box.store.images.repoDigests(outcome.id).length, 1);
  });

  test("all tags", async () => {
    using box = openTestStore();
    await using registry = await startRegistry();
    const name = `${registry.host}/team/app`;
    const { outcome, lines } = await pull(box.store, name, { allTags: true });
    assert.equal(outcome.reference, name);
    assert.deepEqual(
      lines.filter((line) => line.startsWith("Status")),
      [`Status: Downloaded newer image for ${name}:1`, `Status: Downloaded newer image for ${name}:2`],
    );
    await assert.rejects(pull(box.store, `${name}:1`, { allTags: true }), { code: "TAG_WITH_ALL_TAGS", message: "tag can't be used with --all-tags/-a" });
  });

  test("no image for the platform, none of the name", async () => {
    using box = openTestStore();
    await using registry = await startRegistry();
    await assert.rejects(pull(box.store, `${registry.host}/team/app:index`, { platform: "linux/arm64" }), {
      code: "NO_MATCHING_PLATFORM",
      message: "no matching manifest for linux/arm64 in the manifest list entries: no match for platform in manifest: not found",
      details: {
        platform: "linux/arm64",
        available: ["linux/s390x"],
        resolveMessage: "no match for platform in manifest: not found",
        remedy: "the image has linux/s390x",
      },
    });
    await assert.rejects(pull(box.store, `${registry.host}/team/app:nope`), { kind: "not_found" });
    assert.deepEqual(box.store.images.all(), []);
  });
});

describe("what the registry has instead", () => {
  const chart = json({ name: "chart", version: "1" });
  const manifestOf = (configType: string): Buffer =>
    json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blobDescriptor(chart, configType), layers: [] });
  const names: readonly (readonly [string, string, RegExp])[] = [
    ["application/vnd.cncf.helm.config.v1+json", "NOT_AN_IMAGE", /app:1 is no image but a Helm chart \(application\/vnd\.cncf\.helm\.config\.v1\+json\)$/],
    ["application/vnd.example\u202e+json", "NOT_AN_IMAGE", /app:1 is no image but an artifact \(application\/vnd\.example\+json\)$/],
    [mediaTypes.ociConfig, "INVALID_DOCUMENT", /image config/],
  ];
  for (const [type, code, message] of names) {
    test(`a config of ${JSON.stringify(type)}`, async () => {
      using box = openTestStore();
      await using registry = await serve({
        "/v2/app/manifests/1": send(manifestOf(type), mediaTypes.ociManifest),
        [`/v2/app/blobs/${digestOf(chart)}`]: send(chart, "application/octet-stream"),
      });
      await assert.rejects(pull(box.store, `${registry.host}/app:1`), { code, message });
    });
  }

  test("a tag that is missing: those that are near, from one page of the list", async () => {
    using box = openTestStore();
    await using registry = await serve({
      "/v2/app/tags/list": (_, response) =>
        void response.writeHead(200, { link: '</v2/app/tags/list?last=x>; rel="next"' }).end(json({ tags: ["1.36", "musl", "1.37"] })),
    });
    await assert.rejects(pull(box.store, `${registry.host}/app:1.38`), (error: { code?: string; details?: { remedy?: string } }) => {
      assert.deepEqual([error.code, error.details?.remedy], ["MANIFEST_NOT_FOUND", "tags that are near: 1.37, 1.36"]);
      return true;
    });
    assert.equal(registry.requests.filter(({ line }) => line.includes("tags/list")).length, 1);
  });
});
