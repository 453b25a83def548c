import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { digestOf } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { hostPlatform } from "../../oci/platform.ts";
import { addImage, configOf, openTestStore, readAll, streamOf, tarOf, testLayer } from "../images/test-images.ts";
import { inspectImage } from "../images/inspect.ts";
import { archiveSource } from "../transports/archive-source.ts";
import { loadImages, loadTask } from "./load.ts";
import { saveImages } from "./save.ts";

const layer = testLayer("one");
const config = configOf({});
const id = digestOf(config);

type Files = Readonly<Record<string, string | Uint8Array>>;

/** What `docker save` wrote before there were OCI layouts: layers under directories of their own, equal ones linked. */
const classic: Files = {
  [`${"1".repeat(64)}/VERSION`]: "1.0",
  [`${"1".repeat(64)}/json`]: "{}",
  [`${"1".repeat(64)}/layer.tar`]: layer,
  [`${"2".repeat(64)}/layer.tar`]: `→../${"1".repeat(64)}/layer.tar`,
  [`${id.slice(7)}.json`]: config,
  "manifest.json": manifestJson({ Layers: [`${"2".repeat(64)}/layer.tar`] }),
  repositories: '{"a":{"1":"2222"}}',
};

function manifestJson(changes: object = {}): string {
  return JSON.stringify([{ Config: `${id.slice(7)}.json`, RepoTags: ["a:1"], Layers: ["l.tar"], ...changes }]);
}

function blob(bytes: Uint8Array | string): Files {
  return { [`blobs/sha256/${digestOf(bytes).slice(7)}`]: bytes };
}

function descriptor(bytes: Uint8Array | string, mediaType: string, more: object = {}): object {
  return { mediaType, digest: digestOf(bytes), size: Buffer.from(bytes).length, ...more };
}

function ociLayout(options: { readonly layerBytes?: Buffer; readonly nested?: boolean; readonly annotations?: object } = {}): Files {
  const { layerBytes = gzipSync(layer), nested = false, annotations = { "io.containerd.image.name": "docker.io/library/o:1" } } = options;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptor(config, mediaTypes.ociConfig),
    layers: [descriptor(layerBytes, mediaTypes.ociLayerGzip)],
  });
  const attestation = { platform: { os: "unknown", architecture: "unknown" }, annotations: { "vnd.docker.reference.type": "attestation-manifest" } };
  const others = [descriptor("gone", mediaTypes.ociManifest, attestation), descriptor("absent", mediaTypes.ociManifest, { platform: hostPlatform() })];
  const inner = JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: [...others, descriptor(manifest, mediaTypes.ociManifest, { platform: hostPlatform() })],
  });
  const top = nested ? descriptor(inner, mediaTypes.ociIndex, { annotations }) : descriptor(manifest, mediaTypes.ociManifest, { annotations });
  return {
    ...blob(config),
    ...blob(layerBytes),
    ...blob(manifest),
    ...(nested ? blob(inner) : {}),
    "index.json": JSON.stringify({ schemaVersion: 2, manifests: [top] }),
    "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
  };
}

