import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import type { Advisory } from "../advisories/advisory.ts";
import type { ImagePackage } from "../packages/package.ts";
import { isShownByDefault, type Finding } from "./finding.ts";
import { failsGate, parseGate, passesUnrated } from "./gate.ts";
import { isAbout, isExpired, parseIgnoreFile } from "./ignore-file.ts";
import { matchPackages, type Matches } from "./match-packages.ts";
import { finding, imageOf, libssl, libssl3, lodash, packageOf } from "./test-findings.ts";
import { openVexDocument, parseVex, statementOn } from "./vex.ts";

const advisory = (id: string, fields: Partial<Advisory> = {}): Advisory => ({ id, aliases: [], severity: "high", ranges: [{ fixed: "2.0.0" }], ...fields });
function match(
  packages: readonly ImagePackage[],
  advisories: Readonly<Record<string, Readonly<Record<string, readonly Advisory[]>>>>,
  comprehensive = false,
): Matches {
  return matchPackages(imageOf(packages), {
    find: (ecosystem, names) => {
      const known = advisories[ecosystem];
      return known === undefined ? undefined : new Map(names.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name]] as const])));
    },
    exploited: new Set(["CVE-2024-9"]),
    comprehensive,
  });
}

const shown = ({ findings }: Matches): readonly string[] =>
  findings.map(
    ({ id, name, severity, fixedVersion, packages, aliases }) =>
      `${id} ${name} ${severity} ${fixedVersion ?? "-"} x${packages.length}${aliases.length === 0 ? "" : ` ${aliases.join(",")}`}`,
  );

const matches: readonly {
  readonly name: string;
  readonly packages: readonly ImagePackage[];
  readonly known: Parameters<typeof match>[1];
  readonly want: readonly string[];
  readonly comprehensive?: boolean;
}[] = [
  { name: "an older version", packages: [lodash], known: { npm: { lodash: [advisory("CVE-2024-1")] } }, want: ["CVE-2024-1 lodash high 2.0.0 x1"] },
  { name: "the fixed version", packages: [{ ...lodash, version: "2.0.0" }], known: { npm: { lodash: [advisory("CVE-2024-1")] } }, want: [] },
  {
    name: "before the fault came in",
    packages: [lodash],
    known: { npm: { lodash: [advisory("CVE-2024-1", { ranges: [{ introduced: "1.5.0", fixed: "2.0.0" }] })] } },
    want: [],
  },
  {
    name: "up to and with the last affected",
    packages: [lodash],
    known: { npm: { lodash: [advisory("CVE-2024-1", { ranges: [{ last: "1.0.0" }] })] } },
    want: ["CVE-2024-1 lodash high - x1"],
  },
  {
    name: "the range in which the version lies has its own fix",
    packages: [lodash],
    known: {
      npm: {
        lodash: [
          advisory("CVE-2024-1", {
            ranges: [
              { introduced: "2.0.0", fixed: "2.5.0" },
              { introduced: "1.0.0", fixed: "1.0.9" },
            ],
          }),
        ],
      },
    },
    want: ["CVE-2024-1 lodash high 1.0.9 x1"],
  },
  {
    name: "single versions",
    packages: [lodash],
    known: { npm: { lodash: [advisory("MAL-1", { ranges: [], versions: ["1.0.0"] })] } },
    want: ["MAL-1 lodash high - x1"],
  },
  {
    name: "records of several sources about the same are one, the worst severity and the fix that satisfies all",
    packages: [lodash],
    known: { npm: { lodash: [advisory("CVE-2024-1", { aliases: ["GHSA-1"], severity: "low" }), advisory("GHSA-1", { ranges: [{ fixed: "2.1.0" }] })] } },
    want: ["CVE-2024-1 lodash high 2.1.0 x1 GHSA-1"],
  },
  {
    name: "a bulletin in common makes two no one",
    packages: [{ ...libssl }],
    known: {
      "Debian:12": {
        openssl: [
          advisory("CVE-2024-1", { aliases: ["DSA-1"], ranges: [{ fixed: "3.0.2-1" }] }),
          advisory("CVE-2024-2", { aliases: ["DSA-1"], ranges: [{ fixed: "3.0.2-1" }] }),
        ],
      },
    },
    want: ["CVE-2024-1 openssl high 3.0.2-1 x1 DSA-1", "CVE-2024-2 openssl high 3.0.2-1 x1 DSA-1"],
  },
  {
    name: "the packages of a source are one finding",
    packages: [libssl, libssl3],
    known: { "Debian:12": { openssl: [advisory("CVE-2024-1", { ranges: [{ fixed: "3.0.2-1" }] })] } },
    want: ["CVE-2024-1 openssl high 3.0.2-1 x2"],
  },
  {
    name: "what the distribution brought is not compared with upstream's",
    packages: [{ ...lodash, owner: "node-lodash" }],
    known: { npm: { lodash: [advisory("CVE-2024-1")] } },
    want: [],
  },
  {
    name: "unless that is asked for",
    packages: [{ ...lodash, owner: "node-lodash" }],
    known: { npm: { lodash: [advisory("CVE-2024-1")] } },
    comprehensive: true,
    want: ["CVE-2024-1 lodash high 2.0.0 x1"],
  },
  {
    name: "what is installed and in a lock file is there once",
    packages: [lodash, { ...lodash, path: "package-lock.json", locked: true }],
    known: { npm: { lodash: [advisory("CVE-2024-1")] } },
    want: ["CVE-2024-1 lodash high 2.0.0 x1"],
  },
  {
    name: "what has no version is compared with nothing",
    packages: [{ ...lodash, version: "", bundled: "node_modules/lodash" }],
    known: { npm: { lodash: [advisory("CVE-2024-1", { ranges: [{ introduced: "0" }] })] } },
    want: [],
  },
  {
    name: "another stream of a module",
    packages: [packageOf({ type: "npm", name: "a", version: "1.0.0", module: "nodejs:18:1:x" })],
    known: { npm: { a: [advisory("CVE-2024-1", { module: "nodejs:20:1:x" }), advisory("CVE-2024-2", { module: "nodejs:18:2:y" })] } },
    want: ["CVE-2024-2 a high 2.0.0 x1"],
  },
];
for (const { name, packages, known, want, comprehensive } of matches)
  test(`matching: ${name}`, () => assert.deepEqual(shown(match(packages, known, comprehensive)), want));

