import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../../../base/errors.ts";
import { digestOf } from "../../../oci/digest.ts";
import { parseBill } from "../../sbom/read-bill.ts";
import { spdxDocument } from "../../sbom/spdx.ts";
import { cyclonedxValidator } from "../../sbom/test-schema.ts";
import { diffId, finding, imageOf, libssl, lodash } from "../test-findings.ts";
import { cyclonedxReport } from "./cyclonedx.ts";
import { htmlReport } from "./html.ts";
import type { Report } from "./report.ts";
import { sarifReport } from "./sarif.ts";
import { cosignVulnReport } from "./cosign-vuln.ts";
import { trivyReport } from "./trivy-json.ts";

const image = imageOf([lodash, libssl]);
const { fixedVersion: _, ...unfixed } = finding();
const base = (["minor", "unimportant", "affected"] as const).map((status, at) => ({
  ...unfixed,
  id: `CVE-2024-${at + 2}`,
  aliases: [],
  name: "openssl",
  version: "3.0.1-1",
  ecosystem: "Debian:12",
  status,
  packages: [libssl],
  fromBase: true,
  ...(status === "unimportant" ? { suppressed: { by: "vendor", reason: "unimportant" } as const } : {}),
}));

const report: Report = {
  image,
  findings: [finding({ title: "<script>alert(1)</script>", score: 7.5 }), ...base],
  fixed: [],
  exposures: [{ kind: "secret", rule: "npm-token", severity: "high", title: "an npm token", where: "/root/.npmrc", line: 3, layer: 1, isHidden: true }],
  missing: [],
  unknown: 0,
  database: { digest: digestOf("d"), createdSeconds: 0 },
  tool: { name: "slipway", version: "1" },
  createdSeconds: 0,
};
test("CycloneDX with vulnerabilities follows the official schema", () => {
  const validate = cyclonedxValidator();
  assert.ok(validate(cyclonedxReport(report)), JSON.stringify(validate.errors, undefined, 1));
});
test("SARIF points at the Dockerfile's line", () => {
  const [run] = (
    sarifReport(report) as {
      readonly runs: readonly {
        readonly results: readonly {
          readonly ruleId: string;
          readonly ruleIndex: number;
          readonly level: string;
          readonly locations: readonly { readonly physicalLocation: unknown }[];
        }[];
        readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
      }[];
    }
  ).runs;
  const [first] = run!.results;
  assert.deepEqual(first!.locations[0]!.physicalLocation, { artifactLocation: { uri: "Dockerfile" }, region: { startLine: 7, endLine: 8 } });
  assert.equal(first!.level, "error");
  for (const { ruleId, ruleIndex } of run!.results) assert.equal(run!.tool.driver.rules[ruleIndex]!.id, ruleId);
});
test("Trivy's form has a result for each kind of packages, without what is suppressed", () => {
  const { Results } = trivyReport(report) as {
    readonly Results: readonly { readonly Class: string; readonly Type?: string; readonly Vulnerabilities?: readonly Record<string, unknown>[] }[];
  };
  assert.deepEqual(
    Results.map(({ Class, Type, Vulnerabilities }) => [Class, Type, Vulnerabilities?.length ?? 0]),
    [
      ["lang-pkgs", "node-pkg", 1],
      ["os-pkgs", "debian", 2],
      ["secret", undefined, 0],
    ],
  );
  assert.equal(Results[0]!.Vulnerabilities![0]!["FixedVersion"], "2.0.0");
  assert.equal(Results[1]!.Vulnerabilities!.find((one) => one["VulnerabilityID"] === "CVE-2024-2")!["Status"], "affected");
});
test("cosign's form has Trivy's within, and says what scanned with which advisories", () => {
  const found = cosignVulnReport(report) as {
    readonly scanner: { readonly version: string; readonly db: { readonly version: string }; readonly result: object };
  };
  assert.deepEqual(found.scanner.result, trivyReport(report));
  assert.deepEqual([found.scanner.version, found.scanner.db.version], [report.tool.version, report.database?.digest ?? ""]);
});
test("HTML escapes what comes from advisories, and has no scripts", () => {
  const html = htmlReport(report);
  assert.doesNotMatch(html, /<script/);
  assert.match(html, /&#60;script&#62;/);
  assert.match(html, /Dockerfile:7 RUN npm ci/);
  const strange = { ...report, image: { ...report.image, name: "a\u001B[31m\u202Eb" } };
  assert.match(htmlReport(strange), /<h1>a\[31mb<\/h1>/);
});

test("a bill reads back to what it was made of", () => {
  const whole = imageOf([lodash, { ...libssl, owner: "x" }]);
  const bill = { image: whole, createdSeconds: 0, tool: report.tool };
  const cyclonedx = parseBill(Buffer.from(JSON.stringify(cyclonedxReport({ ...report, image: whole, findings: [] }))), "a.json");
  assert.deepEqual(cyclonedx.packages, whole.packages);
  assert.deepEqual(cyclonedx.layers[1], { diffId, fromBase: false, instruction: "RUN npm ci", place: { dockerfile: "Dockerfile", start: 7, end: 7 } });
  const spdx = parseBill(Buffer.from(JSON.stringify(spdxDocument(bill))), "a.json");
  assert.deepEqual(spdx.packages, whole.packages);
  assert.equal(spdx.distribution?.version, "12");
});
test("other tools' bills: components within components, and no words of ours", () => {
  const bill = {
    bomFormat: "CycloneDX",
    components: [
      { type: "library", name: "x", components: [{ name: "a", purl: "pkg:npm/a@1.0.0" }] },
      { name: "b", purl: "pkg:deb/debian/b@1?distro=debian-12" },
      { name: "c" },
    ],
  };
  const { packages, distribution } = parseBill(Buffer.from(JSON.stringify(bill)), "a.json");
  assert.deepEqual(
    packages.map(({ type, name }) => `${type} ${name}`),
    ["npm a", "deb b"],
  );
  assert.equal(distribution?.id, "debian");
  assert.throws(
    () => parseBill(Buffer.from("{}"), "a.json"),
    (error) => isSlipwayError(error, "INVALID_DOCUMENT"),
  );
});
