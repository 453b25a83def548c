import assert from "node:assert/strict";
import { test } from "node:test";
import { alignColumns, ellipsis } from "./table.ts";

const table: readonly (readonly [title: string, text: string, want: string])[] = [
  [
    "columns are ten wide at least, the last one is not filled",
    "A\tB\tC\nlonger than ten\tx\ty\n",
    "A                 B         C\nlonger than ten   x         y\n",
  ],
  ["a line without tabs ends the columns", "a\tb\nno columns\nlonger than ten\tb\n", "a         b\nno columns\nlonger than ten   b\n"],
  ["empty cells keep their place", "A\tB\tC\n\t\tx\n", "A         B         C\n                    x\n"],
  ["width counts characters", "ä\tB\nab…cdefghij\tB\n", "ä             B\nab…cdefghij   B\n"],
  ["nothing", "", ""],
];

for (const [title, text, want] of table) test(title, () => assert.equal(alignColumns(text), want));

test("an ellipsis takes the last place", () => {
  assert.deepEqual(
    ["abc", "abcd", "abcde"].map((text) => ellipsis(text, 4)),
    ["abc", "abcd", "abc…"],
  );
});
