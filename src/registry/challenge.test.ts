import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseChallenges } from "./challenge.ts";

describe("parseChallenges", () => {
  const table: readonly [name: string, header: string | undefined, want: readonly [string, Record<string, string>][]][] = [
    ["none", undefined, []],
    ["basic", 'Basic realm="lab"', [["basic", { realm: "lab" }]]],
    [
      "bearer with commas in its scope",
      'Bearer realm="https://auth.example/token",service="reg",scope="repository:a/b:pull,push"',
      [["bearer", { realm: "https://auth.example/token", service: "reg", scope: "repository:a/b:pull,push" }]],
    ],
    [
      "two in one header",
      'Negotiate, Basic realm="x", Bearer realm = "y" , service=z',
      [
        ["negotiate", {}],
        ["basic", { realm: "x" }],
        ["bearer", { realm: "y", service: "z" }],
      ],
    ],
    ["escapes", 'Basic realm="a\\"b\\\\c"', [["basic", { realm: 'a"b\\c' }]]],
    ["the first of two equal names counts", "Bearer realm=a,realm=b", [["bearer", { realm: "a" }]]],
    ["a parameter before any scheme", "realm=a", []],
    [
      "an open quote ends the list",
      'Basic realm="x", Bearer realm="y',
      [
        ["basic", { realm: "x" }],
        ["bearer", { realm: "" }],
      ],
    ],
    ["__proto__ is only a name", "Basic __proto__=x", [["basic", { ["__proto__"]: "x" }]]],
    ["too long", `Basic realm="${"x".repeat(20_000)}"`, []],
  ];
  for (const [name, header, want] of table) {
    test(name, () => {
      const got = parseChallenges(header).map((challenge) => [challenge.scheme, Object.entries(challenge.parameters)]);
      assert.deepEqual(
        got,
        want.map(([scheme, parameters]) => [scheme, Object.entries(parameters)]),
      );
    });
  }
});
