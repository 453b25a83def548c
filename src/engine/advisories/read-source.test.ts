import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { isSlipwayError } from "../../base/errors.ts";
import { zipOf } from "../../trust/packages/languages/test-zip.ts";
import { TestStore } from "../images/test-images.ts";
import { readSource } from "./read-source.ts";

const record = (id: string): object => ({
  id,
  affected: [{ package: { ecosystem: "npm", name: "a" }, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }] }],
});
const line = (id: string): string => JSON.stringify(record(id));

const forms: readonly { readonly name: string; readonly bytes: string | Buffer; readonly want: readonly string[] }[] = [
  { name: "lines", bytes: `${line("X-1")}\n\n${line("X-2")}\n`, want: ["X-1", "X-2"] },
  { name: "lines without an end", bytes: `${line("X-1")}\n${line("X-2")}`, want: ["X-1", "X-2"] },
  { name: "lines, zstd", bytes: zstdCompressSync(`${line("X-1")}\n${line("X-2")}\n`), want: ["X-1", "X-2"] },
  { name: "one document over several lines", bytes: JSON.stringify(record("X-1"), undefined, 2), want: ["X-1"] },
  { name: "a list, gzip", bytes: gzipSync(JSON.stringify([record("X-1"), record("X-2")], undefined, 1)), want: ["X-1", "X-2"] },
  {
    name: "a zip archive, of which other files are left out",
    bytes: zipOf({ "X-1.json": line("X-1"), "X-2.json": line("X-2"), "modified_id.csv": "x" }),
    want: ["X-1", "X-2"],
  },
];
for (const { name, bytes, want } of forms) {
  test(`advisories from ${name}`, async () => {
    using home = new TestStore();
    const path = join(home.root, "file");
    writeFileSync(path, bytes);
    const { rows } = await readSource(path);
    assert.deepEqual(
      rows.map(({ advisory }) => advisory.id),
      want,
    );
  });
}

test("a directory is read with all below it, and what is no record is left out", async () => {
  using home = new TestStore();
  mkdirSync(join(home.root, "all/2024"), { recursive: true });
  writeFileSync(join(home.root, "all/2024/X-1.json"), line("X-1"));
  writeFileSync(join(home.root, "all/package.json"), '{"name":"x"}');
  // larger than any record, and what is no file would be waited for
  writeFileSync(join(home.root, "all/large.json"), "");
  truncateSync(join(home.root, "all/large.json"), 65 * 2 ** 20);
  execFileSync("mkfifo", [join(home.root, "all/pipe.json")]);
  symlinkSync("..", join(home.root, "all/loop.json"));
  assert.deepEqual((await readSource(join(home.root, "all"))).rows.length, 1);
});

test("the same file has the same digest, and a change is seen in it", async () => {
  using home = new TestStore();
  const digestOfText = async (text: string): Promise<string> => {
    writeFileSync(join(home.root, "file"), text);
    return (await readSource(join(home.root, "file"))).digest;
  };
  assert.equal(await digestOfText(line("X-1")), await digestOfText(line("X-1")));
  assert.notEqual(await digestOfText(line("X-1")), await digestOfText(line("X-2")));
});

const foreign = JSON.stringify({
  id: "BIT-1",
  modified: "2026-01-01T00:00:00Z",
  affected: [{ package: { ecosystem: "Bitnami", name: "a" }, versions: ["1"] }],
});
const refused: readonly { readonly name: string; readonly bytes: string | Buffer; readonly code: string; readonly says?: RegExp }[] = [
  { name: "records of another ecosystem alone", bytes: foreign, code: "NO_ADVISORIES", says: /its records are of no ecosystem whose packages are known here$/ },
  { name: "another document", bytes: '{"a":1}', code: "NO_ADVISORIES" },
  { name: "lines of which one is no JSON", bytes: `${line("X-1")}\nnonsense\n`, code: "INVALID_DOCUMENT", says: /file:2: / },
  { name: "an archive without records", bytes: zipOf({ "a.txt": "x" }), code: "NO_ADVISORIES" },
  { name: "a damaged archive", bytes: Buffer.concat([Buffer.from("PK\x03\x04"), Buffer.alloc(600)]), code: "ARCHIVE_CORRUPT" },
];
for (const { name, bytes, code, says = /(?:)/ } of refused) {
  test(`no advisories: ${name}`, async () => {
    using home = new TestStore();
    const path = join(home.root, "file");
    writeFileSync(path, bytes);
    await assert.rejects(readSource(path), (error) => isSlipwayError(error, code) && says.test(error.message));
  });
}
