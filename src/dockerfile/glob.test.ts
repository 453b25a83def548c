import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compileGlob, hasGlob, matchGlob, splitGlob } from "./glob.ts";

describe("matchGlob", () => {
  const cases: [pattern: string, path: string, expected: boolean][] = [
    ["abc", "abc", true],
    ["*", "abc", true],
    ["*c", "abc", true],
    ["a*", "ab/c", false],
    ["a*/b", "abc/b", true],
    ["a*/b", "a/c/b", false],
    ["a**b", "axb", true],
    ["**", "a/b", false],
    ["a*b?c*x", "abxbbxdbxebxczzx", true],
    ["a*b?c*x", "abxbbxdbxebxczzy", false],
    ["ab[c]", "abc", true],
    ["ab[b-d]", "abc", true],
    ["ab[e-g]", "abc", false],
    ["ab[^c]", "abc", false],
    ["ab[^e-g]", "abc", true],
    ["a\\*b", "a*b", true],
    ["a\\*b", "ab", false],
    ["a?b", "a☺b", true],
    ["a[^a]b", "a☺b", true],
    ["a???b", "a☺b", false],
    ["a?b", "a😀b", true],
    ["[a-ζ]*", "α", true],
    ["a?b", "a/b", false],
    ["a*b", "a/b", false],
    ["[\\]a]", "]", true],
    ["[\\-x]", "-", true],
    ["[x\\-]", "z", false],
    ["*x", "xxx", true],
    ["", "", true],
    ["", "a", false],
  ];
  for (const [pattern, path, expected] of cases) {
    it(`${pattern} ${expected ? "matches" : "does not match"} ${path}`, () => assert.equal(matchGlob(pattern, path), expected));
  }

  for (const pattern of ["[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[", "\\", "[a\\"]) {
    it(`refuses ${pattern}`, () => assert.throws(() => compileGlob(pattern), { code: "PATTERN_SYNTAX", message: "syntax error in pattern" }));
  }
});

describe("hasGlob and splitGlob", () => {
  const cases = [
    { source: "a/b", glob: false, directory: "a/b", pattern: "" },
    { source: "a/*.txt", glob: true, directory: "a/", pattern: "*.txt" },
    { source: "*/b", glob: true, directory: "", pattern: "*/b" },
    { source: "a\\*/b?", glob: true, directory: "a\\*/", pattern: "b?" },
    { source: "a\\*", glob: false, directory: "a\\*", pattern: "" },
    { source: "/x/[a]/c", glob: true, directory: "/x/", pattern: "[a]/c" },
  ];
  for (const { source, glob, directory, pattern } of cases) {
    it(source, () => {
      assert.equal(hasGlob(source), glob);
      assert.deepEqual(splitGlob(source), { directory, pattern });
    });
  }

  it("are quick with many backslashes", { timeout: 2000 }, () => assert.equal(hasGlob("\\a".repeat(30_000)), false));
});