test("packages of an ecosystem without advisories are counted as not compared", () => {
  const { missing, unknown, findings } = match([lodash, libssl, { ...libssl, name: "other" }], { npm: {} });
  assert.deepEqual([...missing], [["Debian:12", 2]]);
  assert.deepEqual([unknown, findings.length], [0, 0]);
});

const base = match([libssl], {
  "Debian:12": {
    openssl: [
      advisory("CVE-2024-1", { ranges: [{}], status: "minor", severity: "low" }),
      advisory("CVE-2024-2", { ranges: [{}], status: "unimportant" }),
      advisory("CVE-2024-9", { severity: "low", ranges: [{}] }),
      advisory("CVE-2024-4", { ranges: [{}] }),
    ],
  },
}).findings;
test("what is exploited comes first, what the vendor calls unimportant is suppressed, what has no fix and is low is not shown", () => {
  assert.deepEqual(
    base.map((one) => `${one.id} ${isShownByDefault(one)} ${one.fromBase}`),
    ["CVE-2024-9 true true", "CVE-2024-2 false true", "CVE-2024-4 true true", "CVE-2024-1 false true"],
  );
});

const unfixed = (fields: Partial<Finding> = {}): Finding => {
  const { fixedVersion: _, ...rest } = finding(fields);
  return rest;
};
const gates: readonly { readonly words: string; readonly name: string; readonly of: Finding; readonly want: boolean }[] = [
  { words: "high", name: "as severe", of: finding(), want: true },
  { words: "critical", name: "less severe", of: finding(), want: false },
  { words: "low", name: "unknown is no severity", of: finding({ severity: "unknown" }), want: false },
  { words: "high,unknown", name: "nobody rated it", of: finding({ severity: "unknown" }), want: true },
  { words: "high,unknown", name: "rated and less severe", of: finding({ severity: "low" }), want: false },
  { words: "high,unknown,fixable", name: "nobody rated it, without a fix", of: unfixed({ severity: "unknown" }), want: false },
  { words: "unknown", name: "rated", of: finding({ severity: "critical" }), want: false },
  { words: "unknown,kev", name: "rated and exploited", of: finding({ exploited: true }), want: true },
  { words: "any", name: "any", of: unfixed({ severity: "unknown" }), want: true },
  { words: "high,fixable", name: "severe without a fix", of: unfixed(), want: false },
  { words: "high,fixable,kev", name: "exploited, without a fix", of: unfixed({ severity: "low", exploited: true }), want: true },
  { words: "kev", name: "severe and not exploited", of: finding({ severity: "critical" }), want: false },
  { words: "high,new", name: "known before", of: finding({ isNew: false }), want: false },
  { words: "high,new", name: "new", of: finding({ isNew: true }), want: true },
  { words: "kev,new", name: "exploited, known before", of: finding({ exploited: true, isNew: false }), want: false },
  { words: "fixable", name: "any that can be mended", of: finding({ severity: "low" }), want: true },
  { words: "any", name: "suppressed", of: finding({ suppressed: { by: "vex", reason: "x" } }), want: false },
];
for (const { words, name, of, want } of gates) test(`--fail-on ${words}: ${name}`, () => assert.equal(failsGate(parseGate([words])!, of), want));
test("what a gate passes over because nobody rated it is told apart", () => {
  const passed = (words: string, of: Finding): boolean => passesUnrated(parseGate([words])!, of);
  const unrated = finding({ severity: "unknown" });
  assert.deepEqual([passed("high", unrated), passed("high,fixable", unrated), passed("high", finding({ severity: "low" }))], [true, true, false]);
  assert.deepEqual(
    [passed("high,unknown", unrated), passed("any", unrated), passed("kev", unrated), passed("high,fixable", unfixed({ severity: "unknown" }))],
    [false, false, false, false],
  );
});
test("--fail-on without words fails nothing, unknown words are refused", () => {
  assert.equal(parseGate([]), undefined);
  assert.throws(
    () => parseGate(["high,hihg"]),
    (error) => isSlipwayError(error, "USAGE") && error.details["exitCode"] === 2,
  );
});

