/** CycloneDX 1.6 as JSON. @see https://cyclonedx.org/docs/1.6/json/ */
import type { ImageInventory } from "../packages/image-inventory.ts";
import type { ImagePackage } from "../packages/package.ts";
import { facts, homepageOf, timeOf, uuidOf, type Bill } from "./bill.ts";
import { LicenceReader, type Licence } from "./licences.ts";
import { distroOf, purlOf } from "./purl.ts";
import { settled, WrittenList } from "./written-list.ts";

export const propertyPrefix = "slipway:";

/** On SPDX's list: not one of the package's own, and without the "or later" that is no part of the name. */
function isListed(licence: Licence): boolean {
  return licence.kind === "expression" && licence.isSingle && !/^LicenseRef-|\+$/.test(licence.text);
}

/** One expression stands alone; a list has single licences. */
function licensesOf(licences: readonly Licence[]): readonly object[] {
  const [first] = licences;
  if (licences.length === 1 && first?.kind === "expression" && !isListed(first)) return [{ expression: first.text }];
  return licences.map((licence) => ({ license: isListed(licence) ? { id: licence.text } : { name: licence.text } }));
}

/** Unique in the document: the same package may lie at several places. */
export function componentRef(image: ImageInventory, found: ImagePackage): string {
  return refOf(found, purlOf(found, image.distribution));
}

function refOf(found: ImagePackage, purl: string): string {
  return found.type === "deb" || found.type === "apk" || found.type === "rpm" ? purl : `${purl}#${found.path}`;
}

export interface Listed {
  readonly found: ImagePackage;
  readonly purl: string;
  readonly ref: string;
}

/** What differs in nothing that a reference tells is one component. */
export function listedPackages(image: ImageInventory): readonly Listed[] {
  const listed = new Map<string, Listed>();
  for (const found of image.packages) {
    const purl = purlOf(found, image.distribution);
    const ref = refOf(found, purl);
    listed.set(ref, { found, purl, ref });
  }
  return [...listed.values()];
}

function componentOf(image: ImageInventory, { found, purl, ref }: Listed, reader: LicenceReader): object {
  const { name, version, licences = [], supplier } = found;
  const [homepage, licenses] = [homepageOf(found), licensesOf(reader.licencesOf(licences))];
  return {
    type: "library",
    "bom-ref": ref,
    ...(supplier === undefined ? {} : { supplier: { name: supplier } }),
    name,
    ...(version === "" ? {} : { version }),
    ...(licenses.length === 0 ? {} : { licenses }),
    purl,
    ...(homepage === undefined ? {} : { externalReferences: [{ type: "website", url: homepage }] }),
    properties: facts(image, found).map(([key, value]) => ({ name: `${propertyPrefix}${key}`, value })),
  };
}

function systemOf({ distribution }: ImageInventory): readonly { readonly "bom-ref": string }[] {
  if (distribution === undefined) return [];
  const { id, version, codename, name } = distribution;
  const release = version === "" ? codename : version;
  const ref = `os:${distroOf(distribution)}`;
  const system = { type: "operating-system", "bom-ref": ref, name: id, ...(release === "" ? {} : { version: release }), description: name };
  return [system];
}

function subjectOf({ kind, name, id, manifest, platform, layers, base }: ImageInventory): object {
  const properties = [
    ["imageID", id],
    ["manifest", manifest],
    ["platform", platform === "" ? undefined : platform],
    ["base", base?.reference],
    ...(kind === "files" ? [] : layers.map(({ diffId }) => ["layer", diffId] as const)),
  ] as const;
  return {
    type: kind === "files" ? "file" : "container",
    "bom-ref": `image:${id}`,
    name,
    version: manifest ?? id,
    properties: properties.flatMap(([key, value]) => (value === undefined ? [] : [{ name: `${propertyPrefix}${key}`, value }])),
  };
}

/** `more`: fields of the document besides, as `vulnerabilities`. */
export function cyclonedxDocument(bill: Bill, more: object = {}): object {
  return settled(cyclonedxLists(bill, more));
}

/** The same to be written piece by piece. */
export function cyclonedxLists({ image, createdSeconds, tool }: Bill, more: object = {}): object {
  const [system, listed, reader] = [systemOf(image), listedPackages(image), new LicenceReader()];
  const components = new WrittenList<object>(function* () {
    yield* system;
    for (const one of listed) yield componentOf(image, one, reader);
  });
  const content = function* (): Generator<unknown> {
    yield [subjectOf(image), more];
    yield* components;
  };
  const subject = `image:${image.id}`;
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(content())}`,
    version: 1,
    metadata: {
      timestamp: timeOf(createdSeconds),
      tools: { components: [{ type: "application", name: tool.name, version: tool.version }] },
      component: subjectOf(image),
    },
    components,
    dependencies: [{ ref: subject, dependsOn: [...system.map((one) => one["bom-ref"]), ...listed.map(({ ref }) => ref)] }],
    ...(image.omissions.length === 0 ? {} : { compositions: [{ aggregate: "incomplete", assemblies: [subject] }] }),
    ...more,
  };
}
