/** docs/errors.md explains every code that the sources make, and no other. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { codesOf, documentedCodes, readSources } from "../scripts/error-codes.ts";

const root = path.resolve(import.meta.dirname, "..");
const uses = codesOf(readSources(root));
const documented = documentedCodes(readFileSync(path.join(root, "docs/errors.md"), "utf8"));

test("every code of the sources is explained (bin/node scripts/error-codes.ts lists the gaps)", () => {
  assert.ok(uses.length > 100, "the search for codes is broken");
  assert.deepEqual(
    uses.filter((use) => !documented.includes(use.code)).map((use) => use.code),
    [],
  );
});

test("every explained code is made somewhere, and explained once", () => {
  assert.deepEqual(
    documented.filter((code) => !uses.some((use) => use.code === code)),
    [],
  );
  assert.equal(new Set(documented).size, documented.length);
});

const samples: readonly { readonly name: string; readonly text: string; readonly want: readonly string[] }[] = [
  { name: "plain", text: 'throw new SlipwayError("not_found", "A_CODE", `x`)', want: ["A_CODE"] },
  { name: "over lines", text: 'new SlipwayError(\n  "not_found",\n  "A_CODE",\n  `x`)', want: ["A_CODE"] },
  { name: "one of two", text: 'new SlipwayError(kind, isX ? "A_CODE" : "B_CODE", m)', want: ["A_CODE", "B_CODE"] },
  { name: "prepared", text: 'const code = x ? "A_CODE" : "B_CODE"; // SlipwayError', want: ["A_CODE", "B_CODE"] },
  { name: "in a table", text: 'return { kind, code: "A_CODE", text }; // SlipwayError', want: ["A_CODE"] },
  { name: "wrapped", text: 'throw asSlipwayError(error, "internal", "A_CODE");', want: ["A_CODE"] },
  { name: "compared only", text: 'if (error.code === "A_CODE") return; // SlipwayError', want: [] },
  { name: "of the system", text: 'const code = "ENOENT"; // SlipwayError', want: [] },
];
for (const { name, text, want } of samples) {
  test(`finds codes: ${name}`, () =>
    assert.deepEqual(
      codesOf({ "src/x.ts": text }).map((use) => use.code),
      want,
    ));
}
