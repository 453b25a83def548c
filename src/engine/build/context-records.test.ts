import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { trimContextRecords } from "./context-records.ts";

const directory = mkdtempSync(join(tmpdir(), "slipway-records-"));
after(() => rmSync(directory, { recursive: true }));

test("of the records of contexts the newest stay", () => {
  for (const [index, name] of ["c", "a", "d", "b"].entries()) {
    writeFileSync(join(directory, name), "");
    utimesSync(join(directory, name), 1000 + index, 1000 + index);
  }
  trimContextRecords(directory, 4);
  assert.deepEqual(readdirSync(directory).toSorted(), ["a", "b", "c", "d"]);
  trimContextRecords(directory, 2);
  assert.deepEqual(readdirSync(directory).toSorted(), ["b", "d"]);
});
