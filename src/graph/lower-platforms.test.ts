/** Builds for several platforms: what steps are called, what platforms have in common, what the image says of itself. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Platform } from "../oci/platform.ts";
import { amd64, createBase, lower, type Lowered, type TestOptions } from "./test-lowering.ts";
import { listVertices } from "./vertex.ts";

const arm64: Platform = { os: "linux", architecture: "arm64" };
const armV7: Platform = { os: "linux", architecture: "arm", variant: "v7" };
const images = [amd64, arm64, armV7].map((platform) => createBase("docker.io/library/b:latest", {}, platform));

function forPlatform(dockerfile: string, targetPlatform: Platform, options: TestOptions = {}): Lowered {
  return lower(dockerfile, { images, targetPlatform, platformGiven: true, showPlatform: true, ...options });
}

function names(lowered: Lowered): readonly string[] {
  return listVertices(lowered.root === undefined ? [] : [lowered.root]).map(({ metadata }) => metadata.name);
}

describe("names of steps, as BuildKit has them", () => {
  const cases: readonly { readonly name: string; readonly dockerfile: string; readonly platform: Platform; readonly want: readonly string[] }[] = [
    {
      name: "the target's platform",
      dockerfile: "FROM b AS x\nRUN 1\n",
      platform: armV7,
      want: ["[linux/arm/v7 x 1/2] FROM docker.io/library/b:latest", "[linux/arm/v7 x 2/2] RUN 1"],
    },
    {
      name: "a stage of the build's platform that does not know the target",
      dockerfile: "FROM --platform=$BUILDPLATFORM b\nRUN 1\n",
      platform: arm64,
      want: ["[linux/amd64 1/2] FROM docker.io/library/b:latest", "[linux/amd64 2/2] RUN 1"],
    },
    {
      name: "one that works for the target",
      dockerfile: "FROM --platform=$BUILDPLATFORM b\nRUN 1\nARG TARGETARCH\nRUN 2\n",
      platform: arm64,
      want: ["[linux/amd64 1/3] FROM docker.io/library/b:latest", "[linux/amd64 2/3] RUN 1", "[linux/amd64->arm64 3/3] RUN 2"],
    },
    {
      name: "with a variant, where all of the platform is declared",
      dockerfile: "FROM --platform=$BUILDPLATFORM b\nARG TARGETPLATFORM\nRUN 1\n",
      platform: armV7,
      want: ["[linux/amd64 1/2] FROM docker.io/library/b:latest", "[linux/amd64->arm/v7 2/2] RUN 1"],
    },
    {
      name: "neither system nor variant alone say for what",
      dockerfile: "FROM --platform=$BUILDPLATFORM b\nARG TARGETOS\nARG TARGETVARIANT\nRUN 1\n",
      platform: armV7,
      want: ["[linux/amd64 1/2] FROM docker.io/library/b:latest", "[linux/amd64 2/2] RUN 1"],
    },
    {
      name: "a stage on another runs where that runs",
      dockerfile: "FROM --platform=$BUILDPLATFORM b AS x\nFROM x AS y\nRUN 1\n",
      platform: arm64,
      want: ["[linux/amd64 x 1/1] FROM docker.io/library/b:latest", "[linux/amd64 y 1/1] RUN 1"],
    },
    {
      name: "an empty image is for the target",
      dockerfile: "FROM --platform=$BUILDPLATFORM scratch\nCOPY a /\n",
      platform: arm64,
      want: ["[internal] load build context", "[linux/arm64 1/1] COPY a /"],
    },
  ];
  for (const { name, dockerfile, platform, want } of cases) test(name, () => assert.deepEqual(names(forPlatform(dockerfile, platform)), want));
});

test("what does not know its platform is the same for all", () => {
  const dockerfile = "FROM --platform=$BUILDPLATFORM b AS x\nRUN 1\nARG TARGETARCH\nRUN 2\nFROM scratch\nCOPY --from=x /a /\n";
  const [one, two] = [forPlatform(dockerfile, amd64), forPlatform(dockerfile, arm64)].map(
    (lowered) => new Map(listVertices(lowered.root === undefined ? [] : [lowered.root]).map(({ digest, metadata }) => [digest, metadata.description])),
  );
  assert.deepEqual(
    [...(one ?? [])].filter(([digest]) => two?.has(digest) === true).map(([, description]) => description),
    ["FROM docker.io/library/b:latest", "RUN 1"],
  );
});

describe("the image's platform", () => {
  const cases: readonly { readonly name: string; readonly dockerfile: string; readonly options?: TestOptions; readonly want: string }[] = [
    {
      name: "is the target's where that was named",
      dockerfile: "FROM --platform=linux/arm64 b\n",
      options: { targetPlatform: armV7, platformGiven: true },
      want: "arm",
    },
    { name: "else the base's", dockerfile: "FROM --platform=linux/arm64 b\n", want: "arm64" },
    { name: "of a stage on a stage the first one's base's", dockerfile: "FROM --platform=linux/arm64 b AS x\nFROM x\n", want: "arm64" },
    { name: "of an empty image the build's", dockerfile: "FROM --platform=linux/arm64 scratch\n", want: "amd64" },
  ];
  for (const { name, dockerfile, options = {}, want } of cases)
    test(name, () => assert.equal(lower(dockerfile, { images, ...options }).image.platform.architecture, want));

  test("a base that lies about it", () => {
    const liar = { ...createBase("docker.io/library/l:latest", {}, arm64), platform: amd64 };
    assert.equal(lower("FROM l\n", { images: [liar] }).image.platform.architecture, "arm64");
  });
});
