/** `buildx imagetools`: documents of registries, in buildx's shapes. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { printable } from "../../base/printable.ts";
import type { RemoteAttestation, RemoteInspection } from "../../engine/api.ts";
import type { Descriptor, Platform } from "../../oci/index.ts";
import { formatPlatform, formatReference, isDigest, withDigest } from "../../oci/index.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { compileTemplate } from "../go-template.ts";
import { GoStruct, goValueFrom } from "../go-value.ts";
import type { GoValue } from "../go-value.ts";
import { alignColumns } from "../table.ts";

const narrow = { minWidth: 0, padding: 1 };

/** The lines of `imagetools inspect` without --format, blanks at their ends included. */
export function formatInspection({ reference, descriptor, index }: RemoteInspection): string {
  const head = alignColumns(`Name:\t${formatReference(reference)}\nMediaType:\t${printable(descriptor.mediaType)}\nDigest:\t${descriptor.digest}\n`, narrow);
  if (index === undefined) return head;
  let text = head + alignColumns("\t\nManifests:\t\n", narrow);
  let lines = "";
  for (const [at, entry] of index.manifests.entries()) {
    if (at > 0) lines += "\t\n";
    lines += `  Name:\t${formatReference(withDigest(reference, entry.digest))}\n${entryLines(entry)}`;
    if (Object.keys(entry.annotations ?? {}).length === 0) continue;
    // the annotations are a table of their own
    text += alignColumns(`${lines}  Annotations:\t\n`, narrow) + alignColumns(annotationLines(entry), narrow);
    lines = "";
  }
  return text + alignColumns(lines, narrow);
}

function entryLines({ mediaType, platform, urls = [] }: Descriptor): string {
  let lines = `  MediaType:\t${printable(mediaType)}\n`;
  if (platform !== undefined) {
    lines += `  Platform:\t${printable(formatPlatform(platform))}\n`;
    const { "os.version": version = "", "os.features": features = [] } = platform;
    if (version !== "") lines += `  OSVersion:\t${printable(version)}\n`;
    if (features.length > 0) lines += `  OSFeatures:\t${printable(features.join(", "))}\n`;
  }
  return urls.length === 0 ? lines : `${lines}  URLs:\t${printable(urls.join(", "))}\n`;
}

function annotationLines({ annotations = {} }: Descriptor): string {
  const entries = Object.entries(annotations).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, value]) => `    ${printable(key)}:\t${printable(value)}\n`).join("");
}

/** What templates see, and `json` writes, of the whole. */
function templateData(name: string, inspection: RemoteInspection): GoValue {
  const manifest = manifestValue(inspection);
  const image = byPlatform(inspection.images.map(({ platform, config }) => [platform, orderedConfig(config)]));
  const provenance = byPlatform(attested(inspection.attestations, "https://slsa.dev/provenance/", (predicate) => ({ SLSA: predicate }))) ?? {};
  const sbom = byPlatform(attested(inspection.attestations, "https://spdx.dev/Document", (predicate) => ({ SPDX: predicate }))) ?? {};
  const typed = (type: string, value: unknown): GoValue => structured(type, value);
  const provenanceValue = typed("imagetools.provenance", provenance);
  const sbomValue = typed("imagetools.sbom", sbom);
  return new GoStruct(
    "imagetools.tplInput",
    { Name: name, Manifest: typed("ocispec.Index", manifest), Image: typed("ocispec.Image", image), Provenance: provenanceValue, SBOM: sbomValue },
    {
      json: {
        name,
        manifest,
        image,
        ...(Object.keys(provenance).length === 0 ? {} : { Provenance: provenance }),
        ...(Object.keys(sbom).length === 0 ? {} : { SBOM: sbom }),
      },
    },
  );
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
function byPlatform(values: readonly (readonly [platform: string, value: object])[]): object | undefined {
  const [only, ...others] = values;
  if (only === undefined) return undefined;
  const platforms = new Set(values.map(([platform]) => platform));
  return others.length === 0 || platforms.size === 1 ? values.at(-1)![1] : Object.fromEntries([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function attested(
  attestations: readonly RemoteAttestation[],
  type: string,
  shape: (predicate: unknown) => object,
): readonly (readonly [platform: string, value: object])[] {
  return attestations.filter(({ predicateType }) => predicateType.startsWith(type)).map(({ platform, predicate }) => [platform, shape(sortedKeys(predicate))]);
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

export const runImagetoolsInspect: Handler = async (cli, { flags, args }) => {
  const name = args[0]!;
  const raw = flags.bool("raw");
  const format = flags.string("format");
  if (raw && format !== "") throw cliError("format and raw cannot be used together");
  const template = format === "" || format === "{{.Manifest}}" ? undefined : compileTemplate(format);
  const engine = await cli.open();
  const inspection = await engine.transfer.imagetools.inspect(name, { details: template !== undefined, signal: cli.signal });
  if (raw) cli.stdout.write(inspection.bytes);
  else if (template === undefined) cli.stdout.write(formatInspection(inspection));
  else cli.stdout.write(template.fill(templateData(name, inspection), { indentJson: true }));
  return 0;
};

/** A descriptor as JSON, of which the digest counts. Fails with INPUT_FILE. */
function digestInFile(cwd: string, file: string): string {
  try {
    const { digest } = JSON.parse(readFileSync(resolve(cwd, file), "utf8")) as { readonly digest?: unknown };
    if (typeof digest === "string" && isDigest(digest)) return digest;
  } catch (error) {
    throw cliError(`failed to read ${file}: ${error instanceof Error ? error.message : String(error)}`, "INPUT_FILE", {}, error);
  }
  throw cliError(`failed to read ${file}: it is no descriptor with a digest`, "INPUT_FILE");
}

export const runImagetoolsCreate: Handler = async (cli, { flags, args }) => {
  const tags = flags.list("tag");
  const dryRun = flags.bool("dry-run");
  const append = flags.bool("append");
  if (!dryRun && tags.length === 0) throw cliError("can't push with no tags specified, please set --tag or --dry-run");
  if (append && tags.length === 0) throw cliError("can't append with no tags specified");
  const files = flags.list("file").map((file) => digestInFile(cli.cwd, file));
  const sources = [...(append ? [tags[0]!] : []), ...files, ...args];
  if (sources.length === 0) throw cliError("no sources specified");
  const engine = await cli.open();
  const options = {
    sources,
    tags,
    preferIndex: flags.bool("prefer-index"),
    platforms: flags.list("platform"),
    annotations: flags.list("annotation"),
    signal: cli.signal,
  };
  if (dryRun) {
    cli.stdout.write(`${Buffer.from(await engine.transfer.imagetools.preview(options)).toString()}\n`);
    return 0;
  }
  const { digest, copied } = await engine.transfer.imagetools.create(options);
  for (const { digest: each, from, to } of copied) cli.stderr.write(`copying ${each} from ${from} to ${to}\n`);
  for (const tag of tags) cli.stderr.write(`pushing ${digest} to ${tag}\n`);
  return 0;
};