test("the ignore file: names, packages, days and reasons", () => {
  const entries = parseIgnoreFile(
    "# ours\n\nCVE-2024-1 # not reachable\nGHSA-1 lodash until 2026-01-31 # until the update\nCVE-2024-1 other # x\nCVE-2024-1 until 2026-01-01 # y\n",
    ".scanignore",
  );
  assert.deepEqual(
    entries.map((one) => [one.line, isAbout(one, finding()), isExpired(one, "2026-02-01"), one.reason]),
    [
      [3, true, false, "not reachable"],
      [4, true, true, "until the update"],
      [5, false, false, "x"],
      [6, true, true, "y"],
    ],
  );
  assert.equal(isExpired(entries[1]!, "2026-01-31"), false);
  for (const text of ["CVE-2024-1", "CVE-2024-1 until tomorrow # x", "CVE-2024-1 until 2026-02-30 # x", "CVE-2024-1 until 2026-13-01 # x", "CVE-2024-1 #"])
    assert.throws(
      () => parseIgnoreFile(text, "f"),
      (error) => isSlipwayError(error, "INVALID_DOCUMENT"),
    );
});

const image = imageOf([lodash]);
const vexOf = (statement: object): Buffer => Buffer.from(JSON.stringify({ "@context": "https://openvex.dev/ns/v0.2.0", statements: [statement] }));
const statements: readonly { readonly name: string; readonly vex: Buffer; readonly want: string | undefined }[] = [
  {
    name: "by a name alone",
    vex: vexOf({ vulnerability: { name: "CVE-2024-1" }, status: "not_affected", justification: "vulnerable_code_not_present" }),
    want: "vulnerable code not present",
  },
  { name: "by another of its names", vex: vexOf({ vulnerability: "GHSA-1", status: "fixed" }), want: "fixed" },
  {
    name: "of the image",
    vex: vexOf({ vulnerability: { name: "CVE-2024-1" }, products: [{ "@id": "pkg:oci/app" }], status: "not_affected" }),
    want: "not affected",
  },
  {
    name: "of another image",
    vex: vexOf({ vulnerability: { name: "CVE-2024-1" }, products: [{ "@id": "pkg:oci/other" }], status: "not_affected" }),
    want: undefined,
  },
  {
    name: "of the package in any version",
    vex: vexOf({ vulnerability: { name: "CVE-2024-1" }, products: ["pkg:npm/lodash"], status: "not_affected" }),
    want: "not affected",
  },
  {
    name: "of another version",
    vex: vexOf({ vulnerability: { name: "CVE-2024-1" }, products: ["pkg:npm/lodash@9.9.9"], status: "not_affected" }),
    want: undefined,
  },
  {
    name: "of a part of the image",
    vex: vexOf({
      vulnerability: { name: "CVE-2024-1" },
      products: [{ "@id": image.id, subcomponents: [{ "@id": "pkg:npm/lodash@1.0.0" }] }],
      status: "not_affected",
      impact_statement: "no",
    }),
    want: "no",
  },
  {
    name: "in CycloneDX",
    vex: Buffer.from(
      JSON.stringify({
        bomFormat: "CycloneDX",
        components: [{ "bom-ref": "x", purl: "pkg:npm/lodash@1.0.0" }],
        vulnerabilities: [{ id: "CVE-2024-1", analysis: { state: "false_positive", detail: "not so" }, affects: [{ ref: "x" }] }],
      }),
    ),
    want: "not so",
  },
];
for (const { name, vex, want } of statements)
  test(`VEX: a statement ${name}`, () => assert.equal(statementOn(parseVex(vex, "v"), finding(), image)?.reason, want));
test("VEX: other documents are refused", () =>
  assert.throws(
    () => parseVex(Buffer.from("{}"), "v"),
    (error) => isSlipwayError(error, "INVALID_DOCUMENT"),
  ));

test("VEX out reads back in: who scans next suppresses the same", () => {
  const document = openVexDocument(
    [finding({ suppressed: { by: "ignore file", reason: "not reachable" } }), finding({ id: "CVE-2024-2", aliases: [] })],
    image,
    0,
    "slipway",
  );
  const read = parseVex(Buffer.from(JSON.stringify(document)), "v");
  assert.equal(statementOn(read, finding(), image)?.reason, "not reachable (ignore file)");
  assert.equal(statementOn(read, finding({ id: "CVE-2024-2", aliases: [] }), image), undefined);
});
