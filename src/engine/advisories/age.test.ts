import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "../../oci/digest.ts";
import type { AdvisorySource, AdvisoryStatus } from "../advisory-api.ts";
import { advisoryAges, exploitedList, oldestImport } from "./age.ts";

const nowMs = Date.parse("2026-07-01T00:00:00Z");
const secondsOf = (day: string): number => Date.parse(day) / 1000;
const source = (name: string, fields: Partial<AdvisorySource> = {}): AdvisorySource => ({
  name,
  digest: digestOf(name),
  ecosystems: ["npm"],
  newest: undefined,
  newestYear: undefined,
  isAdded: false,
  importedSeconds: secondsOf("2026-07-01"),
  ...fields,
});
const status = (...sources: readonly AdvisorySource[]): AdvisoryStatus => ({
  digest: digestOf("database"),
  createdSeconds: secondsOf("2026-07-01"),
  ecosystems: [],
  sources,
  exploited: 0,
  pulledFrom: undefined,
});

const cases: readonly { readonly name: string; readonly sources: readonly AdvisorySource[]; readonly want: readonly [imported: number, records?: number] }[] = [
  { name: "records of today", sources: [source("a", { newest: "2026-07-01" })], want: [0, 0] },
  { name: "records of last year, imported today", sources: [source("a", { newest: "2025-07-01" })], want: [0, 365] },
  { name: "imported last month", sources: [source("a", { newest: "2026-05-30", importedSeconds: secondsOf("2026-06-01") })], want: [30, 32] },
  {
    name: "a day ahead counts no less than the import",
    sources: [source("a", { newest: "2027-01-01", importedSeconds: secondsOf("2026-06-01") })],
    want: [30, 30],
  },
  { name: "no days, but names of a year", sources: [source("a", { newestYear: 2025 })], want: [0, 182] },
  { name: "names of this year", sources: [source("a", { newestYear: 2026 })], want: [0, 0] },
  { name: "nothing tells", sources: [source("a")], want: [0] },
  { name: "of several the latest", sources: [source("a", { newest: "2025-07-01" }), source("b", { newest: "2026-06-30" })], want: [0, 1] },
  { name: "one of several tells nothing", sources: [source("a", { newest: "2025-07-01" }), source("b")], want: [0] },
  {
    name: "what was added renews nothing",
    sources: [source("a", { newest: "2025-07-01", importedSeconds: secondsOf("2026-06-01") }), source("b", { newest: "2026-07-01", isAdded: true })],
    want: [30, 365],
  },
  { name: "all of it was added", sources: [source("b", { newest: "2026-07-01", isAdded: true })], want: [0, 0] },
  {
    name: "another ecosystem's import renews nothing",
    sources: [source("a", { ecosystems: ["Go"] }), source("b", { importedSeconds: secondsOf("2026-06-30") })],
    want: [1],
  },
  { name: "a database of an earlier version", sources: [source("a", { importedSeconds: undefined })], want: [0] },
];
for (const { name, sources, want } of cases) {
  test(`age of advisories: ${name}`, () => {
    const [age] = advisoryAges(status(...sources), ["npm"], nowMs);
    assert.deepEqual([age?.importedDays, age?.records?.days], [want[0], want[1]]);
  });
}

test("the list of what is exploited has an age too, and the oldest import is told", () => {
  const list = source("kev.json", { ecosystems: [], newest: "2026-01-01", importedSeconds: secondsOf("2026-06-21") });
  const ages = advisoryAges(status(source("a"), list), ["npm", exploitedList], nowMs);
  assert.equal(oldestImport(ages)?.ecosystem, exploitedList);
  assert.equal(ages[1]?.records?.text, "kev.json: newest record of 2026-01-01");
});
