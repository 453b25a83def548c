/** What tests of documents share: the official schema of CycloneDX, as its own library carries it, and what SPDX demands of ours. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv, type ValidateFunction } from "ajv";
import formats from "ajv-formats";
import parseExpression from "spdx-expression-parse";

const schemas = join(dirname(createRequire(import.meta.url).resolve("@cyclonedx/cyclonedx-library/package.json")), "res/schema");
const schema = (name: string): object => JSON.parse(readFileSync(join(schemas, `${name}.SNAPSHOT.schema.json`), "utf8")) as object;

/** The official schema; what it says of internationalised addresses is no format that the validator knows. */
export function cyclonedxValidator(): ValidateFunction {
  const ajv = new Ajv({ strict: false, formats: { "iri-reference": true, "idn-email": true } });
  formats.default(ajv);
  ajv.addSchema(schema("spdx"), "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json");
  ajv.addSchema(schema("jsf-0.82"), "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json");
  return ajv.compile(schema("bom-1.6"));
}

/** Of which version of SPDX's list that schema takes names, and which. */
export function cyclonedxLicences(): { readonly version: string; readonly names: readonly string[] } {
  const { $comment, enum: names } = schema("spdx") as { readonly $comment: string; readonly enum: readonly string[] };
  return { version: /-(\d+\.\d+)\.\d+$/.exec($comment)?.[1] ?? "", names };
}

const text = { type: "string", minLength: 1 } as const;
const element = { type: "string", pattern: "^SPDXRef-[a-zA-Z0-9.-]+$" } as const;
const words = (pattern: string): object => ({ type: "string", pattern });
const time = { ...words("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$"), format: "date-time" };
const agent = words("^(?:NOASSERTION|Organization: \\S[^\\p{Cc}]*)$");
const tool = words("^Tool: \\S+-\\S+$");
const licence = { type: "string", format: "licence" } as const;

/** An object with these fields and no others; a name with "?" may be absent. */
function object(fields: Readonly<Record<string, object>>): object {
  const properties = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name.replace(/\?$/, ""), field]));
  return { type: "object", properties, required: Object.keys(fields).filter((name) => !name.endsWith("?")), additionalProperties: false };
}

const list = (items: object): object => ({ type: "array", items });

const spdxPackage = object({
  name: text,
  SPDXID: element,
  "versionInfo?": text,
  supplier: agent,
  downloadLocation: { const: "NOASSERTION" },
  "homepage?": { type: "string", format: "uri" },
  filesAnalyzed: { const: false },
  "sourceInfo?": text,
  "checksums?": list(object({ algorithm: { enum: ["SHA256", "SHA512"] }, checksumValue: words("^(?:[0-9a-f]{64}|[0-9a-f]{128})$") })),
  licenseConcluded: licence,
  licenseDeclared: licence,
  copyrightText: text,
  primaryPackagePurpose: { enum: ["LIBRARY", "CONTAINER", "FILE"] },
  "externalRefs?": list(object({ referenceCategory: { const: "PACKAGE-MANAGER" }, referenceType: { const: "purl" }, referenceLocator: words("^pkg:\\S+$") })),
  "annotations?": list(object({ annotationDate: time, annotationType: { const: "OTHER" }, annotator: tool, comment: text })),
  "comment?": text,
});

const spdx = object({
  spdxVersion: { const: "SPDX-2.3" },
  dataLicense: { const: "CC0-1.0" },
  SPDXID: { const: "SPDXRef-DOCUMENT" },
  name: text,
  documentNamespace: { type: "string", format: "uri", pattern: "^[^#]+$" },
  creationInfo: object({ created: time, creators: { ...list(tool), minItems: 1 }, licenseListVersion: words("^\\d+\\.\\d+$") }),
  packages: list(spdxPackage),
  "hasExtractedLicensingInfos?": list(object({ licenseId: words("^LicenseRef-[a-zA-Z0-9.-]+$"), name: text, extractedText: text })),
  relationships: list(object({ spdxElementId: element, relationshipType: { enum: ["DESCRIBES", "CONTAINS"] }, relatedSpdxElement: element })),
});

/** An expression of SPDX's Annex D, with the operators in capitals that the parser takes in any case, or the word for none. */
function isLicence(expression: string): boolean {
  const isPlain = expression.split(/[ ()]/).every((word) => !/^(?:and|or|with)$/i.test(word) || word === word.toUpperCase());
  try {
    parseExpression(expression);
    return isPlain && !/\s\s|^\s|\s$/.test(expression);
  } catch {
    return expression === "NOASSERTION";
  }
}

/**
 * What the specification says of the parts of SPDX 2.3 that we write, as a schema of our own: it knows our fields alone, and of these it demands
 * what the text demands (ids, agents, expressions), which is more than types. @see https://spdx.github.io/spdx-spec/v2.3/
 */
export function spdxValidator(): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true, formats: { licence: isLicence } });
  formats.default(ajv);
  return ajv.compile(spdx);
}
