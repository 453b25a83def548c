import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { parseKinds, parseOutputs } from "./sbom-outputs.ts";

const cases: readonly { readonly name: string; readonly format?: string; readonly outputs: readonly string[]; readonly want: readonly string[] }[] = [
  { name: "nothing is a table on standard output", outputs: [], want: ["table "] },
  { name: "a format", format: "spdx-json", outputs: [], want: ["spdx-json "] },
  { name: "Scout's words for formats", format: "list", outputs: ["cyclonedx=a", "spdx=b"], want: ["cyclonedx-json a", "spdx-json b"] },
  { name: "Syft's words with the version that is written", outputs: ["cyclonedx-json@1.6=a", "spdx-json@2.3"], want: ["cyclonedx-json a", "spdx-json "] },
  { name: "a file", outputs: ["a"], want: ["table a"] },
  { name: "a file in a format", format: "json", outputs: ["dir/a.spdx.json"], want: ["json dir/a.spdx.json"] },
  {
    name: "files whose names say the format",
    outputs: ["dir/a.spdx.json", "a.cdx.json", "out/bom.json", "a.json"],
    want: ["spdx-json dir/a.spdx.json", "cyclonedx-json a.cdx.json", "cyclonedx-json out/bom.json", "table a.json"],
  },
  { name: "several formats at once", outputs: ["table", "json=a=b", "spdx-json=-x"], want: ["table ", "json a=b", "spdx-json -x"] },
  { name: "standard output by its sign", format: "json", outputs: ["-"], want: ["json "] },
  { name: "a file with a sign of equality in its name", outputs: ["x=y"], want: ["table x=y"] },
];
for (const { name, format, outputs, want } of cases) {
  test(`sbom's outputs: ${name}`, () =>
    assert.deepEqual(
      parseOutputs(format, outputs).map((one) => `${one.format} ${one.file}`),
      want,
    ));
}

const refused: readonly (readonly [format: string | undefined, outputs: readonly string[], says: RegExp])[] = [
  ["xml", [], /^unknown format "xml": want one of table, json, spdx-json, cyclonedx-json$/],
  [undefined, ["spdx-tag-value=a"], /unknown format "spdx-tag-value"/],
  [undefined, ["cyclonedx-xml"], /unknown format "cyclonedx-xml"/],
  [undefined, ["cyclonedx-json@1.4=a"], /unknown format "cyclonedx-json@1.4"/],
  [undefined, ["spdx-json=a", "json=a"], /^"a" is to be written twice: want -o FORMAT=FILE for each$/],
  [undefined, ["spdx-json", "-"], /^standard output is to be written twice/],
];
for (const [format, outputs, says] of refused) {
  test(`sbom refuses: ${[format, ...outputs].join(" ")}`, () =>
    assert.throws(
      () => parseOutputs(format, outputs),
      (error) => isSlipwayError(error, "USAGE") && says.test(error.message),
    ));
}

test("kinds of packages have the names that people give them", () => {
  assert.deepEqual(parseKinds(["npm", "Go", "python", "java"]), ["npm", "golang", "pypi", "maven"]);
  assert.throws(
    () => parseKinds(["npmm"]),
    (error) => isSlipwayError(error, "USAGE") && error.message.startsWith('unknown kind of package "npmm": want deb, apk, '),
  );
});
