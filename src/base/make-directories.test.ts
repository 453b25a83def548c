import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { makeDirectories } from "./make-directories.ts";

describe("directories with their parents", () => {
  const root = mkdtempSync(join(tmpdir(), "slipway-directories-"));
  after(() => rmSync(root, { recursive: true }));

  test("are made, each with the mode, and made again without a word", () => {
    const path = join(root, "a/b/c");
    for (let i = 0; i < 2; i++) makeDirectories(path, 0o700);
    for (const each of ["a", "a/b", "a/b/c"]) assert.equal(statSync(join(root, each)).mode & 0o777, 0o700);
  });

  const file = join(root, "file");
  writeFileSync(file, "");
  const bad: readonly [name: string, path: string, code: string][] = [
    ["a file", file, "EEXIST"],
    ["below a file", join(file, "x/y"), "ENOTDIR"],
    ["below a directory that takes none", "/proc/slipway-none/x/y", "ENOENT"],
  ];
  for (const [name, path, code] of bad) test(`fails: ${name}`, () => assert.throws(() => makeDirectories(path), { code }));
});
