import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../../base/test-chance.ts";
import { isSlipwayError } from "../../base/errors.ts";
import type { Distribution, FoundPackage } from "../packages/package.ts";
import type { PackageAdvisory } from "./advisory.ts";
import { scoreOfVector } from "./cvss.ts";
import { databaseDigest, formatDatabaseIndex, parseDatabaseIndex, type DatabaseIndex } from "./database-index.ts";
import { advisoryKeyOf, normalizedEcosystem } from "./ecosystems.ts";
import { advisoriesOfOsv } from "./osv.ts";
import { packEcosystem, rowDigest, updateEcosystem } from "./pack-ecosystem.ts";
import { PackedFile } from "./packed-file.ts";
import { readFeed } from "./read-feed.ts";
import { digestOf } from "../../oci/digest.ts";

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const affected = (ecosystem: string, name: string, events: readonly object[]): object => ({
  package: { ecosystem, name },
  ranges: [{ type: "ECOSYSTEM", events }],
});
const short = ({ ecosystem, name, advisory }: PackageAdvisory): string =>
  `${ecosystem}/${name} ${advisory.id} ${advisory.severity}${advisory.status === undefined ? "" : ` ${advisory.status}`} ${advisory.ranges.map(({ introduced = "", fixed, last }) => `[${introduced},${fixed === undefined ? (last === undefined ? "" : `${last}]`) : `${fixed})`}`).join(" ")}`;

const records: readonly { readonly name: string; readonly record: object; readonly want: readonly string[] }[] = [
  {
    name: "the CVE is the name, the rest are others",
    record: {
      id: "GHSA-1",
      aliases: ["CVE-2024-1", "PYSEC-2024-1"],
      affected: [affected("npm", "a", [{ introduced: "0" }, { fixed: "1.0.0" }])],
      database_specific: { severity: "MODERATE" },
    },
    want: ["npm/a CVE-2024-1 medium [,1.0.0)"],
  },
  {
    name: "several ranges, one without an end, one up to and with",
    record: {
      id: "GHSA-1",
      affected: [
        affected("npm", "a", [{ introduced: "1.0.0" }, { fixed: "1.2.0" }, { introduced: "2.0.0" }, { last_affected: "2.3.0" }, { introduced: "3.0.0" }]),
      ],
    },
    want: ["npm/a GHSA-1 unknown [1.0.0,1.2.0) [2.0.0,2.3.0] [3.0.0,"],
  },
  { name: "withdrawn", record: { id: "GHSA-1", withdrawn: "2024-01-01T00:00:00Z", affected: [affected("npm", "a", [{ introduced: "0" }])] }, want: [] },
  {
    name: "malware",
    record: { id: "MAL-2024-1", affected: [{ package: { ecosystem: "npm", name: "evil" }, versions: ["1.0.0"] }] },
    want: ["npm/evil MAL-2024-1 critical "],
  },
  {
    name: "ranges of commits alone",
    record: { id: "X-1", affected: [{ package: { ecosystem: "npm", name: "a" }, ranges: [{ type: "GIT", events: [{ introduced: "0" }] }] }] },
    want: [],
  },
  { name: "an ecosystem that nothing here is of", record: { id: "X-1", affected: [affected("Hex", "a", [{ introduced: "0" }])] }, want: [] },
  {
    name: "a vendor's bulletin is as many as it names",
    record: {
      id: "ALSA-2024:1",
      related: ["CVE-2024-1", "CVE-2024-2"],
      affected: [affected("AlmaLinux:9", "curl", [{ introduced: "0" }, { fixed: "7.76-1.el9" }])],
    },
    want: ["AlmaLinux:9/curl CVE-2024-1 unknown [,7.76-1.el9)", "AlmaLinux:9/curl CVE-2024-2 unknown [,7.76-1.el9)"],
  },
  {
    name: "a score where there is no word",
    record: {
      id: "GHSA-1",
      severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
      affected: [affected("PyPI", "My_Pkg", [{ introduced: "0" }])],
    },
    want: ["PyPI/my-pkg GHSA-1 critical [,"],
  },
  {
    name: "Ubuntu's releases",
    record: {
      id: "UBUNTU-CVE-2024-1",
      upstream: ["CVE-2024-1"],
      severity: [{ type: "Ubuntu", score: "low" }],
      affected: [affected("Ubuntu:22.04:LTS", "curl", [{ introduced: "0" }])],
    },
    want: ["Ubuntu:22.04/curl CVE-2024-1 low [,"],
  },
  { name: "nothing but a name", record: { id: "X-1" }, want: [] },
];
for (const { name, record, want } of records) {
  test(`OSV: ${name}`, () => assert.deepEqual(advisoriesOfOsv(JSON.parse(JSON.stringify(record)) as Parameters<typeof advisoriesOfOsv>[0]).map(short), want));
}

const release = (fields: object): object => ({ status: "open", urgency: "not yet assigned", ...fields });
const tracker: readonly { readonly name: string; readonly bookworm: object; readonly want: readonly string[] }[] = [
  { name: "fixed", bookworm: release({ status: "resolved", fixed_version: "1.2-3", urgency: "medium" }), want: ["Debian:12/zlib CVE-2024-1 medium [,1.2-3)"] },
  {
    name: "a fix comes before no-dsa",
    bookworm: release({ status: "resolved", fixed_version: "1.2-3", nodsa: "Minor issue" }),
    want: ["Debian:12/zlib CVE-2024-1 unknown [,1.2-3)"],
  },
  { name: "never affected", bookworm: release({ status: "resolved", fixed_version: "0" }), want: [] },
  { name: "not decided", bookworm: release({ status: "undetermined" }), want: [] },
  { name: "open", bookworm: release({ urgency: "high**" }), want: ["Debian:12/zlib CVE-2024-1 high affected [,"] },
  { name: "no-dsa", bookworm: release({ nodsa: "Minor issue", nodsa_reason: "" }), want: ["Debian:12/zlib CVE-2024-1 unknown minor [,"] },
  { name: "ignored", bookworm: release({ nodsa: "minizip not built", nodsa_reason: "ignored" }), want: ["Debian:12/zlib CVE-2024-1 unknown will-not-fix [,"] },
  { name: "postponed", bookworm: release({ nodsa: "x", nodsa_reason: "postponed" }), want: ["Debian:12/zlib CVE-2024-1 unknown deferred [,"] },
  { name: "unimportant", bookworm: release({ urgency: "unimportant" }), want: ["Debian:12/zlib CVE-2024-1 negligible unimportant [,"] },
  { name: "end of life", bookworm: release({ urgency: "end-of-life" }), want: ["Debian:12/zlib CVE-2024-1 unknown end-of-life [,"] },
];
for (const { name, bookworm, want } of tracker) {
  test(`Debian's tracker: ${name}`, () => {
    const feed = readFeed(json({ zlib: { "CVE-2024-1": { description: "x", releases: { bookworm, woody: bookworm } } } }), "tracker");
    assert.deepEqual(feed?.rows.map(short), want);
  });
}

test("Alpine's secdb: names in a line are of the same, and version 0 is none", () => {
  const packages = [{ pkg: { name: "curl", secfixes: { "8.1-r0": ["CVE-2024-1 GHSA-x", "XSA-1"], "0": ["CVE-2024-2"] } } }];
  const feed = readFeed(json({ distroversion: "v3.20", reponame: "main", packages }), "secdb");
  assert.deepEqual(feed?.rows.map(short), ["Alpine:v3.20/curl CVE-2024-1 unknown [,8.1-r0)", "Alpine:v3.20/curl XSA-1 unknown [,8.1-r0)"]);
  assert.deepEqual(feed?.rows[0]?.advisory.aliases, ["GHSA-x"]);
});

test("lists of what is exploited, as CISA has them and bare", () => {
  assert.deepEqual(readFeed(json({ title: "x", vulnerabilities: [{ cveID: "CVE-2024-2" }, { cveID: "CVE-2024-1" }] }), "kev")?.exploited, [
    "CVE-2024-1",
    "CVE-2024-2",
  ]);
  assert.deepEqual(readFeed(json(["CVE-2024-1"]), "kev")?.exploited, ["CVE-2024-1"]);
  assert.equal(readFeed(json({ a: 1 }), "other"), undefined);
});

test("JSON that is too deep is refused", () => {
  assert.throws(
    () => readFeed(Buffer.from(`${'{"a":'.repeat(100)}1${"}".repeat(100)}`), "x"),
    (error) => isSlipwayError(error, "INVALID_DOCUMENT"),
  );
});

const vectors: readonly (readonly [vector: string, want: number | undefined])[] = [
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8],
  ["CVSS:3.0/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:L/A:N", 3.3],
  ["CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:C/C:L/I:L/A:N", 5.4],
  ["CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:N", 0],
  ["CVSS:4.0/AV:N", undefined],
  ["nonsense", undefined],
];
for (const [vector, want] of vectors) test(`CVSS: ${vector}`, () => assert.equal(scoreOfVector(vector), want));

