import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quoteText } from "./go-text.ts";

describe("quoteText", () => {
  const cases: [string, string][] = [
    ["a", '"a"'],
    ['"\\', '"\\"\\\\"'],
    ["\n\u0001\u0085", '"\\n\\x01\\u0085"'],
    ["é😀", '"é😀"'],
    ["\u{e0001}", '"\\U000e0001"'],
  ];
  for (const [text, expected] of cases) it(expected, () => assert.equal(quoteText(text), expected));
});
