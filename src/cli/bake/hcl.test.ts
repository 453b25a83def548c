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
    ['"%{ if n > 2 }big%{ else }small%{ endif } ${n}"', "big 3"],
    ['"%{ if false }x%{ endif }"', ""],
    ['"%{ if true ~}  x  %{~ else ~} y %{ endif }z"', "xz"],
    ['"%{ for k, x in { a = 1, b = 2 } }${k}${x} %{ endfor }"', "a1 b2 "],
    ['"%{ for x in [1, 2] }%{ if x == 1 }one%{ else }%{ for y in v ~} ${y} %{~ endfor }%{ endif }%{ endfor }"', "oneab"],
    ['"%%{ if } a ${~ "b" ~} c"', "%{ if } abc"],
    ["<<X\n%{ for x in v ~}\nitem ${x}\n%{ endfor ~}\nend\nX", "item a\nitem b\nend\n"],
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
    ['jsonencode({ z = 1, a = "<b>&" })', '{"a":"\\u003cb\\u003e\\u0026","z":1}'],
    ['title("it\'s a-b c_d")', "It'S A-B C_d"],
    ['urlencode("a b&c/d~e!*\'()")', "a+b%26c%2Fd~e%21%2A%27%28%29"],
    ["absolute(-3)", 3],
    ['cidrhost("10.12.127.0/20", 16)', "10.12.112.16"],
    ['cidrhost("fd00:fd12:3456:7890::/72", 34)', "fd00:fd12:3456:7890::22"],
    ['cidrhost("10.0.0.0/8", -2)', "10.255.255.254"],
    ['cidrnetmask("172.16.0.0/12")', "255.240.0.0"],
    ['cidrsubnet("fd00:fd12:3456:7890::/56", 16, 162)', "fd00:fd12:3456:7800:a200::/72"],
    ['cidrsubnets("10.1.0.0/16", 4, 4, 8, 4)', ["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24", "10.1.48.0/20"]],
    ['csvdecode("a,b\\n1,2\\n3,\\"x,y\\"")', [{ a: "1", b: "2" }, { a: "3", b: "x,y" }]], // prettier-ignore
    [
      "formatdate(\"EEEE, DD MMM YY, HH:mm aa AA ZZZZZ ZZZZ ZZZ Z 'o''c' M D h H m s EEE MMMM\", \"2018-01-02T03:04:05-07:30\")",
      "Tuesday, 02 Jan 18, 03:04 am AM -07:30 -0730 -0730 -07:30 o'c 1 2 3 3 4 5 Tue January",
    ],
    ['formatdate("YYYY ZZZ Z ZZZZ H", "2018-01-02T00:04:05Z")', "2018 UTC Z +0000 12"],
    ['setsymmetricdifference(["a", "b"], ["b", "c"])', ["a", "c"]],
    ['timeadd("2017-11-22T00:00:00Z", "10m1.5s")', "2017-11-22T00:10:01Z"],
    ['timeadd("2017-11-22T00:00:00+02:00", "-25h")', "2017-11-20T23:00:00+02:00"],
    ['timeadd("2017-11-22T00:00:00Z", "-1.5s")', "2017-11-21T23:59:58Z"],
    ['uuidv5("dns", "a.b")', "0e7af403-ee0d-594b-ab31-08b1c687f2fa"],
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
    ['a = "%{ nope }"', ""],
    ['a = "%{ if true }x"', ""],
    ['a = "%{ endif }"', ""],
    ['a = formatdate("Q", "2018-01-02T03:04:05Z")', ""],
    ['a = cidrhost("10.0.0.0/30", 4)', ""],
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
