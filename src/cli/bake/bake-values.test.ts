import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { givenValue, readGiven } from "./bake-values.ts";
import type { HclValue } from "./hcl-value.ts";

// what buildx makes of them
const taken: readonly (readonly [type: string, text: string, want: HclValue])[] = [
  ["string", "x,y", "x,y"],
  ["bool", "T", true],
  ["number", "1.5", 1.5],
  ["list(string)", "x,y", ["x", "y"]],
  ["list(string)", " x , y", [" x ", " y"]],
  ["list(string)", "[bad", ["[bad"]],
  ["list(string)", '"x,y",z', ["x,y", "z"]],
  ["list(string)", '"a""b",c', ['a"b', "c"]],
  ["list(string)", '"a\nb",c', ["a\nb", "c"]],
  ["list(string)", "a,", ["a", ""]],
  ["list(number)", "1,2", [1, 2]],
  ["set(string)", "b,a,b", ["a", "b"]],
  ["map(string)", "a:c,b:d", { a: "c", b: "d" }],
  ["map(string)", "a:b,a:d", { a: "d" }],
  ["tuple(string,number)", "x,2", ["x", "2"]],
];
describe("an environment's value as", () => {
  for (const [type, text, want] of taken) test(`${type}: ${text}`, () => assert.deepEqual(readGiven("V", type, { text, isJson: false }), want));
});

const json: readonly (readonly [type: string, text: string, want: HclValue])[] = [
  ["list(string)", '["x"]', ["x"]],
  ["list(number)", '["3"]', [3]],
  ["map(string)", '{"a":"c"}', { a: "c" }],
  ["object(a)", '{"a":"c"}', { a: "c" }],
  ["string", '"j"', "j"],
  ["number", "4", 4],
  ["set(string)", '["b","a","b"]', ["a", "b"]],
];
describe("JSON as", () => {
  for (const [type, text, want] of json) test(`${type}: ${text}`, () => assert.deepEqual(readGiven("V", type, { text, isJson: true }), want));
});

const refused: readonly (readonly [type: string, text: string, isJson: boolean, want: string | RegExp])[] = [
  ["bool", "maybe", false, 'failed to parse V as bool: strconv.ParseBool: parsing "maybe": invalid syntax'],
  ["number", "a", false, 'failed to parse V as number: strconv.ParseFloat: parsing "a": invalid syntax'],
  ["object(a)", "a:c", false, "unsupported type object for variable V"],
  ["list(string)", "", false, "failed to convert variable V from CSV: failed to parse  as CSV: EOF"],
  [
    "list(string)",
    'a,"b',
    false,
    'failed to convert variable V from CSV: failed to parse a,"b as CSV: parse error on line 1, column 4: extraneous or missing " in quoted-field',
  ],
  [
    "list(string)",
    '"a"b',
    false,
    'failed to convert variable V from CSV: failed to parse "a"b as CSV: parse error on line 1, column 3: extraneous or missing " in quoted-field',
  ],
  [
    "list(string)",
    '["x"]',
    false,
    'failed to convert variable V from CSV: failed to parse ["x"] as CSV: parse error on line 1, column 2: bare " in non-quoted-field',
  ],
  [
    "list(number)",
    "a",
    false,
    'failed to convert variable V from CSV: failed to parse element of type list of number: failed to parse V as number: strconv.ParseFloat: parsing "a": invalid syntax',
  ],
  ["map(string)", "a:b:c", false, "failed to convert variable V from CSV: expected one k/v pair but got 3 pieces from a:b:c"],
  ["map(string)", "a=b", false, "failed to convert variable V from CSV: expected one k/v pair but got 1 pieces from a=b"],
  ["map(string)", "[1]", true, "failed to convert variable V from JSON: missing expected {"],
  ["list(number)", '["a"]', true, /^failed to convert variable V from JSON: a number is required/],
  ["list(string)", "[bad", true, /^failed to convert variable V from JSON: /],
  ["list(string)", "", true, "failed to convert variable V from JSON: EOF"],
];
describe("refused:", () => {
  for (const [type, text, isJson, message] of refused) {
    test(`${type}: ${text}`, () => assert.throws(() => readGiven("V", type, { text, isJson }), { message }));
  }
});

test("JSON goes before the other", () => {
  assert.deepEqual(givenValue("L", { L: "a", L_JSON: '["j"]' }), { text: '["j"]', isJson: true });
  assert.deepEqual(givenValue("L", { L: "a" }), { text: "a", isJson: false });
  assert.equal(givenValue("L", {}), undefined);
});
