import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { PackageURL } from "packageurl-js";
import identifiers from "spdx-license-ids/index.json" with { type: "json" };
import deprecated from "spdx-license-ids/deprecated.json" with { type: "json" };
import type { Digest } from "../../oci/digest.ts";
import type { ImageInventory } from "../packages/image-inventory.ts";
import { packageTypes, type FoundPackage, type ImagePackage } from "../packages/package.ts";
import { cyclonedxDocument } from "./cyclonedx.ts";
import { licenceOf, LicenceReader, licenseListVersion } from "./licences.ts";
import { packageFromPurl } from "./parse-purl.ts";
import { purlOf } from "./purl.ts";
import { parseBill } from "./read-bill.ts";
import { spdxDocument } from "./spdx.ts";
import { cyclonedxLicences, cyclonedxValidator, spdxValidator } from "./test-schema.ts";

const debian = { id: "debian", version: "12", codename: "bookworm", name: "Debian GNU/Linux 12 (bookworm)", idLike: [] };
const diffId = `sha256:${"1".repeat(64)}` as Digest;
const gcc: FoundPackage = {
  type: "deb",
  name: "libstdc++6",
  version: "12.2.0-14+deb12u1",
  architecture: "amd64",
  source: { name: "gcc-12", version: "12.2.0-14" },
};

const image: ImageInventory = {
  name: "registry.example/app:1.0",
  id: `sha256:${"2".repeat(64)}` as Digest,
  manifest: undefined,
  platform: "linux/amd64",
  createdSeconds: 0,
  distribution: debian,
  repositories: [],
  layers: [
    { diffId, instruction: "ADD rootfs.tar /", fromBase: true },
    { diffId, instruction: "RUN npm ci", place: { dockerfile: "Dockerfile", start: 3, end: 4 }, fromBase: false },
  ],
  base: { reference: "docker.io/library/debian:12", layers: 1 },
  packages: [
    {
      ...gcc,
      path: "var/lib/dpkg/status",
      layer: 0,
      licences: ["GPL-3+", "GPL-2 and custom words"],
      supplier: "Debian GCC <a@b.example>",
      homepage: "http://gcc.gnu.org/",
    },
    { type: "npm", name: "@types/node", version: "1.0.0", path: "app/node_modules/@types/node/package.json", layer: 1, licences: ["MIT OR Apache-2.0"] },
    { type: "npm", name: "bundled", version: "", path: "app/dist/x.js.map", layer: 1, bundled: "node_modules/bundled" },
    { type: "npm", name: "@types/node", version: "1.0.0", path: "app/b/node_modules/@types/node/package.json", layer: 1, licences: ["MIT"] },
  ],
  omissions: [{ path: "x.jar", layer: 1, reason: "too large" }],
};
const bill = { image, createdSeconds: 1_700_000_000, tool: { name: "slipway", version: "1.0.0" } };

test("CycloneDX follows the official schema", () => {
  const validate = cyclonedxValidator();
  assert.ok(validate(cyclonedxDocument(bill)), JSON.stringify(validate.errors, undefined, 1));
});

test("CycloneDX: a component says where it comes from", () => {
  const { components, compositions } = cyclonedxDocument(bill) as { readonly components: readonly Record<string, unknown>[]; readonly compositions: unknown };
  assert.deepEqual(components[0], { type: "operating-system", "bom-ref": "os:debian-12", name: "debian", version: "12", description: debian.name });
  assert.deepEqual(components[2], {
    type: "library",
    "bom-ref": "pkg:npm/%40types/node@1.0.0#app/node_modules/@types/node/package.json",
    name: "@types/node",
    version: "1.0.0",
    licenses: [{ expression: "MIT OR Apache-2.0" }],
    purl: "pkg:npm/%40types/node@1.0.0",
    properties: [
      { name: "slipway:layer:index", value: "1" },
      { name: "slipway:layer:diffID", value: diffId },
      { name: "slipway:layer:origin", value: "Dockerfile:3 RUN npm ci" },
      { name: "slipway:layer:fromBase", value: "false" },
      { name: "slipway:path", value: "/app/node_modules/@types/node/package.json" },
    ],
  });
  assert.deepEqual(compositions, [{ aggregate: "incomplete", assemblies: [`image:${image.id}`] }]);
});

interface SpdxParts {
  readonly packages: readonly { readonly SPDXID: string; readonly licenseDeclared: string }[];
  readonly hasExtractedLicensingInfos?: readonly { readonly licenseId: string }[];
  readonly relationships: readonly { readonly spdxElementId: string; readonly relatedSpdxElement: string }[];
}