describe("what is understood", () => {
  const cases: readonly (readonly [string, Uint8Array, readonly string[]])[] = [
    ["docker-archive with linked layers", tarOf(classic), ["a:1"]],
    ["the manifest before the blobs", tarOf(Object.fromEntries(Object.entries(classic).toReversed())), ["a:1"]],
    ["gzip", gzipSync(tarOf(classic)), ["a:1"]],
    ["zstd", zstdCompressSync(tarOf(classic)), ["a:1"]],
    ["a compressed layer under a plain name", tarOf({ ...classic, [`${"1".repeat(64)}/layer.tar`]: gzipSync(layer) }), ["a:1"]],
    ["names that begin with ./", tarOf(Object.fromEntries(Object.entries(classic).map(([path, bytes]) => [`./${path}`, bytes]))), ["a:1"]],
    ["without names", tarOf({ ...classic, "manifest.json": manifestJson({ RepoTags: null, Layers: [`${"1".repeat(64)}/layer.tar`] }) }), [id]],
    ["OCI layout", tarOf(ociLayout()), ["o:1"]],
    ["OCI layout with an index below the index", tarOf(ociLayout({ nested: true })), ["o:1"]],
    ["OCI layout whose media type is not the layer's form", tarOf(ociLayout({ layerBytes: layer })), ["o:1"]],
    ["a whole reference as the ref name", tarOf(ociLayout({ annotations: { "org.opencontainers.image.ref.name": "localhost/p:2" } })), ["localhost/p:2"]],
    ["a bare tag names nothing", tarOf(ociLayout({ annotations: { "org.opencontainers.image.ref.name": "latest" } })), [id]],
    [
      "names of manifest.json where the index has none",
      tarOf({ ...ociLayout({ annotations: {} }), "manifest.json": manifestJson({ Config: `blobs/sha256/${id.slice(7)}`, RepoTags: ["m:1", "m:2"] }) }),
      ["m:1", "m:2"],
    ],
  ];
  for (const [name, archive, want] of cases) {
    test(name, async () => {
      using box = openTestStore();
      const { loaded } = await loadImages(box.store, streamOf(archive));
      assert.deepEqual(
        loaded.map((image) => ("name" in image ? image.name : image.id)),
        want,
      );
      assert.equal(inspectImage(box.store, want[0]!).Id, id);
      const store = box.reopen();
      store.collect();
      // All that the image needs is its own, not this process's.
      for await (const chunk of store.materializer.tar(digestOf(layer))) assert.ok(chunk.length > 0);
    });
  }

  test("manifest.json beside an index that has the same image, and names a config that is not here", async () => {
    using box = openTestStore();
    const entries = [...(JSON.parse(manifestJson({ Config: `blobs/sha256/${id.slice(7)}`, RepoTags: ["o:1", "p:1"] })) as object[]), { Config: "gone.json" }];
    const archive = tarOf({ ...ociLayout({ nested: true }), "manifest.json": JSON.stringify(entries) });
    assert.deepEqual((await loadImages(box.store, streamOf(archive))).loaded, [{ name: "o:1" }]);
    const file = join(box.root, "a.tar");
    writeFileSync(file, archive);
    await using source = await archiveSource("a.tar", file, undefined);
    assert.equal((await source.root()).descriptor.mediaType, mediaTypes.ociIndex);
  });

  test("what was saved is loaded, byte for byte", async () => {
    using from = openTestStore();
    using to = openTestStore();
    addImage(from.store, { names: ["docker.io/library/a:1", "docker.io/library/b:2"], layers: ["x", "y"], form: "gzip" });
    addImage(from.store, { names: ["docker.io/library/c:1"], layers: ["x", String(randomBytes(100_000).toString("hex"))] });
    const archive = await readAll(saveImages(from.store, ["a:1", "b:2", "c:1"]));
    const { loaded } = await loadTask(to.store, streamOf(archive.subarray(0, 700), archive.subarray(700))).result;
    assert.deepEqual(loaded, [{ name: "a:1" }, { name: "b:2" }, { name: "c:1" }]);
    assert.deepEqual(await readAll(saveImages(to.store, ["a:1", "b:2", "c:1"])), archive);
  });
});

