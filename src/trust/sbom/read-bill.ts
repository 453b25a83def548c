/** Bills of materials back to packages: CycloneDX and SPDX as JSON, ours and others'. */
import { SlipwayError } from "../../base/errors.ts";
import { isObject, type Json, type JsonObject } from "../../oci/bounded-json.ts";
import { digestOf, isDigest, type Digest } from "../../oci/digest.ts";
import type { ImageInventory, LayerOrigin } from "../packages/image-inventory.ts";
import { maxPackagesOfImage } from "../packages/layer-inventory.ts";
import { objectsOf, readJson, stringOf } from "../packages/languages/json-file.ts";
import type { Distribution, ImagePackage } from "../packages/package.ts";
import { propertyPrefix } from "./cyclonedx.ts";
import { packageFromPurl, type ParsedPurl } from "./parse-purl.ts";

type Facts = ReadonlyMap<string, string>;

interface Entry {
  readonly purl: string;
  readonly facts: Facts;
}

/** `debian-12`, `opensuse-leap-15.6` */
function distributionOf(distro: string | undefined): Distribution | undefined {
  const [, id, version = ""] = /^(.+?)(?:-([\d.]+|[a-z]+))?$/.exec(distro ?? "") ?? [];
  if (id === undefined) return undefined;
  const isNumber = /^\d/.test(version);
  return { id, version: isNumber ? version : "", codename: isNumber ? "" : version, name: distro ?? id, idLike: [] };
}

function named(distribution: Distribution | undefined, name: string | undefined): Distribution | undefined {
  return distribution === undefined || name === undefined ? distribution : { ...distribution, name };
}

function propertiesOf(component: JsonObject): Facts {
  return new Map(
    objectsOf(component["properties"]).flatMap((one) => {
      const [name, value] = [stringOf(one["name"]), stringOf(one["value"])];
      return name?.startsWith(propertyPrefix) === true && value !== undefined ? [[name.slice(propertyPrefix.length), value] as const] : [];
    }),
  );
}

/** Components may hold components. */
function componentsIn(value: Json | undefined, depth = 0): readonly JsonObject[] {
  if (depth > 16) return [];
  return objectsOf(value).flatMap((one) => [one, ...componentsIn(one["components"], depth + 1)]);
}