const debian: Distribution = { id: "debian", version: "12", codename: "bookworm", name: "", idLike: [] };
const alpine: Distribution = { id: "alpine", version: "3.20.3", codename: "", name: "", idLike: [] };
const libssl: FoundPackage = { type: "deb", name: "libssl3", version: "3.0.1-1+b1", source: { name: "openssl", version: "3.0.1-1" } };
const keys: readonly {
  readonly name: string;
  readonly found: FoundPackage;
  readonly distribution?: Distribution;
  readonly repositories?: readonly string[];
  readonly want: string | undefined;
}[] = [
  { name: "a source's name and version", found: libssl, distribution: debian, want: "Debian:12 openssl 3.0.1-1" },
  { name: "testing by its codename", found: libssl, distribution: { ...debian, version: "", codename: "trixie" }, want: "Debian:13 openssl 3.0.1-1" },
  { name: "Alpine's release", found: { type: "apk", name: "a", version: "1" }, distribution: alpine, want: "Alpine:v3.20 a 1" },
  {
    name: "Alpine's repositories where they are others",
    found: { type: "apk", name: "a", version: "1" },
    distribution: alpine,
    repositories: ["edge"],
    want: "Alpine:edge a 1",
  },
  {
    name: "rpm by the binary's name",
    found: { type: "rpm", name: "a-libs", version: "1-1", source: { name: "a", version: "1-1" } },
    distribution: { ...debian, id: "almalinux", version: "9.4" },
    want: "AlmaLinux:9 a-libs 1-1",
  },
  { name: "a derived distribution is not its parent", found: libssl, distribution: { ...debian, id: "raspbian" }, want: undefined },
  { name: "Debian's packages in what calls itself Alpine are compared with nothing", found: libssl, distribution: alpine, want: undefined },
  { name: "Alpine's in what calls itself Debian", found: { type: "apk", name: "a", version: "1" }, distribution: debian, want: undefined },
  { name: "no distribution", found: libssl, want: undefined },
  { name: "Python's names", found: { type: "pypi", name: "My.Pkg_x", version: "1" }, want: "PyPI my-pkg-x 1" },
];
for (const { name, found, distribution, repositories = [], want } of keys) {
  test(`advisories are looked up by: ${name}`, () => {
    const key = advisoryKeyOf(found, { distribution, repositories });
    assert.equal(key === undefined ? undefined : `${key.ecosystem} ${key.name} ${key.version}`, want);
  });
}
test("Red Hat's repositories of a release are one", () => assert.equal(normalizedEcosystem("Red Hat:enterprise_linux:9::appstream"), "Red Hat:9"));

