import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { goQuote } from "./go-text.ts";

describe("goQuote", () => {
  const cases: [string, string][] = [
    ["a", '"a"'],
    ['"\\', '"\\"\\\\"'],
    ["\n\u0001\u0085", '"\\n\\x01\\u0085"'],
    ["é😀", '"é😀"'],
    ["a\ufeffb\u00a0c", '"a\\ufeffb\\u00a0c"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ];
  for (const [text, expected] of cases) it(expected, () => assert.equal(goQuote(text), expected));
});
