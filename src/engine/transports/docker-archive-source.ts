/** What `docker save` wrote before it knew OCI layouts: manifest.json, configs and layers as plain tars. A manifest is made of them. */
import { createHash } from "node:crypto";
import { goJson } from "../../base/canonical-json.ts";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import { digestFromHex, digestOf, type Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import { maxDocumentBytes } from "../../oci/parse-manifest.ts";
import { familiarName, formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import { sanitizeEntryPath } from "../../store/unpack.ts";
import { detectCompression } from "../../tar/index.ts";
import type { ListedImage } from "../archive/archive-agreement.ts";
import { checked, notInPlace, type Document, type ImageSource } from "./image-source.ts";
import type { LayoutFiles } from "./layout-source.ts";

interface Entry {
  readonly config: string;
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

/** What manifest.json lists, as far as it is here. */
export async function listedImages(files: LayoutFiles): Promise<readonly ListedImage[]> {
  if (files.size("manifest.json") === undefined) return [];
  const here = (await readEntries(files)).filter(({ config }) => files.size(config) !== undefined);
  return await Promise.all(
    here.map(async ({ config, names }) => ({
      config: digestOf(await files.read(config, maxDocumentBytes)),
      names: names.map((name) => formatReference(withDefaultTag(parseReference(name)))),
    })),
  );
}

async function readEntries(files: LayoutFiles): Promise<readonly Entry[]> {
  const what = "manifest.json";
  const bytes = await files.read(what, maxDocumentBytes);
  // a list at the top; the reader of documents wants an object
  const wrapped = Buffer.concat([Buffer.from('{"images":'), bytes, Buffer.from("}")]);
  const entries = new Fields(parseJsonObject(wrapped, what, { maxBytes: maxDocumentBytes + 64, maxDepth: 16 }), what).children("images") ?? [];
  return entries.map((entry) => ({
    config: sanitizeEntryPath(entry.requiredString("Config")),
    layers: (entry.strings("Layers") ?? []).map(sanitizeEntryPath),
    names: entry.strings("RepoTags") ?? [],
  }));
}

function fullName(text: string): string {
  return familiarName(withDefaultTag(parseReference(text)));
}

function chooseEntry(place: string, entries: readonly Entry[], wanted: string | undefined): Entry {
  const found = wanted === undefined ? entries : entries.filter(({ names }) => names.some((name) => fullName(name) === fullName(wanted)));
  const [first] = found;
  const listed = entries
    .flatMap(({ names }) => names)
    .slice(0, 20)
    .join(", ");
  if (first === undefined) throw notInPlace(place, wanted === undefined ? "it holds no image" : `no image ${wanted} in it; it has ${listed || "none"}`);
  if (found.length > 1) throw notInPlace(place, `it holds several images, name one of them: ${listed}`);
  return first;
}

const layerTypes = { none: mediaTypes.ociLayer, gzip: mediaTypes.ociLayerGzip, zstd: mediaTypes.ociLayerZstd } as const;

async function describeLayer(files: LayoutFiles, path: string): Promise<Descriptor> {
  const hash = createHash("sha256");
  let size = 0;
  let mediaType: string = mediaTypes.ociLayer;
  for await (const chunk of files.stream(path)) {
    if (size === 0) {
      const kind = detectCompression(chunk);
      mediaType = kind in layerTypes ? layerTypes[kind as keyof typeof layerTypes] : mediaTypes.ociLayer;
    }
    hash.update(chunk);
    size += chunk.length;
  }
  return { mediaType, digest: digestFromHex(hash.digest("hex")), size };
}

export async function dockerArchiveSource(place: string, files: LayoutFiles, wanted: string | undefined): Promise<ImageSource> {
  if (files.size("manifest.json") === undefined) throw notInPlace(place, "it is no image archive: there is no manifest.json in it");
  const entry = chooseEntry(place, await readEntries(files), wanted);
  const paths = new Map<Digest, string>();
  const config = await files.read(entry.config, maxDocumentBytes);
  const configDescriptor: Descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length };
  paths.set(configDescriptor.digest, entry.config);
  const layers: Descriptor[] = [];
  for (const path of entry.layers) {
    const layer = await describeLayer(files, path);
    paths.set(layer.digest, path);
    layers.push(layer);
  }
  const bytes = Buffer.from(goJson({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: configDescriptor, layers }));
  const root: Document = { bytes, descriptor: { mediaType: mediaTypes.ociManifest, digest: digestOf(bytes), size: bytes.length } };
  return {
    name: place,
    root: async () => root,
    document: async (digest) => {
      if (digest === root.descriptor.digest) return root;
      throw notInPlace(place, `manifest ${digest} is missing`);
    },
    has: ({ digest }) => digest === root.descriptor.digest || paths.has(digest),
    blob: (descriptor) => {
      const path = paths.get(descriptor.digest);
      if (path === undefined) throw notInPlace(place, `blob ${descriptor.digest} is missing`);
      return checked(files.stream(path), descriptor);
    },
    [Symbol.asyncDispose]: async () => await files[Symbol.asyncDispose](),
  };
}
