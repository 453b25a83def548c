/** Files that want their reader to use up time or memory. What is slow here would take minutes, so that nothing has to be timed. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { elfWith, goBuildInfo } from "./test-elf.ts";
import { piecesOf, readElfSections } from "./elf-sections.ts";
import { parseBill } from "../sbom/read-bill.ts";
import { readJavaArchive } from "./languages/java.ts";
import { zipOf } from "./languages/test-zip.ts";
import { LayerCollector } from "./layer-collector.ts";
import { maxPackagesOfFile } from "./package-reader.ts";
import { readerTable } from "./readers.ts";
import { LayerInventories, type LayerInventory } from "./layer-inventory.ts";

const many = 300_000;
const blanks = " ".repeat(many);

/** Each is read to its end and says nothing, or what little there is. */
const slow: readonly { readonly name: string; readonly path: string; readonly text: string; readonly want: number }[] = [
  { name: "blanks in requirements", path: "requirements.txt", text: `a${blanks}x\na${blanks}==${blanks}1.0\n`, want: 1 },
  { name: "blanks in a gem's specification", path: "x/specifications/a.gemspec", text: `${"\n".repeat(many)}x`, want: 0 },
  { name: "a field of many lines", path: "var/lib/dpkg/status", text: `Package: a\nStatus: install\n${" x\n".repeat(many)}Version: 1\n`, want: 1 },
  { name: "a line without an end", path: "yarn.lock", text: `a@${"@npm:".repeat(many / 5)}`, want: 0 },
  { name: "keys of pnpm", path: "pnpm-lock.yaml", text: `packages:\n  ${": ".repeat(many)}\n  ${"@".repeat(many)}\n`, want: 0 },
  { name: "marks of yarn's directories in a source", path: "a.js.map", text: `{"sources":["${"-npm-1".repeat(10_000)}/node_modules/a/b"]}`, want: 1 },
  { name: "backslashes in a source map", path: "a.js.map", text: `{"node_modules":"${"\\\\".repeat(many)}"}`, want: 0 },
];
for (const { name, path, text, want } of slow) {
  test(`a reader is not kept busy by ${name}`, () => {
    const bytes = Buffer.from(text);
    const { packages = [] } = readerTable.find(path)?.read(bytes, path) ?? {};
    assert.equal(packages.length, want);
  });
}

test("a reader is not kept busy by blanks in a Java archive's properties and manifest", () => {
  const pom = `version=1${blanks}x\ngroupId=g\nartifactId=a\n`;
  const withPom = zipOf({ "META-INF/maven/g/a/pom.properties": pom });
  assert.deepEqual(
    readJavaArchive(withPom, "x.jar").packages?.map(({ name }) => name),
    ["g:a"],
  );
  const withManifest = zipOf({ "META-INF/MANIFEST.MF": `Bundle-Version: 1${blanks}x\n` });
  assert.equal(readJavaArchive(withManifest, "a-1.jar").packages?.length, 1);
});

const repeat = (one: string): string => one.repeat(maxPackagesOfFile + 1);
const numerous: readonly { readonly path: string; readonly text: string }[] = [
  { path: "var/lib/dpkg/status", text: repeat("Package: a\nVersion: 1\n\n") },
  { path: "lib/apk/db/installed", text: repeat("P:a\nV:1\n\n") },
  { path: "pnpm-lock.yaml", text: `packages:\n${repeat("  a@1.0.0: {}\n")}` },
  { path: "yarn.lock", text: repeat('a@1:\n  version "1.0.0"\n') },
  { path: "requirements.txt", text: repeat("a==1\n") },
  { path: "Gemfile.lock", text: `GEM\n  specs:\n${repeat("    a (1)\n")}` },
  { path: "package.json".padStart(27, "node_modules/a/"), text: `{"x":[0${",0".repeat(3_000_000)}]}` },
];
function collected(path: string, bytes: Buffer): LayerInventory {
  const collector = new LayerCollector();
  assert.equal(collector.seen(path, { type: "file", mode: 0o644, size: bytes.length, linkname: "" }), "content");
  collector.content(path, bytes);
  return collector.finish();
}

