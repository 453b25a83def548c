/** Statements about whether a vulnerability matters: OpenVEX, and the analysis in CycloneDX documents. @see https://github.com/openvex/spec */
import { isObject, type Json, type JsonObject } from "../../oci/bounded-json.ts";
import type { ImageInventory } from "../packages/image-inventory.ts";
import { objectsOf, readJson, stringOf } from "../packages/languages/json-file.ts";
import { packageFromPurl } from "../sbom/parse-purl.ts";
import { purlOf } from "../sbom/purl.ts";
import { SlipwayError } from "../../base/errors.ts";
import { timeOf, uuidOf } from "../sbom/bill.ts";
import type { Finding } from "./finding.ts";

export interface VexStatement {
  readonly ids: readonly string[];
  /** package URLs, image names, digests; none: every product */
  readonly products: readonly string[];
  /** packages within a product; none: all of it */
  readonly parts: readonly string[];
  readonly status: "not_affected" | "affected" | "fixed" | "under_investigation";
  readonly reason: string;
}

const statuses = ["not_affected", "affected", "fixed", "under_investigation"] as const;

function names(value: Json | undefined): readonly string[] {
  if (typeof value === "string") return [value.replace(/^https?:\/\/\S+\/(?=[A-Z]+-)/, "")];
  if (!isObject(value)) return [];
  const aliases = Array.isArray(value["aliases"]) ? value["aliases"].filter((item: Json): item is string => typeof item === "string") : [];
  return [...names(value["name"] ?? value["@id"]), ...aliases];
}

/** A product or a part of one, by any of its names. */
function identifiersOf(value: JsonObject): readonly string[] {
  const identifiers = isObject(value["identifiers"]) ? Object.values(value["identifiers"]) : [];
  return [value["@id"], ...identifiers].filter((item): item is string => typeof item === "string");
}

function openVexStatements(root: JsonObject): readonly VexStatement[] {
  return objectsOf(root["statements"]).flatMap((statement): readonly VexStatement[] => {
    const status = statuses.find((one) => one === statement["status"]);
    const ids = names(statement["vulnerability"]);
    if (status === undefined || ids.length === 0) return [];
    const list = Array.isArray(statement["products"]) ? statement["products"] : [];
    const products = list.flatMap((one: Json) => (typeof one === "string" ? [one] : isObject(one) ? identifiersOf(one) : []));
    const parts = objectsOf(statement["products"]).flatMap((one) => objectsOf(one["subcomponents"]).flatMap(identifiersOf));
    const reason = stringOf(statement["impact_statement"]) ?? stringOf(statement["justification"])?.replaceAll("_", " ") ?? status.replaceAll("_", " ");
    return [{ ids, products, parts, status, reason }];
  });
}

const cyclonedxStates: Readonly<Record<string, VexStatement["status"]>> = {
  not_affected: "not_affected",
  false_positive: "not_affected",
  resolved: "fixed",
  resolved_with_pedigree: "fixed",
  exploitable: "affected",
  in_triage: "under_investigation",
};

function cyclonedxStatements(root: JsonObject): readonly VexStatement[] {
  const purls = new Map(objectsOf(root["components"]).map((one) => [stringOf(one["bom-ref"]) ?? "", stringOf(one["purl"]) ?? ""]));
  return objectsOf(root["vulnerabilities"]).flatMap((one): readonly VexStatement[] => {
    const analysis = isObject(one["analysis"]) ? one["analysis"] : {};
    const status = cyclonedxStates[stringOf(analysis["state"]) ?? ""];
    const id = stringOf(one["id"]);
    if (status === undefined || id === undefined) return [];
    const parts = objectsOf(one["affects"]).flatMap(({ ref }) => (typeof ref === "string" ? [purls.get(ref) || ref.replace(/^urn:cdx:[^#]*#/, "")] : []));
    const reason = stringOf(analysis["detail"]) ?? stringOf(analysis["justification"])?.replaceAll("_", " ") ?? status.replaceAll("_", " ");
    return [{ ids: [id], products: [], parts, status, reason }];
  });
}

/** Fails with INVALID_DOCUMENT (invalid_argument), DOCUMENT_TOO_LARGE (resource_exhausted). */
export function parseVex(bytes: Buffer, what: string): readonly VexStatement[] {
  const root = readJson(bytes, what);
  if (Array.isArray(root["statements"])) return openVexStatements(root);
  if (root["bomFormat"] === "CycloneDX") return cyclonedxStatements(root);
  throw new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `invalid ${what}: it is neither OpenVEX nor CycloneDX`, { document: what });
}

/** Without version and qualifiers on the statement's side, any of them is meant. */
function isSamePackage(statement: string, finding: Finding): boolean {
  const parsed = packageFromPurl(statement) ?? packageFromPurl(`${statement.replace(/[?#].*$/, "")}@0`);
  if (parsed === undefined) return false;
  const isVersioned = /@[^/]+$/.test(statement.replace(/[?#].*$/, ""));
  const { type, name, version } = parsed.found;
  return finding.packages.some(
    (one) => one.type === type && (one.name === name || finding.name === name) && (!isVersioned || one.version === version || finding.version === version),
  );
}

function isSameImage(product: string, { name, id, manifest }: ImageInventory): boolean {
  if (product === name || product === id || product === manifest) return true;
  const digest = /sha256(?::|%3A)([0-9a-f]{64})/.exec(product)?.[1];
  if (digest !== undefined) return [id, manifest].some((one) => one?.endsWith(digest) === true);
  const repository = /^pkg:(?:oci|docker)\/([^@?]+)/.exec(product)?.[1];
  return repository !== undefined && name.replace(/[:@][^/]*$/, "").endsWith(decodeURIComponent(repository));
}

/** The statement about the finding, if there is one: of several the last. */
export function statementOn(statements: readonly VexStatement[], finding: Finding, image: ImageInventory): VexStatement | undefined {
  return statements.findLast(({ ids, products, parts }) => {
    if (![finding.id, ...finding.aliases].some((id) => ids.includes(id))) return false;
    if (parts.length > 0 && !parts.some((part) => isSamePackage(part, finding))) return false;
    return products.length === 0 || products.some((product) => isSameImage(product, image) || isSamePackage(product, finding));
  });
}

/** What was decided here, for whoever scans the image next. */
export function openVexDocument(findings: readonly Finding[], image: ImageInventory, createdSeconds: number, author: string): object {
  const statements = findings.flatMap((finding) => {
    const { suppressed } = finding;
    if (suppressed === undefined) return [];
    const subcomponents = finding.packages.map((one) => ({ "@id": purlOf(one, image.distribution) }));
    return [
      {
        vulnerability: { name: finding.id, ...(finding.aliases.length === 0 ? {} : { aliases: finding.aliases }) },
        products: [
          {
            "@id": `pkg:oci/${encodeURIComponent(
              image.name
                .split("/")
                .at(-1)
                ?.replace(/[:@].*$/, "") ?? "image",
            )}@${encodeURIComponent(image.manifest ?? image.id)}`,
            subcomponents,
          },
        ],
        status: "not_affected",
        impact_statement: `${suppressed.reason} (${suppressed.by})`,
      },
    ];
  });
  const content = JSON.stringify([image.id, statements]);
  return {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": `https://openvex.dev/docs/public/vex-${uuidOf(content)}`,
    author,
    timestamp: timeOf(createdSeconds),
    version: 1,
    statements,
  };
}
