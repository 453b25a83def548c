import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatPlatform, hostPlatform } from "../../oci/platform.ts";
import type { BuildOptions } from "../api.ts";
import { targetPlatforms } from "./target-platforms.ts";

const host = formatPlatform(hostPlatform());

function targets(platforms: readonly string[] | undefined, outputs: BuildOptions["outputs"] = []): ReturnType<typeof targetPlatforms> {
  return targetPlatforms({ outputs, ...(platforms === undefined ? {} : { platforms }) });
}

describe("target platforms", () => {
  const cases: readonly (readonly [name: string, words: readonly string[] | undefined, want: readonly string[], given: boolean, several: boolean])[] = [
    ["none: this machine's", undefined, [host], false, false],
    ["one", ["linux/s390x"], ["linux/s390x"], true, false],
    ["a list, and more words", ["linux/amd64,linux/arm64", "linux/arm/v7"], ["linux/amd64", "linux/arm64", "linux/arm/v7"], true, true],
    ["the machine by its name", ["local,linux/s390x"], [host, "linux/s390x"], true, true],
    ["normalised", ["aarch64,linux/x86_64,linux/arm64/v9"], ["linux/arm64", "linux/amd64", "linux/arm64/v9"], true, true],
    ["one of them twice: once, and still an index", ["linux/arm64,linux/arm64/v8"], ["linux/arm64"], true, true],
  ];
  for (const [name, words, want, given, several] of cases) {
    test(name, () => {
      const found = targets(words);
      assert.deepEqual([found.platforms.map(formatPlatform), found.given, found.several], [want, given, several]);
    });
  }

  test("what is named twice is told", () => {
    assert.deepEqual(targets(["linux/arm64,linux/amd64,linux/arm64/v8,linux/arm64"]).repeated, ["linux/arm64"]);
  });

  test("BUILDKIT_MULTI_PLATFORM makes an index of one, too", () => {
    const of = (text: string): boolean => targetPlatforms({ buildArgs: { BUILDKIT_MULTI_PLATFORM: text } }).several;
    assert.deepEqual([of("1"), of("True"), of("0"), of("")], [true, true, false, false]);
    assert.throws(() => of("yes"), { code: "INVALID_BUILD_ARG", message: "invalid boolean value for multi-platform: yes" });
  });

  test("what is none", () => {
    assert.throws(() => targets(["linux/amd64,nope"]), { code: "INVALID_PLATFORM", message: /"nope": unknown operating system or architecture/ });
    assert.throws(() => targets(["linux/am*64"]), { code: "INVALID_PLATFORM", message: /"linux\/am\*64": wildcards not yet supported/ });
    assert.throws(() => targets(["linux/a/b/c"]), { code: "INVALID_PLATFORM", message: /"linux\/a\/b\/c": cannot parse platform specifier/ });
  });

  test("an archive for docker load holds one", () => {
    const output = { type: "docker", dest: "x.tar", attributes: {} } as const;
    assert.throws(() => targets(["linux/amd64,linux/arm64"], [output]), {
      code: "SEVERAL_PLATFORMS",
      message: "docker exporter does not support exporting manifest lists, use the oci exporter instead",
    });
    assert.equal(targets(["linux/arm64"], [output]).several, false);
    assert.equal(targets(["linux/amd64,linux/arm64"], [{ ...output, type: "oci" }]).several, true);
  });
});