const row = (name: string, id: string): PackageAdvisory => ({
  ecosystem: "npm",
  name,
  advisory: { id, aliases: [], severity: "high", ranges: [{ fixed: "2" }], title: "t".repeat(100) },
});
const names = Array.from({ length: 500 }, (_, at) => `pkg-${(at * 7919) % 500}`);
const rows = names.flatMap((name) => [row(name, "CVE-2024-1"), row(name, "CVE-2024-2")]);
const packed = packEcosystem("npm", rows);
const open = (bytes: Buffer, headDigest = packed.headDigest): PackedFile =>
  new PackedFile((offset, length) => bytes.subarray(offset, offset + length), "npm", headDigest);

test("a packed file finds what is there, and nothing else", () => {
  const file = open(packed.bytes);
  const found = new Map(file.find([...names.slice(0, 50), "pkg", "pkg-1000", "a", "z", ""]));
  assert.deepEqual([...found.keys()].sort(), names.slice(0, 50).sort());
  assert.deepEqual(
    found.get("pkg-0")?.map(({ id }) => id),
    ["CVE-2024-1", "CVE-2024-2"],
  );
  assert.equal([...file.rows()].length, 1000);
});

test("a packed file is read where the question needs it", () => {
  let read = 0;
  const file = new PackedFile(
    (offset, length) => {
      read += length;
      return packed.bytes.subarray(offset, offset + length);
    },
    "npm",
    packed.headDigest,
  );
  const head = read;
  assert.equal([...file.find(["pkg-17"])].length, 1);
  assert.ok(read - head < (packed.bytes.length - head) / 4, `${read - head} of ${packed.bytes.length}`);
});

test("the same rows in any order give the same file", () => {
  assert.ok(packEcosystem("npm", rows.toReversed()).bytes.equals(packed.bytes));
});

