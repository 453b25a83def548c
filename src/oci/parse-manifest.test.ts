import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { digestOf } from "./digest.ts";
import { mediaTypes } from "./manifest.ts";
import { parseImageConfig } from "./parse-image-config.ts";
import { parseIndex, parseManifest, parseManifestOrIndex } from "./parse-manifest.ts";

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
const digest = digestOf("x");
const config = { mediaType: mediaTypes.ociConfig, digest, size: 2 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest, size: 5 };
const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const index = { schemaVersion: 2, manifests: [{ mediaType: mediaTypes.ociManifest, digest, size: 9, platform: { os: "linux", architecture: "amd64" } }] };

test("a manifest is read with its known fields, the others are dropped", () => {
  const parsed = parseManifest(bytes({ ...manifest, annotations: { a: "b" }, surprise: 1, subject: null }));
  assert.deepEqual(parsed, { ...manifest, annotations: { a: "b" } });
  assert.deepEqual(parseManifest(bytes({ ...manifest, layers: null })).layers, []);
});

test("the media type is the document's own, else the served one, else OCI's", () => {
  const { mediaType: _, ...bare } = manifest;
  assert.equal(parseManifestOrIndex(bytes(manifest), "text/plain").mediaType, mediaTypes.ociManifest);
  assert.equal(parseManifestOrIndex(bytes(bare), mediaTypes.dockerManifest).mediaType, mediaTypes.dockerManifest);
  assert.equal(parseManifestOrIndex(bytes(bare), "application/json").mediaType, mediaTypes.ociManifest);
  assert.equal(parseManifestOrIndex(bytes(index)).mediaType, mediaTypes.ociIndex);
  assert.deepEqual(parseIndex(bytes(index)).manifests, index.manifests);
});

describe("documents that are refused", () => {
  const table: readonly [name: string, document: unknown, message: RegExp, served?: string][] = [
    ["empty", "", /not UTF-8 JSON/],
    ["not JSON", "<html>", /not UTF-8 JSON/],
    ["a list", "[]", /not a JSON object/],
    ["deeply nested", `{"a":${"[".repeat(200)}${"]".repeat(200)}}`, /nested deeper than 32/],
    ["deeply nested and cut", `{"a":${"[".repeat(1e6)}`, /nested deeper than 32/],
    ["no schema version", { ...manifest, schemaVersion: undefined }, /schemaVersion: want 2/],
    ["no config", { ...manifest, config: undefined }, /config: want a descriptor/],
    ["digest missing", { ...manifest, config: { ...config, digest: undefined } }, /config\.digest: want/],
    ["digest of another kind", { ...manifest, layers: [{ ...layer, digest: "md5:abc" }] }, /layers\[0\]\.digest: want sha256/],
    ["digest with a path", { ...manifest, layers: [{ ...layer, digest: `sha256:../${"a".repeat(61)}` }] }, /layers\[0\]\.digest/],
    ["negative size", { ...manifest, layers: [layer, { ...layer, size: -1 }] }, /layers\[1\]\.size: want an integer, 0 or more/],
    ["broken size", { ...manifest, layers: [{ ...layer, size: 1.5 }] }, /layers\[0\]\.size: want an integer/],
    ["size beyond integers", `{"schemaVersion":2,"config":{"mediaType":"a","digest":"${digest}","size":1e300}}`, /config\.size: want an integer/],
    ["layers not a list", { ...manifest, layers: {} }, /layers: want a list/],
    ["annotation not a string", { ...manifest, annotations: { a: 1 } }, /annotations\.a: want a string/],
    ["manifest and index at once", { ...manifest, manifests: [] }, /a manifest and an index at once/],
    ["manifest to some readers and index to others", { ...manifest, Manifests: [] }, /"Manifests" is a key of images to some readers/],
    ["manifest with a letter that Go takes for another", { ...manifest, manifeſts: [] }, /is a key of images to some readers/],
    ["two media types by case", { ...manifest, MediaType: "x" }, /"MediaType" is a key of images to some readers/],
    ["index served as manifest", index, /content is that of an image index/, mediaTypes.ociManifest],
    ["manifest served as index", manifest, /content is that of an image manifest/, mediaTypes.dockerIndex],
    ["manifest that calls itself an index", { ...manifest, mediaType: mediaTypes.ociIndex }, /content is that of an image manifest/],
  ];
  for (const [name, document, message, served] of table) {
    test(name, () => {
      assert.throws(() => parseManifestOrIndex(bytes(document), served), { code: "INVALID_DOCUMENT", kind: "invalid_argument", message });
    });
  }

  test("larger than 4 MiB", () => {
    assert.throws(() => parseManifest(new Uint8Array(4 * 1024 * 1024 + 1)), { code: "DOCUMENT_TOO_LARGE", kind: "resource_exhausted" });
  });

  for (const document of [
    { schemaVersion: 1, fsLayers: [] },
    { schemaVersion: 2, mediaType: mediaTypes.dockerSchema1Signed },
  ]) {
    test(`schema 1: ${JSON.stringify(document)}`, () => {
      assert.throws(() => parseManifest(bytes(document)), { code: "SCHEMA1_MANIFEST", kind: "unsupported", message: /schema 1 are no longer supported/ });
    });
  }

  test("the other kind than was asked for", () => {
    assert.throws(() => parseManifest(bytes(index)), { code: "INVALID_DOCUMENT", message: /it is an image index/ });
    assert.throws(() => parseIndex(bytes(manifest)), { code: "INVALID_DOCUMENT", message: /it is an image manifest/ });
  });
});