describe("what is refused, and leaves nothing", () => {
  const other = gzipSync(testLayer("another"));
  const wrong = { [`blobs/sha256/${digestOf(config).slice(7)}`]: Buffer.concat([config, Buffer.from(" ")]) };
  const large = { [`blobs/sha256/${"0".repeat(64)}`]: randomBytes(100_000) };
  const without = (files: Files, path: string): Files => Object.fromEntries(Object.entries(files).filter(([name]) => name !== path));
  const layout = ociLayout();
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ["nothing", Buffer.alloc(0), "ARCHIVE_INVALID"],
    ["no archive", randomBytes(2000), "TAR_CORRUPT"],
    ["a tar of something else", tarOf({ a: "b" }), "ARCHIVE_INVALID"],
    ["cut off", tarOf(classic).subarray(0, 3000), "TAR_TRUNCATED"],
    ["cut off inside gzip", gzipSync(tarOf(classic)).subarray(0, 200), "COMPRESSION_TRUNCATED"],
    ["a small blob that is not what its name says", tarOf({ ...layout, ...wrong }), "DIGEST_MISMATCH"],
    ["a large one", tarOf({ ...layout, ...large }), "DIGEST_MISMATCH"],
    ["another layer than the config names", tarOf({ ...classic, [`${"1".repeat(64)}/layer.tar`]: other }), "DIFF_ID_MISMATCH"],
    ["a missing layer", tarOf(without(classic, `${"1".repeat(64)}/layer.tar`)), "ARCHIVE_INVALID"],
    ["a missing config", tarOf(without(classic, `${id.slice(7)}.json`)), "ARCHIVE_INVALID"],
    ["a missing manifest", tarOf({ "oci-layout": layout["oci-layout"]!, "index.json": layout["index.json"]! }), "ARCHIVE_INVALID"],
    ["fewer layers than the config has", tarOf({ ...classic, "manifest.json": manifestJson({ Layers: [] }) }), "ARCHIVE_INVALID"],
    ["a config outside of the archive", tarOf({ ...classic, "manifest.json": manifestJson({ Config: "../../etc/passwd" }) }), "TAR_PATH_ESCAPES"],
    ["a file outside", tarOf({ ...classic, "../x": "y" }), "TAR_PATH_ESCAPES"],
    ["a link outside", tarOf({ ...classic, x: "→../../etc/passwd" }), "TAR_PATH_ESCAPES"],
    ["links in a circle", tarOf({ ...classic, "l.tar": "→m.tar", "m.tar": "→l.tar", "manifest.json": manifestJson() }), "ARCHIVE_INVALID"],
    ["two files of a name", Buffer.concat([tarOf({ "manifest.json": "[]" }).subarray(0, 1024), tarOf(classic)]), "ARCHIVE_INVALID"],
    ["a manifest that is no list", tarOf({ ...classic, "manifest.json": "{}" }), "INVALID_DOCUMENT"],
    ["no JSON", tarOf({ ...classic, "manifest.json": "x" }), "INVALID_DOCUMENT"],
    ["JSON that is too deep", tarOf({ ...classic, "manifest.json": "[".repeat(100) }), "INVALID_DOCUMENT"],
    ["a name that is none", tarOf({ ...classic, "manifest.json": manifestJson({ RepoTags: ["A B"] }) }), "INVALID_REFERENCE"],
    ["a document without bounds", tarOf({ ...classic, "manifest.json": " ".repeat(5_000_000) }), "DOCUMENT_TOO_LARGE"],
  ];
  const evil = configOf({ layers: ["one"], created: "2020-01-01T00:00:00Z" });
  const both = (entries: object): Uint8Array => tarOf({ ...layout, ...blob(evil), "manifest.json": JSON.stringify([entries]) });
  const named = { RepoTags: ["o:1"], Layers: [] };
  const confused: readonly (readonly [string, Uint8Array, string])[] = [
    ["manifest.json with another image than index.json", both({ Config: `blobs/sha256/${digestOf(evil).slice(7)}`, ...named }), "ARCHIVE_INVALID"],
    ["manifest.json with an image that index.json lacks", both({ Config: `blobs/sha256/${digestOf(evil).slice(7)}`, RepoTags: [] }), "ARCHIVE_INVALID"],
    ["two manifest.json", Buffer.concat([tarOf({ "manifest.json": "[]" }).subarray(0, 1024), tarOf(classic)]), "ARCHIVE_INVALID"],
    ["two index.json", Buffer.concat([tarOf({ "index.json": "{}" }).subarray(0, 1024), tarOf(layout)]), "ARCHIVE_INVALID"],
  ];
  for (const [name, archive, code] of confused) {
    test(`opened where it lies: ${name}`, async () => {
      using box = openTestStore();
      const file = join(box.root, "a.tar");
      writeFileSync(file, archive);
      await assert.rejects(archiveSource("a.tar", file, undefined), { code });
    });
  }
  for (const [name, archive, code] of [...cases, ...confused]) {
    test(name, async () => {
      using box = openTestStore();
      await assert.rejects(loadImages(box.store, streamOf(archive)), { code });
      const store = box.reopen();
      store.collect();
      assert.deepEqual([store.images.all(), store.orphans()], [[], []]);
      assert.equal(store.blobs.has(digestOf(layer)), false);
    });
  }

  test("the second of two images is wrong: neither appears", async () => {
    using box = openTestStore();
    const two = JSON.stringify([
      ...(JSON.parse(manifestJson({ Layers: [`${"1".repeat(64)}/layer.tar`] })) as object[]),
      { Config: "nope.json", RepoTags: ["b:1"], Layers: [] },
    ]);
    await assert.rejects(loadImages(box.store, streamOf(tarOf({ ...classic, "manifest.json": two }))), { code: "ARCHIVE_INVALID" });
    assert.deepEqual(box.store.images.all(), []);
  });
});
