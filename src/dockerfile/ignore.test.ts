import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import { createIgnoreMatcher, parseIgnore } from "./ignore.ts";

const directories = ["", "a/", "a/b/", "a/b/c/", "x/", "x/a/", "x/a/b/", "foo.d/", ".hid/", "a b/", "node_modules/m/", "src/node_modules/n/"];
const names = ["a1", "b.txt", "c.log", "README.md", ".dot", "z[1].txt", "q?x", "b\\s", "é.txt", "-x", "!bang", "#hash"];

type Recorded = readonly [text: string, answer: { readonly kept: string } | { readonly error: string }];
const recorded = JSON.parse(readFileSync(new URL("testdata/ignore.json", import.meta.url), "utf8")) as Recorded[];

function keptPaths(kept: string): string[] {
  return kept.split(" ").flatMap((bits, index) => {
    const flags = Number.parseInt(bits, 16).toString(2).padStart(names.length, "0");
    return names.filter((_, position) => flags[position] === "1").map((name) => `${directories[index]}${name}`);
  });
}

describe("createIgnoreMatcher keeps what Docker keeps", () => {
  const paths = directories.flatMap((directory) => names.map((name) => `${directory}${name}`));
  for (const [text, answer] of recorded) {
    it(JSON.stringify(text), () => {
      if ("error" in answer) {
        assert.throws(() => createIgnoreMatcher(parseIgnore(text)), { message: answer.error });
        return;
      }
      const matcher = createIgnoreMatcher(parseIgnore(text));
      assert.deepEqual(
        paths.filter((path) => !matcher.matches(path)),
        keptPaths(answer.kept),
      );
      // the order of the questions must not matter
      const other = createIgnoreMatcher(parseIgnore(text));
      assert.deepEqual(
        paths.toReversed().filter((path) => !other.matches(path)),
        keptPaths(answer.kept).toReversed(),
      );
      const skipped = directories.map((directory) => directory.slice(0, -1)).filter((directory) => directory !== "" && matcher.canSkipDirectory(directory));
      for (const directory of skipped)
        assert.ok(
          paths.filter((path) => path.startsWith(`${directory}/`)).every((path) => matcher.matches(path)),
          directory,
        );
    });
  }
});

describe("ignore matchers", () => {
  const text = "\ufeff# comment\r\n*.md\r\n\r\n  !README.md  \r\n/vendor/\r\n! vendor/keep/me\r\n";

  it("keep line numbers and clean what is written", () => {
    assert.deepEqual(parseIgnore(text), [
      { pattern: "*.md", line: 2 },
      { pattern: "!README.md", line: 4 },
      { pattern: "vendor", line: 5 },
      { pattern: "!vendor/keep/me", line: 6 },
    ]);
  });

  const explanations = [
    { path: "x.md", expected: { ignored: true, pattern: "*.md", line: 2 } },
    { path: "README.md", expected: { ignored: false, pattern: "!README.md", line: 4 } },
    { path: "vendor/a/b", expected: { ignored: true, pattern: "vendor", line: 5 } },
    { path: "vendor/keep/me/too", expected: { ignored: false, pattern: "!vendor/keep/me", line: 6 } },
    { path: "src/x.md", expected: undefined },
  ];
  for (const { path, expected } of explanations) {
    it(`explain ${path}`, () => assert.deepEqual(createIgnoreMatcher(parseIgnore(text)).explain(path), expected));
  }

  const skips = [
    { patterns: ["a"], directory: "a", expected: true },
    { patterns: ["a"], directory: "b", expected: false },
    { patterns: ["a", "!b"], directory: "a", expected: true },
    { patterns: ["a", "!a/b/c"], directory: "a", expected: false },
    { patterns: ["a", "!a/b/c"], directory: "a/b", expected: false },
    { patterns: ["a", "!a/b/c"], directory: "a/x", expected: true },
    { patterns: ["a", "!**/c"], directory: "a/x", expected: false },
    { patterns: ["a", "!*/c"], directory: "a", expected: false },
    { patterns: ["a", "!*/c"], directory: "a/x", expected: true },
    { patterns: ["a", "!a/b/**"], directory: "a/b", expected: false },
    { patterns: ["**", "!src/**/*.ts"], directory: "src/a", expected: false },
    { patterns: ["**", "!src/**/*.ts"], directory: "lib", expected: true },
  ];
  for (const { patterns, directory, expected } of skips) {
    it(`${patterns.join(" ")}: ${expected ? "skips" : "walks"} ${directory}`, () => {
      assert.equal(createIgnoreMatcher(patterns).canSkipDirectory(directory), expected);
    });
  }

  it("never skip a directory that holds something kept", () => {
    const word = fc.constantFrom("a", "b", "*", "**", "a*", "?", "[ab]");
    const pattern = fc.tuple(fc.constantFrom("", "!"), fc.array(word, { minLength: 1, maxLength: 3 })).map(([mark, words]) => mark + words.join("/"));
    const path = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 5 }), path, (patterns, parts) => {
        const matcher = createIgnoreMatcher(patterns);
        const skipped = parts.slice(1).some((_, index) => matcher.canSkipDirectory(parts.slice(0, index + 1).join("/")));
        assert.ok(!skipped || matcher.matches(parts.join("/")));
      }),
    );
  });

  it("answer hostile patterns quickly and fail only in their own words", { timeout: 5000 }, () => {
    const matcher = createIgnoreMatcher([`${"*a".repeat(200)}b`, `${"**/a/".repeat(100)}b`]);
    assert.equal(matcher.matches("a".repeat(4000)), false);
    assert.equal(matcher.matches("a/".repeat(2000).slice(0, -1)), false);
    fc.assert(
      fc.property(fc.string({ maxLength: 12, unit: fc.constantFrom("a", "/", "*", "?", "[", "]", "\\", "-", "^", "!", ".", " ") }), (text) => {
        try {
          createIgnoreMatcher(parseIgnore(text)).matches("a/b");
        } catch (error) {
          assert.ok(isSlipwayError(error, "PATTERN_SYNTAX"), String(error));
        }
      }),
    );
  });
});