for (const { path, text } of numerous) {
  test(`a file of too many packages is named and left out: ${path}`, () => {
    const { files, omitted } = collected(path, Buffer.from(text));
    assert.deepEqual([files, omitted.map((one) => one.path)], [[], [path]]);
    assert.match(omitted[0]?.reason ?? "", /too many|more than|at most/);
  });
}

test("a program of too many modules is named and left out", () => {
  const collector = new LayerCollector();
  collector.program("bin/x", piecesOf(elfWith({ ".go.buildinfo": goBuildInfo("go1.22.5", repeat("dep\ta\tv1.0.0\n")) })));
  const { files, omitted } = collector.finish();
  assert.deepEqual([files, omitted.map(({ path }) => path)], [[], ["bin/x"]]);
});

test("files that have too many packages together are named from there on, and those before are kept", () => {
  const collector = new LayerCollector();
  const bytes = Buffer.from("a==1\n".repeat(maxPackagesOfFile));
  for (const directory of ["a", "b", "c", "d"]) collector.content(`${directory}/requirements.txt`, bytes);
  const { files, omitted } = collector.finish();
  assert.deepEqual([files.length, omitted.map(({ path }) => path)], [2, ["c/requirements.txt", "d/requirements.txt"]]);
});

test("layers that have too many packages together are named from there on, and those before are kept", () => {
  const collector = new LayerCollector();
  const bytes = Buffer.from("a==1\n".repeat(maxPackagesOfFile));
  for (const directory of ["a", "b"]) collector.content(`${directory}/requirements.txt`, bytes);
  const layer = collector.finish();
  const kept = new LayerInventories();
  for (const inventory of [layer, layer, collected("requirements.txt", Buffer.from("a==1\n"))]) kept.push(inventory);
  assert.deepEqual(
    kept.inventories.map(({ files }) => files.reduce((sum, { packages = [] }) => sum + packages.length, 0)),
    [200_000, 0, 1],
  );
  assert.deepEqual(kept.inventories[1]?.omitted, [{ path: "", reason: "the 200000 packages of layer 2 are too many: at most 250000 of an image are kept" }]);
});

test("of files that cannot be read a thousand are named, and the others counted", () => {
  const collector = new LayerCollector();
  for (let at = 0; at < 1500; at++) collector.content(`${at}.jar`, Buffer.from("no zip"));
  const { omitted } = collector.finish();
  assert.deepEqual([omitted.length, omitted.at(-1)], [1001, { path: "", reason: "500 more of its files could not be read" }]);
});

const deep = "[".repeat(100_000) + "]".repeat(100_000);
for (const path of [
  "package-lock.json",
  "composer.lock",
  "Pipfile.lock",
  "bun.lock",
  "a.deps.json",
  "packages.lock.json",
  "dist/stats.json",
  "vendor/composer/installed.json",
]) {
  test(`a hundred thousand levels are refused: ${path}`, () => {
    const { omitted } = collected(path, Buffer.from(`{"node_modules":${deep}}`));
    assert.match(omitted[0]?.reason ?? "", /nested deeper than 100 levels/);
  });
}
for (const [name, text, code] of [
  ["levels", `{"bomFormat":"CycloneDX","x":${deep}}`, "INVALID_DOCUMENT"],
  ["values", `{"bomFormat":"CycloneDX","x":[0${",0".repeat(3_000_000)}]}`, "DOCUMENT_TOO_LARGE"],
  ["packages", `{"bomFormat":"CycloneDX","components":[{}${',{"purl":"pkg:npm/a@1"}'.repeat(250_001)}]}`, "DOCUMENT_TOO_LARGE"],
] as const) {
  test(`a bill of too many ${name} is refused`, () =>
    assert.throws(
      () => parseBill(Buffer.from(text), "bill.json"),
      (error) => isSlipwayError(error, code) && error.message.includes("bill.json"),
    ));
}

/** Members that all are the same bytes, each of them a hundred mebibytes when it is unpacked. */
function overlapping(members: number): Buffer {
  const whole = zipOf({ "0.jar": Buffer.alloc(100 * 2 ** 20) });
  const end = whole.length - 22;
  const start = whole.readUInt32LE(end + 16);
  const entry = whole.subarray(start, end);
  const record = Buffer.from(whole.subarray(end));
  record.writeUInt16LE(members, 8);
  record.writeUInt16LE(members, 10);
  record.writeUInt32LE(members * entry.length, 12);
  return Buffer.concat([whole.subarray(0, start), ...Array.from({ length: members }, () => entry), record]);
}

