import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import type { Digest } from "../../oci/digest.ts";
import type { ImageConfig } from "../../oci/image-config.ts";
import { lower, type TestOptions } from "../../graph/test-lowering.ts";
import { setFields } from "../images/config-fields.ts";
import { assembleConfig, formatTime } from "./assemble-config.ts";

interface Recorded extends Pick<TestOptions, "buildArgs" | "labels"> {
  readonly name: string;
  readonly dockerfile: string;
  readonly target?: string;
  /** the bytes of `docker save` */
  readonly config: string;
}

const recorded = JSON.parse(readFileSync(new URL("../../graph/testdata/configs.json", import.meta.url), "utf8")) as Recorded[];
const isBuilt = ({ comment }: { readonly comment?: string }): boolean => comment === "buildkit.dockerfile.v0";

describe("byte for byte what Docker writes, from the same layers and times", () => {
  for (const { name, dockerfile, config, buildArgs, labels, target } of recorded) {
    test(name, () => {
      const want = JSON.parse(config) as ImageConfig;
      const lowered = lower(dockerfile, {
        ...(buildArgs === undefined ? {} : { buildArgs }),
        ...(labels === undefined ? {} : { labels }),
        ...(target === undefined ? {} : { target }),
      });
      const history = want.history ?? [];
      const times = new Map(lowered.image.history.map((line, index) => [line, history.filter(isBuilt)[index]?.created]));
      const bytes = assembleConfig({
        image: { ...lowered.image, baseHistory: history.filter((entry) => !isBuilt(entry)) },
        chain: want.rootfs.diff_ids ?? [],
        layerTime: (line) => (line.vertex === undefined ? undefined : Date.parse(times.get(line) ?? "")),
        epoch: lowered.epoch,
        nowMs: Date.parse(want.created ?? ""),
        squashed: 0,
      });
      assert.equal(bytes, config);
    });
  }
});

const layer = `sha256:${"a".repeat(64)}` as Digest;

test("SOURCE_DATE_EPOCH bounds the history's times and dates an image without one", () => {
  const { image } = lower("FROM scratch\nWORKDIR /a\nENV A=1\n", { buildArgs: { SOURCE_DATE_EPOCH: "1000" } });
  const options = { image, chain: [layer], epoch: 1000, nowMs: 5e12, squashed: 0 };
  const built = JSON.parse(assembleConfig({ ...options, layerTime: (line) => (line.vertex === undefined ? undefined : 4e12) })) as ImageConfig;
  assert.deepEqual(
    [built.created, ...(built.history ?? []).map(({ created }) => created)],
    Array.from({ length: 3 }, () => "1970-01-01T00:16:40Z"),
  );
  const empty = JSON.parse(assembleConfig({ ...options, image: { ...image, history: [] }, chain: [], layerTime: () => undefined })) as ImageConfig;
  assert.deepEqual([empty.created, empty.rootfs.diff_ids, empty.history], ["1970-01-01T00:16:40Z", null, null]);
});

test("squashed: lines above the base have no layer of their own", () => {
  const { image } = lower("FROM scratch\nWORKDIR /a\nWORKDIR /b\n");
  const config = JSON.parse(assembleConfig({ image, chain: [layer], layerTime: () => 0, epoch: undefined, nowMs: 0, squashed: 2 })) as ImageConfig;
  assert.deepEqual(
    config.history?.map(({ empty_layer, comment }) => [empty_layer, comment]),
    [
      [true, "buildkit.dockerfile.v0"],
      [true, "buildkit.dockerfile.v0"],
      [undefined, "create new from 2 layers"],
    ],
  );
});

test("empty members vanish, maps are sorted", () => {
  const config = { Labels: { b: "1", a: "2" }, User: "", Cmd: [], Env: ["A=1"], ExposedPorts: {}, ArgsEscaped: false, Volumes: { "/v": {} } };
  assert.equal(JSON.stringify(setFields(config)), '{"Env":["A=1"],"Volumes":{"/v":{}},"Labels":{"a":"2","b":"1"}}');
});

test("times as Go prints them", () => {
  assert.deepEqual([0, 1500, 10, 120].map(formatTime), [
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:01.5Z",
    "1970-01-01T00:00:00.01Z",
    "1970-01-01T00:00:00.12Z",
  ]);
});
