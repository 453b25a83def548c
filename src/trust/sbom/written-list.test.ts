import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { settled, writtenPieces, WrittenList } from "./written-list.ts";

test("a document in pieces is what JSON.stringify writes of it as a whole", () => {
  const lists = fc.array(fc.jsonValue()).map((items) => new WrittenList(() => items));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.oneof(lists, fc.jsonValue()), { noNullPrototype: true }), (document) => {
      assert.equal([...writtenPieces(document)].join(""), JSON.stringify(settled(document), undefined, 2));
    }),
  );
});