function annotationsOf(found: JsonObject): Facts {
  return new Map(
    objectsOf(found["annotations"]).flatMap((one) => {
      const [, name, value] = /^([a-zA-Z:]+): (.*)$/s.exec(stringOf(one["comment"]) ?? "") ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
}

interface Contents {
  readonly name: string;
  readonly id: string | undefined;
  readonly distribution: Distribution | undefined;
  readonly entries: readonly Entry[];
}

/** Fails with DOCUMENT_TOO_LARGE (resource_exhausted). */
function entriesOf(what: string, found: readonly JsonObject[], make: (one: JsonObject) => Entry | undefined): readonly Entry[] {
  const entries: Entry[] = [];
  for (const one of found) {
    const entry = make(one);
    if (entry === undefined) continue;
    if (entries.length === maxPackagesOfImage) {
      throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${what} names more than ${maxPackagesOfImage} packages`, {
        limit: maxPackagesOfImage,
      });
    }
    entries.push(entry);
  }
  return entries;
}

function fromCyclonedx(root: JsonObject, what: string): Contents {
  const components = componentsIn(root["components"]);
  const metadata = isObject(root["metadata"]) ? root["metadata"] : {};
  const subject = isObject(metadata["component"]) ? metadata["component"] : {};
  const system = components.find((one) => one["type"] === "operating-system");
  const [id, version] = system === undefined ? [] : [stringOf(system["name"]), stringOf(system["version"])];
  return {
    name: stringOf(subject["name"]) ?? "",
    id: propertiesOf(subject).get("imageID"),
    distribution: id === undefined ? undefined : named(distributionOf(version === undefined ? id : `${id}-${version}`), stringOf(system?.["description"])),
    entries: entriesOf(what, components, (one) => {
      const purl = stringOf(one["purl"]);
      return purl === undefined ? undefined : { purl, facts: propertiesOf(one) };
    }),
  };
}

function fromSpdx(root: JsonObject, what: string): Contents {
  const entries = entriesOf(what, objectsOf(root["packages"]), (found) => {
    const reference = objectsOf(found["externalRefs"]).find((one) => one["referenceType"] === "purl");
    const purl = stringOf(reference?.["referenceLocator"]);
    return purl === undefined ? undefined : { purl, facts: annotationsOf(found) };
  });
  const image = objectsOf(root["packages"]).find((one) => one["primaryPackagePurpose"] === "CONTAINER");
  return { name: stringOf(root["name"]) ?? "", id: stringOf(image?.["versionInfo"]), distribution: undefined, entries };
}

/** As our bills have what is in a bundle and nothing tells its version. */
function withoutVersion(purl: string): ParsedPurl | undefined {
  const parsed = packageFromPurl(`${purl}@0`);
  return parsed === undefined ? undefined : { ...parsed, found: { ...parsed.found, version: "" } };
}

function packageOf({ purl, facts }: Entry): { readonly found: ImagePackage; readonly distro: string | undefined } | undefined {
  const bundled = facts.get("bundled");
  const parsed = packageFromPurl(purl) ?? (bundled === undefined ? undefined : withoutVersion(purl));
  if (parsed === undefined) return undefined;
  const layer = Number(facts.get("layer:index") ?? "0");
  const [owner, module] = [facts.get("owner"), facts.get("module")];
  const found: ImagePackage = {
    ...parsed.found,
    path: (facts.get("path") ?? "").replace(/^\//, ""),
    layer: Number.isSafeInteger(layer) && layer >= 0 && layer < 10_000 ? layer : 0,
    ...(owner === undefined ? {} : { owner }),
    ...(module === undefined ? {} : { module }),
    ...(facts.get("locked") === "true" ? { locked: true } : {}),
    ...(bundled === undefined ? {} : { bundled }),
  };
  return { found, distro: parsed.distro };
}

/** What ours say of layers; of others' one layer that nobody knows anything of. */
function layersOf(entries: readonly Entry[], packages: readonly ImagePackage[]): readonly LayerOrigin[] {
  const count = packages.reduce((max, { layer }) => Math.max(max, layer + 1), 1);
  const told = new Map<string, Facts>();
  for (const { facts } of entries) {
    const at = facts.get("layer:index");
    if (at !== undefined && !told.has(at)) told.set(at, facts);
  }
  return Array.from({ length: count }, (_, at): LayerOrigin => {
    const facts = told.get(String(at));
    const [diffId, origin, fromBase] = [facts?.get("layer:diffID"), facts?.get("layer:origin"), facts?.get("layer:fromBase")];
    const [, dockerfile, line, rest] = /^(\S+):(\d+) (.*)$/s.exec(origin ?? "") ?? [];
    return {
      diffId: diffId !== undefined && isDigest(diffId) ? diffId : digestOf(String(at)),
      ...(origin === undefined ? {} : { instruction: rest ?? origin }),
      ...(dockerfile === undefined || line === undefined ? {} : { place: { dockerfile, start: Number(line), end: Number(line) } }),
      ...(fromBase === undefined ? {} : { fromBase: fromBase === "true" }),
    };
  });
}

/** Fails with INVALID_DOCUMENT (invalid_argument), DOCUMENT_TOO_LARGE (resource_exhausted). */
export function parseBill(bytes: Buffer, what: string): ImageInventory {
  const root = readJson(bytes, what);
  const isCyclonedx = root["bomFormat"] === "CycloneDX";
  if (!isCyclonedx && typeof root["spdxVersion"] !== "string") {
    throw new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `invalid ${what}: it is neither CycloneDX nor SPDX`, { document: what });
  }
  const { name, id, distribution, entries } = isCyclonedx ? fromCyclonedx(root, what) : fromSpdx(root, what);
  const parsed = entries.flatMap((entry) => packageOf(entry) ?? []);
  const packages = parsed.map(({ found }) => found);
  const distro = parsed.find((one) => one.distro !== undefined)?.distro;
  return {
    name: name === "" ? what : name,
    id: (id !== undefined && isDigest(id) ? id : digestOf(bytes)) as Digest,
    manifest: undefined,
    platform: "",
    createdSeconds: undefined,
    distribution: distribution ?? distributionOf(distro),
    repositories: [],
    packages,
    omissions: [],
    layers: layersOf(entries, packages),
    base: undefined,
  };
}