test("what changed in some packages gives the file that all rows give, and compresses nothing else", () => {
  // names of many first letters, and lines long enough for many blocks
  const pool = Array.from({ length: 300 }, (_, at) => `${"abcxyz"[at % 6]}${at}`);
  const chosen = fc.record({ name: fc.constantFrom(...pool), id: fc.integer({ min: 1, max: 4 }), length: fc.integer({ min: 1, max: 3000 }) });
  const made = ({ name, id, length }: { name: string; id: number; length: number }): PackageAdvisory => {
    const { advisory } = row(name, `CVE-2024-${id}`);
    return { ecosystem: "npm", name, advisory: { ...advisory, title: "t".repeat(length) } };
  };
  const set = (least: number): fc.Arbitrary<readonly PackageAdvisory[]> => fc.array(chosen, { minLength: least, maxLength: 250 }).map((all) => all.map(made));
  fc.assert(
    fc.property(set(0), set(0), fc.array(fc.nat(500), { maxLength: 40 }), (old, added, gone) => {
      const before = packEcosystem("npm", old);
      const removed = new Set(gone.flatMap((at) => (old[at] === undefined ? [] : [rowDigest(old[at])])));
      const few = added.slice(0, 5);
      const changes = new Map<string, { removed: Set<string>; added: PackageAdvisory["advisory"][] }>();
      const changeOf = (name: string) => changes.get(name) ?? changes.set(name, { removed: new Set(), added: [] }).get(name)!;
      for (const one of old) if (removed.has(rowDigest(one))) changeOf(one.name).removed.add(rowDigest(one));
      for (const one of few) changeOf(one.name).added.push(one.advisory);
      const updated = updateEcosystem(open(before.bytes, before.headDigest), changes);
      const whole = packEcosystem("npm", [...old.filter((one) => !removed.has(rowDigest(one))), ...few]);
      assert.deepEqual([updated.packages, updated.advisories, updated.headDigest], [whole.packages, whole.advisories, whole.headDigest]);
      assert.ok(updated.bytes.equals(whole.bytes));
      assert.ok(
        packEcosystem("npm", [...old.filter((one) => !removed.has(rowDigest(one))), ...few], open(before.bytes, before.headDigest)).bytes.equals(whole.bytes),
      );
    }),
    { numRuns: 60 },
  );
});

test("an update reads the blocks that it changes, and those behind them until one ends as before", () => {
  const blocks = [...open(packed.bytes).blocks()].length;
  let unpacked = 0;
  class Counting extends PackedFile {
    override *blocks() {
      for (const block of super.blocks()) yield { ...block, lines: () => (unpacked++, block.lines()) };
    }
  }
  const counted = new Counting((offset, length) => packed.bytes.subarray(offset, offset + length), "npm", packed.headDigest);
  updateEcosystem(counted, new Map([["pkg-17", { removed: new Set<string>(), added: [row("pkg-17", "CVE-2024-3").advisory] }]]));
  assert.ok(unpacked >= 1 && unpacked < blocks / 2, `${unpacked} of ${blocks}`);
});

test("any change of a packed file is seen by who reads there", () => {
  fc.assert(
    fc.property(fc.nat(packed.bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = Buffer.from(packed.bytes);
      bytes[at] = (bytes[at] as number) ^ change;
      assert.throws(
        () => [...open(bytes).rows()],
        (error) => isSlipwayError(error, "ADVISORIES_DAMAGED"),
      );
    }),
    { numRuns: 50 },
  );
});

test("an index reads back as it was, and its digest does not depend on the order of its files", () => {
  const file = (ecosystem: string): DatabaseIndex["files"][number] => ({
    ecosystem,
    digest: digestOf(ecosystem),
    sizeBytes: 1,
    headDigest: "x",
    packages: 1,
    advisories: 2,
  });
  const index: DatabaseIndex = {
    createdSeconds: 5,
    exploited: ["CVE-2024-1"],
    sources: [{ name: "a", digest: digestOf("a"), ecosystems: ["Go"] }],
    files: [file("Go"), file("npm")],
  };
  assert.deepEqual(parseDatabaseIndex(Buffer.from(formatDatabaseIndex(index))), index);
  assert.equal(databaseDigest({ ...index, files: index.files.toReversed() }), databaseDigest(parseDatabaseIndex(Buffer.from(formatDatabaseIndex(index)))));
  assert.throws(
    () => parseDatabaseIndex(Buffer.from('{"format":"x"}')),
    (error) => isSlipwayError(error, "INVALID_DOCUMENT"),
  );
});
