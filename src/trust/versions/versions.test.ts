import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import semver from "semver";
import { fc } from "../../base/test-chance.ts";
import { packageTypes, type PackageType } from "../packages/package.ts";
import { compareVersions } from "./compare-versions.ts";

const signs = ["<", "=", ">"] as const;
const signOf = (type: PackageType, a: string, b: string): string => signs[Math.sign(compareVersions[type](a, b)) + 1] as string;

/** What dpkg --compare-versions, rpm's vercmp and Maven's ComparableVersion answered. */
for (const type of ["deb", "rpm", "maven"] as const) {
  test(`${type}: thousands of pairs as the real program orders them`, () => {
    const lines = readFileSync(join(import.meta.dirname, `testdata/${type}.txt`), "utf8")
      .split("\n")
      .slice(0, -1);
    const wrong = lines.filter((line) => {
      const [a = "", want, b = ""] = line.split(" ");
      return signOf(type, a, b) !== want;
    });
    assert.ok(lines.length >= 1490);
    assert.deepEqual(wrong, []);
  });
}

/** Each list from the oldest to the newest. */
const ordered: readonly (readonly [PackageType, readonly string[]])[] = [
  ["deb", ["1.0~rc1", "1.0~rc1+b1", "1.0", "1.0-0+deb12u1", "1.0-1", "1.0-1+b1", "1.0a", "1.0+dfsg", "20210101123456789012345-1", "1:0.1", "2:0"]],
  ["rpm", ["1.0~rc1-1", "1.0-1.el9", "1.0-2.el9", "1.0^git1-1", "1.0.1-1", "1:0.1-1"]],
  [
    "apk",
    [
      "1.0_alpha_pre2",
      "1.0_alpha",
      "1.0_alpha2",
      "1.0_beta",
      "1.0_rc1",
      "1.0",
      "1.0-r1",
      "1.0-r10",
      "1.0_git20200101",
      "1.0_p1",
      "1.0a",
      "1.02",
      "1.2",
      "1.10",
      "006",
    ],
  ],
  ["npm", ["1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.10.0"]],
  ["golang", ["v0.0.0-20190101000000-abcdefabcdef", "v0.0.0-20200101000000-abcdefabcdef", "v0.1.0", "1.2.0", "v1.2.1+incompatible", "v1.10.0"]],
  ["golang", ["1.20", "go1.21rc2", "1.21.0", "go1.21.1"]],
  ["pypi", ["1.dev0", "1.0.dev456", "1.0a1", "1.0b2.dev1", "1.0b2", "1.0rc1", "1.0", "1.0+local", "1.0.post1", "1.1", "1!0.1"]],
  ["gem", ["1.0.a", "1.0.a10", "1.0.b1", "1.0.pre.2", "1.0.rc1", "1.0", "1.0.1", "1.1", "1.10"]],
  ["nuget", ["1.0.0-alpha", "1.0.0-Beta", "1.0.0", "1.0.0.1", "1.0.1"]],
  ["composer", ["1.0-dev", "1.0-alpha1", "1.0.0-beta2", "1.0-RC1", "v1.0", "1.0-p1", "1.0.1", "1.10"]],
  ["maven", ["1-alpha-1", "1-beta", "1-m1", "1-rc", "1-SNAPSHOT", "1", "1-sp", "1-jre", "1.1", "1.10"]],
];
for (const [type, list] of ordered) {
  test(`${type}: ${list.join(" < ")}`, () => {
    for (let at = 0; at + 1 < list.length; at++) {
      assert.equal(signOf(type, list[at] as string, list[at + 1] as string), "<", `${list[at]} ${list[at + 1]}`);
    }
  });
}

const equal: readonly (readonly [PackageType, string, string])[] = [
  ["deb", "0:1.0", "1.0"],
  ["rpm", "0:1.0-1", "1.0-1"],
  ["rpm", "1.0", "1.0-5"],
  ["npm", "1.0.0+build", "1.0.0"],
  ["npm", "v1.0", "1.0.0"],
  ["pypi", "1.0.0", "1"],
  ["gem", "1.0", "1"],
  ["nuget", "1.0", "1.0.0.0"],
  ["composer", "v1.0", "1.0.0"],
  ["maven", "1.0.0", "1"],
  ["maven", "1.0-ga", "1-final"],
];
for (const [type, a, b] of equal) test(`${type}: ${a} = ${b}`, () => assert.equal(signOf(type, a, b), "="));

const word = fc.stringMatching(/^[0-9a-c.~^_+:-]{0,8}$/);
for (const type of packageTypes) {
  test(`${type}: any two texts have an order that is the same from both sides`, () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        assert.equal(Math.sign(compareVersions[type](a, b)) + Math.sign(compareVersions[type](b, a)), 0);
        assert.equal(compareVersions[type](a, a), 0);
      }),
    );
  });
}

const number = fc.nat(30).map(String);
const part = fc.oneof(number, fc.constantFrom("alpha", "beta", "rc", "x-y"));
const semantic = fc
  .tuple(number, number, number, fc.array(part, { maxLength: 3 }))
  .map(([a, b, c, rest]) => `${a}.${b}.${c}${rest.length === 0 ? "" : `-${rest.join(".")}`}`);
test("npm: as the library semver orders", () => {
  fc.assert(fc.property(semantic, semantic, (a, b) => assert.equal(Math.sign(compareVersions.npm(a, b)), semver.compare(a, b))));
});