/** References to what the document does not have, and ids that it has twice. */
function danglingIn({ packages, hasExtractedLicensingInfos = [], relationships }: SpdxParts): readonly string[] {
  const ids = ["SPDXRef-DOCUMENT", ...packages.map(({ SPDXID }) => SPDXID)];
  const named = relationships.flatMap(({ spdxElementId, relatedSpdxElement }) => [spdxElementId, relatedSpdxElement]);
  const licences = hasExtractedLicensingInfos.map(({ licenseId }) => licenseId);
  const used = packages.flatMap(({ licenseDeclared }) => licenseDeclared.match(/LicenseRef-[\w.-]+/g) ?? []);
  return [
    ...ids.filter((id, at) => ids.indexOf(id) !== at),
    ...named.filter((id) => !ids.includes(id)),
    ...used.filter((id) => !licences.includes(id)),
    ...licences.filter((id) => !used.includes(id)),
  ];
}

test("SPDX follows the specification", () => {
  const validate = spdxValidator();
  const document = spdxDocument(bill);
  assert.ok(validate(document), JSON.stringify(validate.errors, undefined, 1));
  assert.deepEqual(danglingIn(document as SpdxParts), []);
});

test("SPDX and CycloneDX follow their rules whatever packages say of themselves", () => {
  const [spdx, cyclonedx] = [spdxValidator(), cyclonedxValidator()];
  const word = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.constantFrom(
      "MIT",
      "MIT or isc",
      "(MIT OR X)",
      "A\nB\u0000 <a@b>",
      "  ",
      " <a@b>",
      "A <a@b>",
      "<>",
      "http://",
      "http://x/ y",
      "http://[",
      "a@1",
      "LicenseRef-x",
    ),
  );
  const odd = fc.record(
    {
      type: fc.constantFrom(...packageTypes),
      name: fc.constantFrom("a", "@s/a", "g:a", "ä", "a b", "a%2f", "a\nb", " "),
      version: word,
      licences: fc.array(word),
      supplier: word,
      homepage: word,
      owner: word,
      path: fc.constantFrom("a", "b/ü"),
      layer: fc.nat(3),
    },
    { requiredKeys: ["type", "name", "version", "path", "layer"] },
  );
  fc.assert(
    fc.property(
      fc.array(odd),
      fc.constantFrom("app:1", "docker-archive:/ä b.tar", "oci:/x#y"),
      fc.constantFrom(0, -1e12, 1e12 - 1),
      (packages, name, seconds) => {
        const asked = { ...bill, createdSeconds: seconds, image: { ...image, name, packages } };
        const document = spdxDocument(asked);
        assert.ok(spdx(document), JSON.stringify(spdx.errors));
        assert.deepEqual(danglingIn(document as SpdxParts), []);
        assert.ok(cyclonedx(cyclonedxDocument(asked)), JSON.stringify(cyclonedx.errors));
      },
    ),
    { numRuns: 200 },
  );
});

test("SPDX: packages, their licences and what is in what", () => {
  const document = spdxDocument(bill) as Readonly<Record<string, readonly Record<string, unknown>[]>>;
  const [subject, deb] = document["packages"] ?? [];
  assert.equal(subject?.["primaryPackagePurpose"], "CONTAINER");
  assert.equal(deb?.["licenseDeclared"], "GPL-3.0-or-later AND LicenseRef-4c46186ad468");
  assert.equal(deb?.["supplier"], "Organization: Debian GCC (a@b.example)");
  assert.equal(deb?.["sourceInfo"], "built from source package gcc-12 12.2.0-14");
  assert.equal(document["relationships"]?.length, 5);
  assert.equal(new Set(document["packages"]?.map((one) => one["SPDXID"])).size, 5);
  assert.equal("versionInfo" in (document["packages"]?.find(({ name }) => name === "bundled") ?? {}), false);
});

test("a bill reads back as the packages that it was made of", () => {
  const told = (one: ImagePackage): object => ({ ...one, licences: undefined, supplier: undefined, homepage: undefined });
  for (const document of [cyclonedxDocument(bill), spdxDocument(bill)]) {
    const { packages } = parseBill(Buffer.from(JSON.stringify(document)), "bill.json");
    assert.deepEqual(packages.map(told), image.packages.map(told));
  }
});

test("the same image gives the same bytes, another gives another id", () => {
  assert.deepEqual(spdxDocument(bill), spdxDocument(structuredClone(bill)));
  const serial = (of: typeof bill): unknown => (cyclonedxDocument(of) as { readonly serialNumber: string }).serialNumber;
  assert.equal(serial(bill), serial(structuredClone(bill)));
  assert.notEqual(serial(bill), serial({ ...bill, image: { ...image, packages: [] } }));
});

