/** SPDX 2.3 as JSON. @see https://spdx.github.io/spdx-spec/v2.3/ */
import { hash } from "node:crypto";
import type { ImageInventory } from "../packages/image-inventory.ts";
import { facts, homepageOf, timeOf, uuidOf, type Bill } from "./bill.ts";
import { listedPackages, type Listed } from "./cyclonedx.ts";
import { LicenceReader, licenseListVersion, type Licence } from "./licences.ts";
import { settled, WrittenList } from "./written-list.ts";

const subjectId = "SPDXRef-Image";

function packageId({ found, ref }: Listed): string {
  return `SPDXRef-Package-${found.type}-${hash("sha256", ref).slice(0, 16)}`;
}

/** Names that SPDX does not know are defined in the document itself. */
class OwnLicences {
  readonly #reader = new LicenceReader();
  readonly #names = new Map<string, string>();

  /** What a package's statements are together. */
  declared(statements: readonly string[]): string {
    const terms = this.#reader.licencesOf(statements).map((licence) => this.#termOf(licence));
    if (terms.length === 0) return "NOASSERTION";
    return terms.length === 1 ? (terms[0] as string).replace(/^\((.*)\)$/, "$1") : terms.join(" AND ");
  }

  #termOf(licence: Licence): string {
    if (licence.kind === "expression") {
      for (const id of licence.text.match(/LicenseRef-[\w.-]+/g) ?? []) this.#names.set(id, id.slice("LicenseRef-".length));
      return licence.isSingle ? licence.text : `(${licence.text})`;
    }
    const id = `LicenseRef-${hash("sha256", licence.text).slice(0, 12)}`;
    this.#names.set(id, licence.text);
    return id;
  }

  get definitions(): readonly object[] {
    return [...this.#names]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([licenseId, name]) => ({ licenseId, name, extractedText: `The package names its licence "${name}".` }));
  }
}

/** "Debian libc <libc@lists.debian.org>" as a person or organisation with an address. */
function supplierOf(supplier: string | undefined): string {
  const line = (supplier ?? "").replace(/[\s\p{Cc}]+/gu, " ").trim();
  const [, name = line, address = ""] = /^(.+?) ?<([^>]*)>$/.exec(line) ?? [];
  if (name === "") return "NOASSERTION";
  return `Organization: ${name}${address === "" ? "" : ` (${address})`}`;
}

export function spdxDocument(bill: Bill): object {
  return settled(spdxLists(bill));
}

/** The same to be written piece by piece. */
export function spdxLists({ image, createdSeconds, tool }: Bill): object {
  const own = new OwnLicences();
  const creator = `Tool: ${tool.name}-${tool.version}`;
  const created = timeOf(createdSeconds);
  const listed = listedPackages(image);
  const packageOf = (one: Listed): object => packageFrom(image, one, { own, creator, created });
  const content = function* (): Generator<unknown> {
    yield [image.name, image.id, image.manifest];
    for (const one of listed) yield packageOf(one);
  };
  // going through it also gathers the package's own licences
  const uuid = uuidOf(content());
  const ownLicences = own.definitions;
  return {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: image.name,
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(image.name)}-${uuid}`,
    creationInfo: { created, creators: [creator], licenseListVersion },
    packages: new WrittenList(function* () {
      yield subjectOf(image);
      for (const one of listed) yield packageOf(one);
    }),
    ...(ownLicences.length === 0 ? {} : { hasExtractedLicensingInfos: ownLicences }),
    relationships: new WrittenList(function* () {
      yield { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: subjectId };
      for (const one of listed) yield { spdxElementId: subjectId, relationshipType: "CONTAINS", relatedSpdxElement: packageId(one) };
    }),
  };
}

interface Making {
  readonly own: OwnLicences;
  readonly creator: string;
  readonly created: string;
}

function packageFrom(image: ImageInventory, { found, purl, ref }: Listed, { own, creator, created }: Making): object {
  return {
    name: found.name,
    SPDXID: packageId({ found, purl, ref }),
    ...(found.version === "" ? {} : { versionInfo: found.version }),
    supplier: supplierOf(found.supplier),
    downloadLocation: "NOASSERTION",
    ...(homepageOf(found) === undefined ? {} : { homepage: homepageOf(found) }),
    filesAnalyzed: false,
    ...(found.source === undefined ? {} : { sourceInfo: `built from source package ${found.source.name} ${found.source.version}` }),
    licenseConcluded: "NOASSERTION",
    licenseDeclared: own.declared(found.licences ?? []),
    copyrightText: "NOASSERTION",
    primaryPackagePurpose: "LIBRARY",
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
    annotations: facts(image, found).map(([name, value]) => ({
      annotationDate: created,
      annotationType: "OTHER",
      annotator: creator,
      comment: `${name}: ${value}`,
    })),
  };
}

function subjectOf({ kind, name, id, manifest, distribution, platform }: ImageInventory): object {
  const checksumValue = (manifest ?? id).replace(/^sha\d+:/, "");
  const comment = [platform, distribution?.name ?? ""].filter((word) => word !== "").join(", ");
  return {
    name,
    SPDXID: subjectId,
    versionInfo: manifest ?? id,
    supplier: "NOASSERTION",
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    ...(kind === "files" ? {} : { checksums: [{ algorithm: (manifest ?? id).startsWith("sha512") ? "SHA512" : "SHA256", checksumValue }] }),
    licenseConcluded: "NOASSERTION",
    licenseDeclared: "NOASSERTION",
    copyrightText: "NOASSERTION",
    primaryPackagePurpose: kind === "files" ? "FILE" : "CONTAINER",
    ...(comment === "" ? {} : { comment }),
  };
}
