/** HCL's expressions, and the places of what is wrong. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { hclFunctions } from "./hcl-functions.ts";
import { parseHcl } from "./hcl-parse.ts";
import type { HclScope } from "./hcl-scope.ts";
import type { HclValue } from "./hcl-value.ts";

const values: Readonly<Record<string, HclValue>> = {
  v: ["a", "b"],
  n: 3,
  t: true,
  s: "text",
  o: { x: 1, y: [{ z: 1 }, { z: 2 }], "with-dash": "d" },
  nothing: null,
};
const scope: HclScope = { variable: (name) => values[name], call: (name) => hclFunctions.get(name) };
const valueOf = (text: string): HclValue | undefined =>
  parseHcl({ file: "f.hcl", text: `a = ${text}\n` })
    .attributes.get("a")
    ?.expression(scope);

describe("expressions", () => {
  const table: readonly (readonly [text: string, want: HclValue])[] = [
    ["1 + 2 * 3 - 4 / 2", 5],
    ["-n + 10 % 4", -1],
    ['n > 2 && t ? "big ${n + 1}" : "small" # why', "big 4"],
    ['s == "text" || nothing != null', true],
    ["!t || (false\n  && true)", false],
    ["o.y[*].z", [1, 2]],
    ['o["x"] + o.y[1].z', 3],
    ["o.with-dash", "d"],
    ['[for x in v : upper(x) if x != "b"]', ["A"]],
    ["{ for k, x in v : x => k }", { a: 0, b: 1 }],
    ["{ for x in v : strlen(x) => x... }", { 1: ["a", "b"] }],
    ["[1,\n  2, // two\n]", [1, 2]],
    ['{ "a b" = 1, c: 2\n  d = 3 }', { "a b": 1, c: 2, d: 3 }],
    ['"$${s} ${s}\\n\\u0041"', "${s} text\nA"],
    ['"${v}"', ["a", "b"]],
    ["<<-X\n    in ${n}\n      more\n    X", "in 3\n  more\n"],
    ["<<X\nfirst\nX", "first\n"],
    ['try(o.nope, "fallback")', "fallback"],
    ["can(o.nope)", false],
    ["max([1, 5, 2]...)", 5],
  ];
  for (const [text, want] of table) test(text.replaceAll("\n", "⏎"), () => assert.deepEqual(valueOf(text), want));
});

describe("functions", () => {
  const table: readonly (readonly [text: string, want: HclValue])[] = [
    ['join(",", ["a", 1, true])', "a,1,true"],
    ['split("-", "a-b")', ["a", "b"]],
    ['format("%s-%03d %q", "a", 7, "x")', 'a-007 "x"'],
    ['regex_replace("v1.2.3", "v(\\\\d+).*", "$1")', "1"],
    ['regex("(?P<major>\\\\d+)\\\\.", "1.2")', { major: "1" }],
    ['trimprefix("refs/tags/v1", "refs/tags/")', "v1"],
    ['substr("hello", 1, 3)', "ell"],
    ['sanitize("a.b/c")', "a_b_c"],
    ['coalesce(null, "x")', "x"],
    ['concat(["a"], ["b", "c"])', ["a", "b", "c"]],
    ["merge({ a = 1 }, { b = 2, a = 3 })", { a: 3, b: 2 }],
    ['lookup({ a = "x" }, "b", "none")', "none"],
    ["setproduct([1, 2], [3])", [[1, 3], [2, 3]]], // prettier-ignore
    ['distinct(compact(["a", "", "a"]))', ["a"]],
    ['sha256("")', "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["range(1, 4)", [1, 2, 3]],
    ['jsonencode({ a = [1, "b"] })', '{"a":[1,"b"]}'],
    ['title("hello world")', "Hello World"],
    ['index(["a", "b"], 1)', "b"],
    ["notequal(1, 2)", true],
  ];
  for (const [text, want] of table) test(text, () => assert.deepEqual(valueOf(text), want));
});

describe("refused with the place", () => {
  const table: readonly (readonly [text: string, message: string])[] = [
    ["a = ", "f.hcl:1,5-5: Invalid expression; Expected the start of an expression, but found an invalid expression token."],
    ["a = nope", 'f.hcl:1,5-9: Unknown variable; There is no variable named "nope".'],
    ["a = nope(1)", 'f.hcl:1,5-12: Call to unknown function; There is no function named "nope".'],
    ["a = o.nope", 'f.hcl:1,5-11: Unsupported attribute; This object does not have an attribute named "nope".'],
    ["a = 1 / 0", "f.hcl:1,5-10: Division by zero; The divisor is zero."],
    ['a = "x', "f.hcl:1,5-7: Unterminated template string; No closing marker was found for the string."],
    ["a = 1 b = 2", "f.hcl:1,7-8: Missing newline after argument; An argument definition must end with a newline."],
    ["a = upper(v)", 'f.hcl:1,5-13: Error in function call; Call to function "upper" failed: a string is required, not tuple.'],
    ['b "x" {', "f.hcl:1,1-2: Unclosed configuration block; There is no closing brace for this block before the end of the file."],
    [`a = ${"(".repeat(300)}1`, ""],
  ];
  for (const [text, message] of table) {
    test(text.slice(0, 40), () =>
      assert.throws(() => parseHcl({ file: "f.hcl", text }).attributes.get("a")?.expression(scope), {
        code: "BAKE_DEFINITION",
        ...(message === "" ? {} : { message }),
      }),
    );
  }
});
