import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { booleanFilter, checkFilterKeys, labelsMatch, parseTimeFilter, untilFilter } from "./filters.ts";

const now = Date.UTC(2024, 4, 1, 12, 0, 0);

describe("points in time", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["10m", now - 600_000],
    ["1h30m", now - 5_400_000],
    ["1700000000", 1_700_000_000_000],
    ["1700000000.5", 1_700_000_000_500],
    ["2024-04-30T10:00:00Z", Date.UTC(2024, 3, 30, 10)],
    ["2024-04-30T10:00:00.123456789Z", Date.UTC(2024, 3, 30, 10, 0, 0, 123)],
    ["2024-04-30T10:00Z", Date.UTC(2024, 3, 30, 10)],
    ["2024-04-30T10Z", Date.UTC(2024, 3, 30, 10)],
    ["2024-04-30T10:00:00+02:00", Date.UTC(2024, 3, 30, 8)],
    ["2024-04-30", new Date(2024, 3, 30).getTime()],
    ["2024-04-30T10:00:00", new Date(2024, 3, 30, 10).getTime()],
  ];
  for (const [text, expected] of cases) test(text, () => assert.equal(parseTimeFilter(text, now), expected));
  for (const text of ["foo", "", "2024-13-40", "5 minutes"]) {
    test(`${JSON.stringify(text)} is refused`, () =>
      assert.throws(() => parseTimeFilter(text, now), {
        code: "INVALID_FILTER",
        message: `failed to parse value as time or duration: ${JSON.stringify(text)}`,
      }));
  }
  test("until is given once", () => {
    assert.equal(untilFilter({}, now), undefined);
    assert.equal(untilFilter({ until: ["1m"] }, now), now - 60_000);
    assert.throws(() => untilFilter({ until: ["1m", "2m"] }, now), { code: "INVALID_FILTER", message: "more than one until filter specified" });
  });
});

describe("labels", () => {
  const labels = { a: "1", b: "" };
  const cases: readonly (readonly [string, Readonly<Record<string, readonly string[]>>, boolean])[] = [
    ["no filter", {}, true],
    ["a key", { label: ["a"] }, true],
    ["a key with its value", { label: ["a=1"] }, true],
    ["a key with another value", { label: ["a=2"] }, false],
    ["an empty value", { label: ["b="] }, true],
    ["all have to fit", { label: ["a", "c"] }, false],
    ["a name of every object", { label: ["constructor"] }, false],
    ["not a key", { "label!": ["a"] }, false],
    ["not a key that is missing", { "label!": ["c"] }, true],
    ["not this value", { "label!": ["a=2"] }, true],
  ];
  for (const [name, filters, expected] of cases) test(name, () => assert.equal(labelsMatch(filters, labels), expected));
});

test("yes, no, and what is neither", () => {
  assert.equal(booleanFilter({}, "dangling"), undefined);
  assert.equal(booleanFilter({ dangling: ["true"] }, "dangling"), true);
  assert.equal(booleanFilter({ dangling: ["0"] }, "dangling"), false);
  assert.throws(() => booleanFilter({ dangling: ["maybe"] }, "dangling"), { code: "INVALID_FILTER", message: "invalid filter 'dangling=[maybe]'" });
});

test("a key that the command does not know", () => {
  checkFilterKeys({ label: ["x"] }, ["label"]);
  assert.throws(() => checkFilterKeys({ x: ["y"] }, ["label"]), { code: "INVALID_FILTER", message: "invalid filter 'x'" });
});
