import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createIgnoreMatcher } from "../../dockerfile/ignore.ts";
import { findNestedNodeModules } from "./unwanted-files.ts";

const context = mkdtempSync(join(tmpdir(), "slipway-nested-"));
after(() => rmSync(context, { recursive: true }));
for (const directory of ["node_modules/a/node_modules", "web/src", "packages/b/node_modules", "packages/a/node_modules/x/node_modules"])
  mkdirSync(join(context, directory), { recursive: true });
writeFileSync(join(context, "web/node_modules"), "a file");

describe("findNestedNodeModules", () => {
  const cases: { ignore: readonly string[]; expected: string | undefined }[] = [
    { ignore: [], expected: undefined },
    { ignore: ["node_modules"], expected: "packages/a/node_modules" },
    { ignore: ["node_modules", "packages/a"], expected: "packages/b/node_modules" },
    { ignore: ["node_modules", "packages/*/node_modules"], expected: undefined },
    { ignore: ["**/node_modules"], expected: undefined },
    { ignore: ["dist"], expected: undefined },
  ];
  for (const { ignore, expected } of cases) {
    it(ignore.join(", "), () => assert.equal(findNestedNodeModules(context, createIgnoreMatcher(ignore)), expected));
  }
  it("without an ignore file", () => assert.equal(findNestedNodeModules(context, undefined), undefined));
});