/** The same, damaged at their end: each is unpacked nearly whole before that is seen. */
function overlappingDamaged(members: number): Buffer {
  const bytes = overlapping(members);
  const directory = bytes.indexOf("PK\u0001\u0002", 0, "latin1");
  bytes.fill(0xff, directory - 8, directory);
  return bytes;
}

/** More members than it has, as a long directory's record says it. */
function numerousMembers(count: number): Buffer {
  const whole = zipOf({ "a.class": "" });
  const end = whole.length - 22;
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(whole.readUInt32LE(end + 16)), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(end), 8);
  return Buffer.concat([whole.subarray(0, end), record, locator, whole.subarray(end)]);
}

/** Its last member says that it has four gigabytes. */
function declaring(archive: Buffer): Buffer {
  archive.writeUInt32LE(0xffffffff, archive.lastIndexOf("PK\u0001\u0002", archive.length, "latin1") + 24);
  return archive;
}

const bombs: readonly { readonly name: string; readonly archive: Buffer; readonly want: RegExp }[] = [
  { name: "members that overlap", archive: overlapping(500), want: /unpacks to more than/ },
  { name: "members that overlap and are damaged", archive: overlappingDamaged(500), want: /unpacks to more than/ },
  { name: "four gigabytes declared", archive: declaring(zipOf({ "a.jar": "x" })), want: /unpacks to more than/ },
  { name: "a million members", archive: numerousMembers(1_000_000), want: /it has 1000000 members/ },
];
for (const { name, archive, want } of bombs) {
  test(`a Java archive is named and left out: ${name}`, () => {
    const { files, omitted } = collected("app.jar", archive);
    assert.deepEqual(files, []);
    assert.match(omitted[0]?.reason ?? "", want);
  });
}

const pom = (artifact: string): Readonly<Record<string, string>> => ({
  [`META-INF/maven/g/${artifact}/pom.properties`]: `groupId=g\nartifactId=${artifact}\nversion=1\n`,
});
const nested = (depth: number): Buffer =>
  zipOf({ ...pom(`a${depth}`), ...(depth === 0 ? {} : { "n.jar": nested(depth - 1) }), ...(depth === 9 ? { "z.jar": zipOf(pom("z")) } : {}) });
const partly: readonly { readonly name: string; readonly archive: Buffer; readonly found: readonly string[]; readonly want: RegExp }[] = [
  {
    name: "archives ten deep",
    archive: nested(9),
    found: ["g:a9", "g:a8", "g:a7", "g:a6", "g:a5", "g:a4", "g:z"],
    want: /^n\.jar: archives lie more than 5 deep$/,
  },
  {
    name: "a bomb behind a library",
    archive: declaring(zipOf({ ...pom("a"), "0.jar": zipOf(pom("b")), "1.jar": "x" })),
    found: ["g:a", "g:b"],
    want: /unpacks to more than/,
  },
];
for (const { name, archive, found, want } of partly) {
  test(`what is found in a Java archive stays beside what is left out: ${name}`, () => {
    const { files, omitted } = collected("app.jar", archive);
    assert.deepEqual(
      files[0]?.packages?.map((one) => one.name),
      found,
    );
    assert.match(omitted[0]?.reason ?? "", want);
  });
}