const licences: readonly (readonly [statement: string, want: string])[] = [
  ["MIT", "MIT"],
  ["GPL-2+", "GPL-2.0-or-later"],
  ["LGPL-2.1", "LGPL-2.1-only"],
  ["GPL-2+ or Expat", "GPL-2.0-or-later OR MIT"],
  ["GPL-2.0-only AND MIT", "GPL-2.0-only AND MIT"],
  ["Apache License 2.0", "Apache-2.0"],
  ["MIT or isc", "MIT OR ISC"],
  ["(LGPL-2.1 or BSD-2-clause) and mit", "(LGPL-2.1-only OR BSD-2-Clause) AND MIT"],
  ["MIT AND (ISC)", "MIT AND ISC"],
  ["GPL-2+ with classpath-exception-2.0", "GPL-2.0-or-later WITH Classpath-exception-2.0"],
  ["GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"],
  ["zlib", "Zlib"],
  ["GPLv2+ and (LGPLv2.1 or ASL 2.0)", "GPL-2.0-or-later AND (LGPL-2.1-only OR Apache-2.0)"],
  ["GPLv2+ and (MIT or BSD)", "GPL-2.0-or-later AND (MIT OR LicenseRef-BSD)"],
  ["GPL-1+ or Artistic, and Own-2+", "(GPL-1.0-or-later OR Artistic-1.0-Perl) AND LicenseRef-Own-2-or-later"],
  ["GPL-1+ or Artistic, and BSD-3-clause", "(GPL-1.0-or-later OR Artistic-1.0-Perl) AND BSD-3-Clause"],
  ["Artistic-2", "Artistic-2.0"],
  ["EUPL-1.1+", "EUPL-1.1+"],
];
for (const [statement, want] of licences) test(`licence: ${statement}`, () => assert.equal(licenceOf(statement).text, want));
for (const text of ["SEE LICENSE IN x", "BSD", "BSD and custom", "GPL-3+ with Bison exception", "BSD-3-clause and/or GPL-3+", "MIT and"])
  test(`a licence that nobody knows stays a name: ${text}`, () => assert.deepEqual(licenceOf(text), { kind: "name", text }));

test("the list of licences that documents name is the one of their names", () => {
  const { version, names } = cyclonedxLicences();
  assert.equal(version, licenseListVersion);
  assert.deepEqual(
    [...identifiers, ...deprecated].filter((name) => !names.includes(name)),
    [],
  );
});

test("after a megabyte of licences they stay names, the same in every pass", () => {
  const reader = new LicenceReader();
  const statements = ["MIT or ISC", ...Array.from({ length: 100 }, (_, at) => `${at} ${"x".repeat(20_000)}`), "ISC or MIT"];
  const read = (): readonly string[] => reader.licencesOf(statements).map(({ text }) => text);
  const first = read();
  assert.deepEqual([first[0], first.at(-1)], ["MIT OR ISC", "ISC or MIT"]);
  assert.deepEqual(read(), first);
});

const purls: readonly { readonly found: FoundPackage; readonly want: string }[] = [
  { found: gcc, want: "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14+deb12u1?arch=amd64&distro=debian-12&upstream=gcc-12%4012.2.0-14" },
  {
    found: { type: "rpm", name: "bash", version: "1:5.1-2.el9", architecture: "x86_64" },
    want: "pkg:rpm/debian/bash@5.1-2.el9?arch=x86_64&distro=debian-12&epoch=1",
  },
  { found: { type: "maven", name: "org.slf4j:slf4j-api", version: "2.0.0" }, want: "pkg:maven/org.slf4j/slf4j-api@2.0.0" },
  { found: { type: "golang", name: "golang.org/x/net", version: "v0.20.0" }, want: "pkg:golang/golang.org/x/net@v0.20.0" },
  { found: { type: "golang", name: "stdlib", version: "1.22.5" }, want: "pkg:golang/stdlib@1.22.5" },
];
for (const { found, want } of purls) {
  test(`package URL: ${want}`, () => {
    assert.equal(purlOf(found, debian), want);
    assert.deepEqual(packageFromPurl(want)?.found, found);
  });
}
const generic: readonly (readonly [found: FoundPackage, want: string])[] = [
  [{ type: "maven", name: "log4j", version: "1.2.17" }, "pkg:generic/log4j@1.2.17"],
  [{ type: "golang", name: "example.com/a", version: "v1.x" }, "pkg:generic/example.com/a@v1.x"],
];
for (const [found, want] of generic) {
  test(`package URL of what its type's rules do not allow: ${want}`, () => assert.equal(purlOf(found, undefined), want));
}
const awkward = ["Zlib", "a b", "%41", "ünï", "x/y//Z", "+-.:@?#&=~*'()", " pad ", "half \ud800"];
test("package URLs are as the specification's own library writes them", () => {
  const types: readonly FoundPackage["type"][] = ["deb", "apk", "rpm", "npm", "pypi", "golang", "cargo", "maven", "gem", "composer", "nuget"];
  for (const type of types) {
    for (const [at, name] of awkward.entries()) {
      const version = awkward[(at + 3) % awkward.length] as string;
      const found = { type, name, version, architecture: version, source: { name: version, version: name } };
      const url = purlOf(found, { ...debian, id: name });
      assert.equal(PackageURL.fromString(url).toString(), url);
    }
  }
});
test("what is no package URL of a known kind is nothing", () => {
  for (const text of ["", "x", "pkg:", "pkg:swid/a@1", "pkg:npm/a"]) assert.equal(packageFromPurl(text), undefined);
});