test("a key named __proto__ is only a key", () => {
  const parsed = parseManifest(bytes(JSON.stringify({ ...manifest, annotations: { A: "1" } }).replace('"A"', '"__proto__"')));
  assert.equal(Object.getPrototypeOf(parsed.annotations), Object.prototype);
  assert.deepEqual(Object.keys(parsed.annotations ?? {}), ["__proto__"]);
});

describe("image configs", () => {
  const image = {
    architecture: "arm64",
    os: "linux",
    variant: "v8",
    config: { Env: ["A=1"], Cmd: ["sh"], ExposedPorts: { "80/tcp": {} } },
    rootfs: { type: "layers", diff_ids: [digest] },
  };

  test("known fields are kept", () => {
    const full = {
      ...image,
      config: {
        ...image.config,
        Healthcheck: { Test: ["CMD", "true"], Interval: 3e9 },
        OnBuild: ["RUN x"],
        Labels: { a: "b" },
        Shell: ["/bin/bash"],
        ArgsEscaped: true,
      },
      history: [{ created: "2024-01-01T00:00:00Z", created_by: "RUN x", empty_layer: true }],
    };
    assert.deepEqual(parseImageConfig(bytes({ ...full, docker_version: "1", container_config: {} })), full);
  });

  test("Go's empty values are accepted", () => {
    const parsed = parseImageConfig(bytes({ architecture: "amd64", os: "linux", config: null, rootfs: { type: "layers", diff_ids: null }, history: null }));
    assert.deepEqual(parsed, { architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [] } });
    assert.deepEqual(parseImageConfig(bytes({ ...image, config: { Env: null, Entrypoint: null, Labels: null, Volumes: null } })).config, {});
  });

  const refused: readonly [name: string, document: unknown, message: RegExp][] = [
    ["no rootfs", { ...image, rootfs: undefined }, /rootfs: want an object/],
    ["Cmd as text", { ...image, config: { Cmd: "sh" } }, /config\.Cmd: want a list of strings/],
    ["Env of numbers", { ...image, config: { Env: [1] } }, /config\.Env\[0\]: want a string/],
    ["diffID broken", { ...image, rootfs: { type: "layers", diff_ids: ["sha256:x"] } }, /rootfs\.diff_ids\[0\]/],
    ["rootfs of another type", { ...image, rootfs: { type: "vhd" } }, /want "layers"/],
    ["history of text", { ...image, history: ["x"] }, /history\[0\]: want an object/],
    ["not UTF-8", "", /not UTF-8 JSON/],
  ];
  for (const [name, document, message] of refused) {
    test(`refused: ${name}`, () => {
      assert.throws(
        () => parseImageConfig(name === "not UTF-8" ? new Uint8Array([0x7b, 0xff, 0x7d]) : bytes(document)),
        (error: unknown) => isSlipwayError(error, "INVALID_DOCUMENT") && message.test(error.message),
      );
    });
  }
});
