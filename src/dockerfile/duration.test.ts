import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseDuration } from "./duration.ts";

describe("parseDuration", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["5s", 5e9],
    ["1h2m3.5s", 3_723_500_000_000],
    ["100ms", 1e8],
    [".5s", 5e8],
    ["1.s", 1e9],
    ["-1m", -60e9],
    ["+2us", 2000],
    ["3µs", 3000],
  ];
  for (const [text, expected] of cases) it(text, () => assert.equal(parseDuration(text), expected));

  const refused: [string, string][] = [
    ["", 'time: invalid duration ""'],
    ["x", 'time: invalid duration "x"'],
    [".s", 'time: invalid duration ".s"'],
    ["5", 'time: missing unit in duration "5"'],
    ["5d", 'time: unknown unit "d" in duration "5d"'],
    ["9999999h", 'time: invalid duration "9999999h"'],
  ];
  for (const [text, message] of refused) it(`refuses "${text}"`, () => assert.throws(() => parseDuration(text), { message }));
});
