import assert from "node:assert/strict";
import { test } from "node:test";
import { goDuration, goQuote, goQuoteList } from "../base/go-text.ts";
import { healthcheckCreatedBy, runCreatedBy } from "./created-by.ts";

const quoted: readonly (readonly [text: string, quoted: string])[] = [
  ["", '""'],
  ["plain", '"plain"'],
  ['say "hi"', '"say \\"hi\\""'],
  ["back\\slash", '"back\\\\slash"'],
  ["\u0007\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'],
  ["\u0001\u001f\u007f", '"\\x01\\x1f\\x7f"'],
  ["\u0080\u0085\u00a0\u00ad", '"\\u0080\\u0085\\u00a0\\u00ad"'],
  ["\u2028\u200b\ufeff\ue000\u3000", '"\\u2028\\u200b\\ufeff\\ue000\\u3000"'],
  ["é✓\u0301", '"é✓\u0301"'],
  ["😀", '"😀"'],
  ["\u{e0001}", '"\\U000e0001"'],
  ["a b'c`$x", '"a b\'c`$x"'],
];
for (const [text, want] of quoted) test(`goQuote ${want}`, () => assert.equal(goQuote(text), want));

test("goQuoteList", () => {
  assert.equal(goQuoteList([]), "[]");
  assert.equal(goQuoteList(["a", "b c"]), '["a" "b c"]');
});

const second = 1e9;
const durations: readonly (readonly [ns: number, text: string])[] = [
  [0, "0s"],
  [1, "1ns"],
  [999, "999ns"],
  [1000, "1µs"],
  [1500, "1.5µs"],
  [1e6, "1ms"],
  [250.5e6, "250.5ms"],
  [second, "1s"],
  [1.5 * second, "1.5s"],
  [1_000_000_001, "1.000000001s"],
  [60 * second, "1m0s"],
  [90 * second, "1m30s"],
  [61.25 * second, "1m1.25s"],
  [3600 * second, "1h0m0s"],
  [3600 * second + 1e6, "1h0m0.001s"],
  [360_000.5 * second, "100h0m0.5s"],
  [-90 * second, "-1m30s"],
];
for (const [ns, want] of durations) test(`goDuration ${want}`, () => assert.equal(goDuration(ns), want));

const checks: readonly (readonly [string, Parameters<typeof healthcheckCreatedBy>[0], string])[] = [
  ["none", { Test: ["NONE"] }, `HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" '\\x00'}`],
  ["a retry count is a character", { Test: ["CMD", "x"], Retries: 65 }, `HEALTHCHECK &{["CMD" "x"] "0s" "0s" "0s" "0s" 'A'}`],
  ["quotes as characters", { Test: ["CMD", "x"], Retries: 39 }, `HEALTHCHECK &{["CMD" "x"] "0s" "0s" "0s" "0s" '\\''}`],
  ["double quotes as characters", { Test: ["CMD", "x"], Retries: 34 }, `HEALTHCHECK &{["CMD" "x"] "0s" "0s" "0s" "0s" '"'}`],
  [
    "all durations",
    { Test: ["CMD-SHELL", "a || b"], Interval: 90 * second, Timeout: 250e6, StartPeriod: 3600 * second, StartInterval: 2 * second, Retries: 5 },
    `HEALTHCHECK &{["CMD-SHELL" "a || b"] "1m30s" "250ms" "1h0m0s" "2s" '\\x05'}`,
  ],
];
for (const [name, check, want] of checks) test(`healthcheck: ${name}`, () => assert.equal(healthcheckCreatedBy(check), want));

test("RUN names the build args that it sees, counted", () => {
  assert.equal(runCreatedBy(["/bin/sh", "-c", "make"], []), "RUN /bin/sh -c make # buildkit");
  assert.equal(runCreatedBy(["/bin/sh", "-c", "make"], ["A=1", "B=x y"]), "RUN |2 A=1 B=x y /bin/sh -c make # buildkit");
});