test("a package of megabytes is left out, and its neighbours are kept", () => {
  const { files, omitted } = collected(
    "var/lib/dpkg/status",
    Buffer.from(["a", "b".repeat(2e6), "c"].map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1\n\n`).join("")),
  );
  assert.deepEqual(
    files[0]?.packages?.map(({ name }) => name),
    ["a", "c"],
  );
  assert.deepEqual(omitted, [{ path: "var/lib/dpkg/status", reason: "1 of its packages say more of themselves than is kept" }]);
});

/** An SQLite file of these statements. */
function sqliteOf(...statements: readonly string[]): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "slipway-hostile-"));
  try {
    const database = new DatabaseSync(join(directory, "db"));
    for (const statement of statements) database.exec(statement);
    database.close();
    return readFileSync(join(directory, "db"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const rows = (count: number): string =>
  `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT ${count}) INSERT INTO Packages(hnum) SELECT x FROM c`;
const endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT zeroblob(1000) AS blob, x AS hnum FROM c";

/** All slots of the first page say the same blob, which is nearly all of the file. */
function ndbOfOneBlob(): Buffer {
  const bytes = Buffer.alloc(1 << 20);
  bytes.write("RpmP");
  bytes.writeUInt32LE(1, 12);
  for (let slot = 32; slot < 4096; slot += 16) {
    bytes.write("Slot", slot);
    bytes.writeUInt32LE(1, slot + 4);
    bytes.writeUInt32LE(256, slot + 8);
  }
  bytes.write("BlbS", 4096);
  bytes.writeUInt32LE((1 << 20) - 8192, 4096 + 12);
  return bytes;
}

const rpmDatabases: readonly { readonly name: string; readonly file: string; readonly bytes: () => Buffer; readonly want: RegExp }[] = [
  { name: "a view without end", file: "rpmdb.sqlite", bytes: () => sqliteOf(`CREATE VIEW Packages AS ${endless}`), want: /Packages is no plain table/ },
  {
    name: "a column that is computed",
    file: "rpmdb.sqlite",
    bytes: () => sqliteOf("CREATE TABLE Packages(hnum INTEGER PRIMARY KEY, blob AS (zeroblob(900000000)))", rows(1000)),
    want: /Packages is no plain table/,
  },
  {
    name: "a value that all rows share",
    file: "rpmdb.sqlite",
    bytes: () =>
      sqliteOf("CREATE TABLE Packages(hnum INTEGER PRIMARY KEY)", rows(2000), `ALTER TABLE Packages ADD COLUMN blob DEFAULT x'${"00".repeat(100_000)}'`),
    want: /its packages are larger than itself/,
  },
  { name: "packages upon each other", file: "Packages.db", bytes: ndbOfOneBlob, want: /its packages are larger than itself/ },
];
for (const { name, file, bytes, want } of rpmDatabases) {
  test(`an rpm database is named and left out: ${name}`, () => {
    const { files, omitted } = collected(`var/lib/rpm/${file}`, bytes());
    assert.deepEqual(files, []);
    assert.match(omitted[0]?.reason ?? "", want);
  });
}

test("a damaged package of an rpm database does not hide the others", () => {
  const whole = gunzipSync(readFileSync(join(import.meta.dirname, "rpm/testdata/Packages.db.gz")));
  const at = whole.indexOf("BlbS");
  whole.writeUInt32BE(0x7fffffff, at + 16);
  const { files, omitted } = collected("var/lib/rpm/Packages.db", whole);
  assert.equal(files[0]?.packages?.length, 4);
  assert.deepEqual(omitted, [{ path: "var/lib/rpm/Packages.db", reason: "1 of its packages are damaged" }]);
});

test("a program with a list of modules of megabytes is named and left out", () => {
  const collector = new LayerCollector();
  collector.program("bin/x", piecesOf(elfWith({ ".go.buildinfo": Buffer.alloc(2 ** 25 + 1) })));
  const { files, omitted } = collector.finish();
  assert.deepEqual([files, omitted[0]?.reason], [[], "a section of 33554433 bytes: at most 33554432 are read"]);
});

test("an ELF file whose sections all are the whole of it is read once", () => {
  const whole = elfWith({ ".go.buildinfo": Buffer.alloc(2 ** 20) });
  const count = 65_000;
  const headers = Buffer.alloc(64 * count);
  const [table, own] = [Number(whole.readBigUInt64LE(40)), Number(whole.readBigUInt64LE(40)) + 64];
  for (let at = 0; at < count - 1; at++) whole.copy(headers, at * 64, own, own + 64);
  whole.copy(headers, (count - 1) * 64, table + 128, table + 192);
  const bytes = Buffer.concat([whole, headers]);
  bytes.writeBigUInt64LE(BigInt(whole.length), 40);
  bytes.writeUInt16LE(count, 60);
  bytes.writeUInt16LE(count - 1, 62);
  let read = 0;
  const sections = readElfSections(
    {
      size: bytes.length,
      read: (start, length) => {
        read += length;
        return bytes.subarray(start, start + length);
      },
    },
    [".go.buildinfo"],
  );
  assert.equal(sections.get(".go.buildinfo")?.length, 2 ** 20);
  assert.ok(read <= bytes.length, String(read));
});
