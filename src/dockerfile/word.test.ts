import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import { parseDockerfile } from "./parse.ts";
import { expandWord, expandWords } from "./word.ts";

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8"));

const variables = new Map([
  ["E", ""],
  ["V", "foobarfoo"],
  ["P", "/usr/local/lib/x.tar.gz"],
  ["N", "a b  c"],
  ["Q", "a*b"],
]);

describe("expandWord", () => {
  for (const [word, expected] of read("words.json") as [string, string][]) {
    it(`${word} → ${expected}, as in Docker`, () => assert.equal(expandWord(word, variables).result, expected));
  }

  const options = [
    { name: "raw quotes stay", word: `'a' "$V"`, options: { rawQuotes: true }, result: `'a' "foobarfoo"` },
    { name: "raw escapes stay", word: `a\\ b "\\$V"`, options: { rawEscapes: true }, result: `a\\ b \\$V` },
    {
      name: "unset variables stay when asked",
      word: "$U ${U:-x} ${U#y} ${U/a/b} $V",
      options: { skipUnset: true },
      result: "$U ${U:-x} ${U#y} ${U/a/b} foobarfoo",
    },
    { name: "backtick escapes", word: "a`$V\\n$V", options: { escape: "`" as const }, result: "a$V\\nfoobarfoo" },
    { name: "quotes are plain in heredocs", word: `"$V" 'it\\'`, options: { skipQuotes: true }, result: `"foobarfoo" 'it'` },
  ];
  for (const { name, word, options: given, result } of options) {
    it(name, () => assert.equal(expandWord(word, variables, given).result, result));
  }

  it("tells which variables had a value and which had none", () => {
    const { matched, unmatched } = expandWord("$V$X${Y:-$Z}$X$E", variables);
    assert.deepEqual({ matched, unmatched }, { matched: ["V", "E"], unmatched: ["X", "Z", "Y"] });
  });

  const hostile = [
    { name: "deep nesting", word: "${a:-".repeat(10_000) },
    { name: "values that double", word: "$x".repeat(3000), variables: new Map([["x", "y".repeat(1000)]]) },
    { name: "a pattern of stars", word: `\${x##${"*a".repeat(5000)}b}`, variables: new Map([["x", "a".repeat(50_000)]]) },
    { name: "open quotes without end", word: `"$`.repeat(20_001) },
  ];
  for (const { name, word, variables: given } of hostile) {
    it(`refuses ${name} in time`, { timeout: 5000 }, () => {
      assert.throws(
        () => expandWord(word, given ?? variables),
        (error) => isSlipwayError(error),
      );
    });
  }

  it("never fails in another way", () => {
    const piece = fc.constantFrom("$", "{", "}", "V", "x", ":", "-", "+", "?", "#", "%", "/", "*", "\\", "`", "'", '"', " ", "é", "1", "😀");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), fc.boolean(), (pieces, rawQuotes) => {
        try {
          expandWords(pieces.join(""), variables, { rawQuotes });
        } catch (error) {
          assert.ok(isSlipwayError(error, "WORD_SYNTAX") || isSlipwayError(error, "SUBSTITUTION_TOO_LARGE"), String(error));
        }
      }),
    );
  });
});

describe("expandWord's errors", () => {
  for (const [dockerfile, message] of read("word-errors.json") as [string, string][]) {
    it(message, () => assert.throws(() => expandAll(dockerfile), { message }));
  }
});

/** Expands what ENV, LABEL, EXPOSE and USER of a file hold, in order. */
function expandAll(text: string): void {
  const set = new Map<string, string>();
  for (const instruction of parseDockerfile(text).stages.flatMap(({ instructions }) => instructions)) {
    if (instruction.type === "env" || instruction.type === "label") {
      for (const { key, value } of instruction.pairs) set.set(key, expandWord(value, set).result);
    } else if (instruction.type === "expose") instruction.ports.forEach((port) => expandWord(port, set));
    else if (instruction.type === "user") expandWord(instruction.user, set);
  }
}

describe("expandWords", () => {
  const cases = [
    { text: "a b  c", words: ["a", "b", "c"] },
    { text: `a "b  c" 'd e'f`, words: ["a", "b  c", "d ef"] },
    { text: "$N", words: ["a", "b", "c"] },
    { text: `"$N"`, words: ["a b  c"] },
    { text: "a\\ b", words: ["a b"] },
    { text: `"" x`, words: ["x"] },
    { text: "", words: [] },
  ];
  for (const { text, words } of cases) it(text, () => assert.deepEqual(expandWords(text, variables).words, words));
});
