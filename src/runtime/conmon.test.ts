import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAnswer } from "./conmon.ts";

const cases: readonly (readonly [string, unknown])[] = [
  ['{"pid": 123}\n', { pid: 123, message: "" }],
  ['{"data": 123}\n', { pid: 123, message: "" }],
  ['{"pid": -1, "message": "no"}\nrest', { pid: -1, message: "no" }],
  ["", undefined],
  ["null", undefined],
  ["garbage", undefined],
];

for (const [text, expected] of cases) {
  test(`conmon says ${JSON.stringify(text)}`, () => assert.deepEqual(parseAnswer(text), expected));
}
