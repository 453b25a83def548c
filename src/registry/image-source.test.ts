import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digestOf } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import type { Descriptor, Index } from "../oci/manifest.ts";
import { parsePlatform } from "../oci/platform.ts";
import { platformsOf, selectManifest } from "./image-source.ts";

function entry(name: string, platform?: string, annotations?: Record<string, string>): Descriptor {
  const [os = "", architecture = "", variant] = platform?.split("/") ?? [];
  return {
    mediaType: mediaTypes.ociManifest,
    digest: digestOf(name),
    size: 1,
    ...(platform === undefined ? {} : { platform: variant === undefined ? { os, architecture } : { os, architecture, variant } }),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

const indexOf = (...manifests: Descriptor[]): Index => ({ schemaVersion: 2, manifests });
const attestation = entry("att", "unknown/unknown", { "vnd.docker.reference.type": "attestation-manifest" });

describe("selectManifest", () => {
  const table: readonly [name: string, want: string, platform: string, entries: readonly Descriptor[]][] = [
    ["the exact one", "b", "linux/arm64", [entry("a", "linux/amd64"), entry("b", "linux/arm64")]],
    ["the first of two", "a", "linux/amd64", [entry("a", "linux/amd64"), entry("b", "linux/amd64")]],
    ["the nearest variant below", "v6", "linux/arm/v7", [entry("v5", "linux/arm/v5"), entry("v6", "linux/arm/v6"), entry("v8", "linux/arm/v8")]],
    ["arm64 written with its variant", "b", "linux/arm64", [entry("a", "linux/arm/v7"), entry("b", "linux/arm64/v8")]],
    ["one without platform when nothing else fits", "x", "linux/amd64", [entry("x"), entry("b", "linux/arm64")]],
    ["one with the platform before one without", "b", "linux/amd64", [entry("x"), entry("b", "linux/amd64")]],
    ["never an attestation", "b", "linux/amd64", [attestation, entry("b", "linux/amd64")]],
    [
      "nor one that is told by its annotation only",
      "b",
      "linux/amd64",
      [entry("x", undefined, { "vnd.docker.reference.type": "attestation-manifest" }), entry("b", "linux/amd64")],
    ],
  ];
  for (const [name, want, platform, entries] of table) {
    test(name, () => assert.equal(selectManifest(indexOf(...entries), parsePlatform(platform)).digest, digestOf(want)));
  }

  test("none fits: the error names those that there are", () => {
    const index = indexOf(entry("a", "linux/arm64"), entry("b", "linux/arm/v7"), entry("c", "linux/arm64"), attestation);
    assert.throws(() => selectManifest(index, parsePlatform("linux/amd64")), {
      kind: "not_found",
      code: "NO_MATCHING_PLATFORM",
      message: "no match for platform in manifest: want linux/amd64, the image has linux/arm64, linux/arm/v7",
    });
    assert.throws(() => selectManifest(indexOf(attestation), parsePlatform("linux/amd64")), { message: /the image has none$/ });
    assert.deepEqual(platformsOf(index), ["linux/arm64", "linux/arm/v7"]);
  });
});
