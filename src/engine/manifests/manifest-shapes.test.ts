/** The fields' order is Docker's: a list's descriptors name the size first, a manifest's the digest. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { listShape, manifestShape } from "./manifest-shapes.ts";

const digest = digestOf(Buffer.from("x"));

for (const [name, config, layer, mediaType] of [
  ["Docker's", mediaTypes.dockerConfig, mediaTypes.dockerLayerGzip, mediaTypes.dockerManifest],
  ["OCI's", mediaTypes.ociConfig, mediaTypes.ociLayerGzip, mediaTypes.ociManifest],
] as const) {
  test(`${name} manifest`, () => {
    const shape = manifestShape({
      schemaVersion: 2,
      mediaType,
      config: { mediaType: config, size: 1, digest },
      layers: [{ mediaType: layer, size: 2, digest }],
    });
    const describe = (type: string, size: number): string => `{"mediaType":"${type}","digest":"${digest}","size":${size}}`;
    assert.equal(JSON.stringify(shape), `{"schemaVersion":2,"mediaType":"${mediaType}","config":${describe(config, 1)},"layers":[${describe(layer, 2)}]}`);
  });
}

test("a list", () => {
  const list = listShape([{ mediaType: mediaTypes.dockerManifest, digest, size: 1, platform: { os: "linux", architecture: "amd64" } }]);
  const entry = `{"mediaType":"${mediaTypes.dockerManifest}","size":1,"digest":"${digest}","platform":{"architecture":"amd64","os":"linux"}}`;
  assert.equal(JSON.stringify(list), `{"schemaVersion":2,"mediaType":"${mediaTypes.dockerIndex}","manifests":[${entry}]}`);
});
