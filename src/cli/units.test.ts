import assert from "node:assert/strict";
import { test } from "node:test";
import { formatGoUtc, formatHumanDuration, formatProgressBytes, formatSize, parseByteSize, parseGoDuration, parseTimestamp } from "./units.ts";

test("sizes, as docker prints them", () => {
  const table: readonly (readonly [bytes: number, digits: number, want: string])[] = [
    [0, 4, "0B"],
    [656, 3, "656B"],
    [8192, 3, "8.19kB"],
    [4096, 4, "4.096kB"],
    [12288, 3, "12.3kB"],
    [2039808, 3, "2.04MB"],
    [3173910, 3, "3.17MB"],
    [3173910, 4, "3.174MB"],
    [192_900_000, 3, "193MB"],
    [1_093_000_000, 3, "1.09GB"],
    [2_609_000_000, 4, "2.609GB"],
    [2_610_000_000, 4, "2.61GB"],
  ];
  for (const [bytes, digits, want] of table) assert.equal(formatSize(bytes, digits), want);
});

test("bytes of progress", () => {
  assert.deepEqual([2, 217, 1_990_000, 30_500_000].map(formatProgressBytes), ["2B", "217B", "1.99MB", "30.50MB"]);
});

test("durations for people", () => {
  const second = 1000;
  const minute = 60 * second;
  const hour = 60 * minute;
  const day = 24 * hour;
  const table: readonly (readonly [ms: number, want: string])[] = [
    [999, "Less than a second"],
    [second, "1 second"],
    [59 * second, "59 seconds"],
    [minute, "About a minute"],
    [119 * second, "About a minute"],
    [2 * minute, "2 minutes"],
    [59 * minute, "59 minutes"],
    [hour, "About an hour"],
    [89 * minute, "About an hour"],
    [91 * minute, "2 hours"],
    [47 * hour, "47 hours"],
    [48 * hour, "2 days"],
    [13 * day, "13 days"],
    [14 * day, "2 weeks"],
    [59 * day, "8 weeks"],
    [60 * day, "2 months"],
    [729 * day, "24 months"],
    [730 * day, "2 years"],
  ];
  for (const [ms, want] of table) assert.equal(formatHumanDuration(ms), want, `${ms} ms`);
});

test("byte sizes are read in binary units", () => {
  assert.deepEqual(["0", "64m", "1g", "1.5GiB", "2kb", "10B"].map(parseByteSize), [0, 67108864, 1073741824, 1610612736, 2048, 10]);
  for (const text of ["", "x", "-1", "1z", "m"]) assert.throws(() => parseByteSize(text), { code: "USAGE" });
});

test("Go durations", () => {
  assert.deepEqual(["0", "1h30m", "1.5s", "300ms", "-2m", ".5h"].map(parseGoDuration), [0, 5_400_000, 1500, 300, -120_000, 1_800_000]);
  assert.throws(() => parseGoDuration("5"), { message: 'time: missing unit in duration "5"' });
  assert.throws(() => parseGoDuration("x"), { message: 'time: invalid duration "x"' });
});

test("times of BuildKit's wire are told in UTC, with as much of a second as there is", () => {
  const table = [
    [0, "1970-01-01 00:00:00 +0000 UTC"],
    [1_500, "1970-01-01 00:00:01.5 +0000 UTC"],
    [1_795_427_760_120, "2026-11-23 09:56:00.12 +0000 UTC"],
  ] as const;
  for (const [ms, want] of table) assert.equal(formatGoUtc(ms), want);
});

test("timestamps: durations back from now, Unix seconds, dates", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  assert.equal(parseTimestamp("10m", now), now - 600_000);
  assert.equal(parseTimestamp("1795427760", now), 1795427760000);
  assert.equal(parseTimestamp("2013-01-02T13:23:37Z", now), Date.parse("2013-01-02T13:23:37Z"));
  assert.equal(parseTimestamp("2013-01-02T13:23:37.5+01:00", now), Date.parse("2013-01-02T13:23:37.5+01:00"));
  assert.equal(parseTimestamp("2013-01-02T13", now), new Date(2013, 0, 2, 13).getTime());
  assert.throws(() => parseTimestamp("soon", now), { code: "USAGE" });
});
