import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { DatabaseIndex } from "../../trust/advisories/database-index.ts";
import { zipOf } from "../../trust/packages/languages/test-zip.ts";
import { TestStore } from "../images/test-images.ts";
import { readIndex, withPackedFile } from "./database.ts";
import { importAdvisories } from "./import-advisories.ts";

const nowMs = 1_700_000_000_000;
const record = (id: string, name: string, more: object = {}, ecosystem = "npm"): string =>
  JSON.stringify({ id, affected: [{ package: { ecosystem, name }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2" }] }] }], ...more });

type Members = Readonly<Record<string, string>>;
const many: Members = Object.fromEntries(Array.from({ length: 400 }, (_, at) => [`X-${at}.json`, record(`X-${at}`, `pkg-${at % 300}`)]));
const without = (members: Members, name: string): Members => Object.fromEntries(Object.entries(members).filter(([one]) => one !== name));

async function imported(home: TestStore, name: string, bytes: Buffer, add = false): Promise<DatabaseIndex> {
  writeFileSync(join(home.root, name), bytes);
  return await importAdvisories(home.store, [join(home.root, name)], { nowMs, add });
}

/** Members that are as they were cannot be unpacked: who reads them fails. */
function unreadable(bytes: Buffer, names: ReadonlySet<string>): Buffer {
  const spoiled = Buffer.from(bytes);
  for (let at = 0; at + 30 < spoiled.length && spoiled.readUInt32LE(at) === 0x04034b50;) {
    const name = spoiled.toString("utf8", at + 30, at + 30 + spoiled.readUInt16LE(at + 26));
    const start = at + 30 + spoiled.readUInt16LE(at + 26);
    const next = [spoiled.indexOf(Buffer.from("504b0304", "hex"), start), spoiled.indexOf(Buffer.from("504b0102", "hex"), start)].filter((one) => one >= 0);
    const end = Math.min(...next);
    if (names.has(name)) spoiled.fill(0xff, start, end);
    at = end;
  }
  return spoiled;
}

const later: readonly { readonly name: string; readonly members: Members }[] = [
  { name: "nothing", members: many },
  { name: "a record that changed", members: { ...many, "X-7.json": record("X-7", "pkg-7", { summary: "changed" }) } },
  { name: "a record of another package now", members: { ...many, "X-7.json": record("X-7", "other") } },
  { name: "a record that was withdrawn", members: { ...many, "X-7.json": record("X-7", "pkg-7", { withdrawn: "2024-01-01T00:00:00Z" }) } },
  { name: "a record that vanished", members: without(many, "X-7.json") },
  { name: "a new record", members: { ...many, "X-900.json": record("X-900", "aaa") } },
  { name: "a record of another ecosystem", members: { ...many, "X-900.json": record("X-900", "a", {}, "PyPI") } },
  { name: "a row that another member gives too", members: without({ ...many, "X-7b.json": many["X-7.json"] ?? "" }, "X-7.json") },
];
describe("a later archive gives what it would give alone, and what did not change is not read:", () => {
  for (const { name, members } of later) {
    test(name, async () => {
      using home = new TestStore();
      await imported(home, "all.zip", zipOf(many));
      const same = new Set(Object.keys(members).filter((one) => members[one] === many[one]));
      const spoiled = unreadable(zipOf(members), same);
      const updated = await imported(home, "all.zip", spoiled);
      using alone = new TestStore();
      const whole = await imported(alone, "all.zip", zipOf(members));
      assert.deepEqual(updated.files, whole.files);
      // and the next one stands on this one
      await imported(home, "renamed.zip", unreadable(zipOf(members), new Set(Object.keys(members))));
    });
  }
});

const dated: readonly { readonly name: string; readonly text: string; readonly want: readonly [newest: string | undefined, newestYear: number | undefined] }[] =
  [
    {
      name: "the day of a record's change",
      text: record("X-1", "a", { modified: "2024-03-01T10:00:00Z", published: "2023-01-01T00:00:00Z" }),
      want: ["2024-03-01", undefined],
    },
    {
      name: "the day of its publication",
      text: record("X-1", "a", { modified: "0001-01-01T00:00:00Z", published: "2023-01-01T00:00:00Z" }),
      want: ["2023-01-01", undefined],
    },
    { name: "the year of a name", text: `${record("CVE-2024-1", "a")}\n${record("X-2", "b", { aliases: ["CVE-2025-2"] })}`, want: [undefined, 2025] },
    { name: "no year that is none", text: record("CVE-9999-1", "a"), want: [undefined, undefined] },
    {
      name: "the years of Debian's tracker",
      text: JSON.stringify({ curl: { "CVE-2023-9": { releases: { bookworm: { status: "open" } } }, "TEMP-0000000-A": { releases: {} } } }),
      want: [undefined, 2023],
    },
    {
      name: "the release of CISA's catalogue",
      text: JSON.stringify({ dateReleased: "2025-08-25T17:00:22.0000Z", vulnerabilities: [{ cveID: "CVE-2021-1" }] }),
      want: ["2025-08-25", undefined],
    },
    { name: "the years of a list of names", text: '["CVE-2021-1","CVE-2022-1"]', want: [undefined, 2022] },
  ];
for (const { name, text, want } of dated) {
  test(`how far a source reaches: ${name}`, async () => {
    using home = new TestStore();
    const [source] = (await imported(home, "feed.json", Buffer.from(text))).sources;
    assert.deepEqual([source?.newest, source?.newestYear], [want[0], want[1]]);
    assert.equal(source?.importedSeconds, nowMs / 1000);
  });
}

test("each source keeps the time of its own import", async () => {
  using home = new TestStore();
  await imported(home, "npm.json", Buffer.from(record("X-1", "a")));
  writeFileSync(join(home.root, "more.json"), record("X-2", "b"));
  writeFileSync(join(home.root, "go.json"), record("X-3", "c", {}, "Go"));
  await importAdvisories(home.store, [join(home.root, "more.json")], { nowMs: nowMs + 5000, add: true });
  const { sources } = await importAdvisories(home.store, [join(home.root, "go.json")], { nowMs: nowMs + 9000 });
  assert.deepEqual(
    sources.map((source) => [source.name, (source.importedSeconds ?? 0) - nowMs / 1000, source.isAdded]),
    [
      ["npm.json", 0, undefined],
      ["more.json", 5, true],
      ["go.json", 9, undefined],
    ],
  );
  const read = readIndex(home.store);
  assert.deepEqual(
    read?.sources.map(({ importedSeconds, isAdded }) => [importedSeconds, isAdded]),
    sources.map(({ importedSeconds, isAdded }) => [importedSeconds, isAdded]),
  );
});

test("a source's newest record is told, also of an archive that is compared with an older one", async () => {
  using home = new TestStore();
  const dated = { ...many, "X-7.json": record("X-7", "pkg-7", { modified: "2024-03-01T10:00:00Z" }) };
  const newest = async (members: Members): Promise<unknown> => (await imported(home, "all.zip", zipOf(members))).sources[0]?.newest;
  assert.equal(await newest(dated), "2024-03-01");
  assert.equal(await newest({ ...dated, "X-8.json": record("X-8", "pkg-8", { modified: "2024-02-01T10:00:00Z" }) }), "2024-03-01");
  assert.equal(await newest({ ...dated, "X-8.json": record("X-8", "pkg-8", { modified: "2025-02-01T10:00:00Z" }) }), "2025-02-01");
});

test("what is withdrawn or gone is found no more", async () => {
  using home = new TestStore();
  await imported(home, "all.zip", zipOf(many));
  const index = await imported(
    home,
    "all.zip",
    zipOf(without({ ...many, "X-8.json": record("X-8", "pkg-8", { withdrawn: "2024-01-01T00:00:00Z" }) }, "X-7.json")),
  );
  const ids = withPackedFile(home.store, index, "npm", (file) =>
    [...file.find(["pkg-7", "pkg-8", "pkg-9"])]
      .map(([, found]) => found)
      .flat()
      .map(({ id }) => id)
      .sort(),
  );
  assert.deepEqual(ids, ["X-307", "X-308", "X-309", "X-9"]);
});

const whole: readonly { readonly name: string; readonly before: (home: TestStore) => Promise<unknown> }[] = [
  {
    name: "what was added to the ecosystem meanwhile goes",
    before: async (home) => await imported(home, "more.json", Buffer.from(record("Y-1", "added")), true),
  },
  { name: "what another file put in its place goes", before: async (home) => await imported(home, "other.json", Buffer.from(record("Y-1", "other"))) },
];
for (const { name, before } of whole) {
  test(`an archive is read whole where the database is not its own any more: ${name}`, async () => {
    using home = new TestStore();
    await imported(home, "all.zip", zipOf(many));
    await before(home);
    const again = await imported(home, "all.zip", zipOf(many));
    using alone = new TestStore();
    assert.deepEqual(again.files, (await imported(alone, "all.zip", zipOf(many))).files);
  });
}

test("two files of one call about the same ecosystem are taken together, whatever was imported before", async () => {
  using home = new TestStore();
  await imported(home, "all.zip", zipOf(many));
  writeFileSync(join(home.root, "more.json"), record("Y-1", "more"));
  const index = await importAdvisories(home.store, [join(home.root, "all.zip"), join(home.root, "more.json")], { nowMs });
  assert.equal(index.files[0]?.advisories, 401);
});

test("an archive that has no checksums is read whole", async () => {
  using home = new TestStore();
  const bytes = zipOf({ "X-1.json": record("X-1", "a"), "X-2.json": record("X-2", "b") });
  const changed = zipOf({ "X-1.json": record("X-1", "a"), "X-2.json": record("X-2", "c") });
  for (const one of [bytes, changed]) for (let at = one.indexOf("PK\x01\x02"); at >= 0; at = one.indexOf("PK\x01\x02", at + 4)) one.writeUInt32LE(0, at + 16);
  await imported(home, "all.zip", bytes);
  const index = await imported(home, "all.zip", changed);
  assert.deepEqual(
    withPackedFile(home.store, index, "npm", (file) => [...file.find(["b", "c"])].map(([name]) => name)),
    ["c"],
  );
});
