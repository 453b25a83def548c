/** What the templates of `imagetools inspect` see, in buildx's shapes and under its types' names. */
import type { RemoteAttestation, RemoteInspection } from "../../engine/api.ts";
import type { Descriptor, Platform } from "../../oci/index.ts";
import { GoStruct, goValueFrom, nilList } from "../go-value.ts";
import type { GoValue } from "../go-value.ts";

/** What templates see, and `json` writes, of the whole. Attestations are read by their names alone, as buildx has it. */
export function templateData(name: string, inspection: RemoteInspection): GoValue {
  const manifest = manifestValue(inspection);
  const { value: image, several } = byPlatform(inspection.images.map(({ platform, config }) => [platform, orderedConfig(config)]));
  const fields = {
    Name: name,
    Manifest: structured("interface {}", manifest),
    Image: image === undefined ? undefined : structured("v1.Image", image),
    Provenance: attested(inspection.attestations, "provenance"),
    SBOM: attested(inspection.attestations, "sbom"),
  };
  return new GoStruct(several ? "imagetools.tplInputs" : "imagetools.tplInput", fields, { json: { name, manifest, image } });
}

const statements = {
  provenance: { type: "https://slsa.dev/provenance/", key: "SLSA" },
  sbom: { type: "https://spdx.dev/Document", key: "SPDX" },
} as const;

/** Of several bills of one image the first is the image's own. */
function attested(attestations: readonly RemoteAttestation[], kind: keyof typeof statements): GoValue {
  const { type, key } = statements[kind];
  const ofPlatform = new Map<string, unknown[]>();
  for (const { platform, predicate, predicateType } of attestations) {
    if (!predicateType.startsWith(type)) continue;
    const known = ofPlatform.get(platform);
    if (known === undefined) ofPlatform.set(platform, [sortedKeys(predicate)]);
    else known.push(sortedKeys(predicate));
  }
  const found = [...ofPlatform].map(([platform, predicates]) => [platform, stubOf(kind, predicates)] as const);
  return byPlatform(found).value ?? new GoStruct(`imagetools.${kind}Stub`, { [key]: null }, { json: {} });
}

function stubOf(kind: keyof typeof statements, predicates: readonly unknown[]): GoStruct {
  const { key } = statements[kind];
  const name = `imagetools.${kind}Stub`;
  if (kind === "provenance") return new GoStruct(name, { [key]: goValueFrom(predicates.at(-1)) }, { json: { [key]: predicates.at(-1) } });
  const [first, ...others] = predicates;
  const fields = { [key]: goValueFrom(first), AdditionalSPDXs: others.length === 0 ? nilList : others.map(goValueFrom) };
  return new GoStruct(name, fields, { json: { [key]: first, ...(others.length === 0 ? {} : { AdditionalSPDXs: others }) } });
}

function manifestValue({ descriptor, index }: RemoteInspection): object {
  const { mediaType, digest, size } = descriptor;
  if (index === undefined) return { mediaType, digest, size };
  return {
    schemaVersion: 2,
    mediaType,
    digest,
    size,
    manifests: index.manifests.map(descriptorShape),
    ...(index.annotations === undefined ? {} : { annotations: index.annotations }),
  };
}

function descriptorShape({ mediaType, digest, size, urls, annotations, data, platform, artifactType }: Descriptor): object {
  const words = { mediaType, digest, size, urls, annotations, data, platform: platform && platformShape(platform), artifactType };
  return Object.fromEntries(Object.entries(words).filter(([, value]) => value !== undefined));
}

function platformShape({ architecture, os, variant, ...rest }: Platform): object {
  return { architecture, os, ...rest, ...(variant === undefined ? {} : { variant }) };
}

/** One image stands for itself, several by their platforms. */
function byPlatform<T>(values: readonly (readonly [platform: string, value: T])[]): {
  readonly value?: T | Readonly<Record<string, T>>;
  readonly several: boolean;
} {
  const platforms = new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
  const last = values.at(-1);
  if (last === undefined) return { several: false };
  return platforms.size === 1 ? { value: last[1], several: false } : { value: Object.fromEntries(platforms), several: true };
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortedKeys(inner)]),
  );
}

const configOrder = ["created", "author", "architecture", "os", "os.version", "os.features", "variant", "config", "rootfs", "history"];

function orderedConfig(config: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(configOrder.flatMap((key) => (config[key] === undefined ? [] : [[key, config[key]]])));
}

/** Go's fields begin with capitals, its JSON keys do not; maps of names keep theirs. */
function structured(typeName: string, value: unknown): GoValue {
  if (Array.isArray(value)) return value.map((inner) => structured(typeName, inner));
  if (typeof value !== "object" || value === null) return goValueFrom(value);
  const fields: Record<string, GoValue> = {};
  for (const [key, inner] of Object.entries(value)) {
    const name = fieldNames[key] ?? (/^[a-z]\w*$/.test(key) ? key[0]!.toUpperCase() + key.slice(1) : key);
    fields[name] = mapKeys.has(key) ? goValueFrom(inner) : structured(typeName, inner);
  }
  const keysAreNames = Object.keys(value).every((key) => key.includes("/"));
  return keysAreNames && Object.keys(value).length > 0 ? fields : new GoStruct(typeName, fields, { json: value });
}

const fieldNames: Readonly<Record<string, string>> = {
  os: "OS",
  rootfs: "RootFS",
  diff_ids: "DiffIDs",
  created_by: "CreatedBy",
  empty_layer: "EmptyLayer",
  urls: "URLs",
  "os.version": "OSVersion",
  "os.features": "OSFeatures",
};
const mapKeys: ReadonlySet<string> = new Set(["annotations", "Labels", "ExposedPorts", "Volumes", "SLSA", "SPDX"]);
