import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SlipwayError } from "../base/errors.ts";
import { parseLocated } from "./located-json.ts";

const fail = (line: number, reason: string): SlipwayError => new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `${line}: ${reason}`);
const parse = (text: string) => parseLocated(text, fail);

test("values, comments and lists are read", () => {
  const fields = parse('{ // a comment with "quotes\n "a": "x\\n\\u00e9", "b": true, "c": ["1", "2"], "d": "alone",\n "e": {"f": 3}, "g": [{"h": null}] }');
  assert.equal(fields.string("a"), "x\né");
  assert.equal(fields.boolean("b"), true);
  assert.deepEqual([fields.strings("c"), fields.strings("d"), fields.strings("absent")], [["1", "2"], ["alone"], undefined]);
  assert.equal(fields.child("e")?.count("f"), 3);
  assert.equal(fields.children("g")?.[0]?.value("h"), null);
  assert.equal(fields.lineOf("e"), 3);
});

const broken: readonly { readonly name: string; readonly text: string; readonly want: string }[] = [
  { name: "a key twice", text: '{"a": 1,\n "b": 2,\n "a": 3}', want: '3: the key "a" stands twice' },
  { name: "a key twice, written another way", text: '{"a": 1,\n "\\u0061": 3}', want: '2: the key "\\u0061" stands twice' },
  { name: "a key twice, deep inside", text: '{"x": [{"a": 1,\n\n "a": 3}]}', want: '3: the key "a" stands twice' },
  { name: "something behind the end", text: "{}\n{}", want: "2: unexpected { behind the end" },
  { name: "an end too early", text: '{"a":\n', want: "1: it ends too early" },
  { name: "no JSON", text: '{"a": \nyes}', want: '2: unexpected "y"' },
  { name: "a list", text: "[]", want: "1: it has to be an object" },
  { name: "a comma at the end", text: '{"a": 1,\n}', want: "2: want a key before }" },
  { name: "too deep", text: `{"a": ${"[".repeat(60)}${"]".repeat(60)}}`, want: "1: nested deeper than 40 levels" },
];
describe("refused", () => {
  for (const { name, text, want } of broken) test(name, () => assert.throws(() => parse(text), { message: want }));

  test("a key that nobody knows, with its line", () => {
    assert.throws(() => parse('{"a": 1,\n "typo": 2}').only("a", "b"), { message: '2: unknown key "typo": known are a, b' });
    assert.throws(() => parse('{"a": {"x":\n 2}}').child("a")?.only("y"), { message: '2: unknown key "a.x": known are y' });
  });

  test("a value of another kind, with its line", () => {
    const fields = parse('{"a":\n [1], "n": 1.5,\n "w": "up"}');
    assert.throws(() => fields.string("a"), { message: "2: a has to be a plain value" });
    assert.throws(() => fields.strings("a"), { message: "2: a has to be a list of strings" });
    assert.throws(() => fields.count("n"), { message: "2: n has to be a whole number" });
    assert.throws(() => fields.oneOf("w", ["on", "off"]), { message: '3: w has to be one of on, off, not "up"' });
    assert.throws(() => fields.requiredString("absent"), { message: "1: absent is missing: a string" });
  });
});

test("a document of a million values costs no stack", () => {
  assert.equal(parse(`{"a": [${"1,".repeat(1_000_000)}1]}`).has("a"), true);
});
