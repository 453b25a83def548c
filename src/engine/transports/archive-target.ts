/** An image as a tar archive that is written as its blobs come: an OCI layout, for docker-archives with manifest.json as well. */
import { goJson } from "../../base/canonical-json.ts";
import type { Digest } from "../../oci/digest.ts";
import { mediaTypes, type Manifest } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { hostPlatform, platformDistance } from "../../oci/platform.ts";
import { familiarName, parseReference } from "../../oci/reference.ts";
import { createEntry, encodeHeader, endOfArchive, paddingLength } from "../../tar/index.ts";
import { blobName } from "../archive/archive-plan.ts";
import type { Document } from "./image-source.ts";
import type { ImageTarget } from "./image-target.ts";
import { entryOf } from "./layout-target.ts";

export interface ArchiveSink {
  write(bytes: Uint8Array): Promise<void>;
  /** everything was written */
  finish(): Promise<void>;
  /** undoes what `finish` did not complete */
  dispose(): Promise<void>;
}

export interface ArchiveTargetOptions {
  readonly format: "docker" | "oci";
  /** a full name for docker, a tag for oci; several for docker */
  readonly names: readonly string[];
  /** the reader of the archive has it: it is left out */
  readonly has?: (digest: Digest) => boolean;
}

export function archiveTarget(place: string, sink: ArchiveSink, options: ArchiveTargetOptions): ImageTarget {
  const written = new Set<string>();
  const documents = new Map<Digest, Document>();
  const writeMember = async (path: string, bytes: Uint8Array): Promise<void> => {
    if (written.has(path)) return;
    written.add(path);
    await sink.write(Buffer.concat([encodeHeader(createEntry({ type: "file", path, size: bytes.length })), bytes, Buffer.alloc(paddingLength(bytes.length))]));
  };
  const putDocument = async (document: Document): Promise<void> => {
    documents.set(document.descriptor.digest, document);
    await writeMember(blobName(document.descriptor.digest), document.bytes);
  };
  return {
    name: place,
    parallel: 1,
    putBlob: async ({ descriptor: { digest, size }, open }) => {
      const path = blobName(digest);
      if (written.has(path) || options.has?.(digest) === true) return "exists";
      written.add(path);
      await sink.write(encodeHeader(createEntry({ type: "file", path, size })));
      for await (const chunk of open()) await sink.write(chunk);
      await sink.write(Buffer.alloc(paddingLength(size)));
      return "copied";
    },
    putDocument,
    putRoot: async (root) => {
      await putDocument(root);
      await writeMember("index.json", indexOf(root, options));
      if (options.format === "docker") await writeMember("manifest.json", dockerManifest(shownManifest(root, documents), options.names));
      await writeMember("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
      await sink.write(endOfArchive);
      await sink.finish();
    },
    [Symbol.asyncDispose]: async () => await sink.dispose(),
  };
}

function indexOf(root: Document, { format, names }: ArchiveTargetOptions): Buffer {
  const plain = entryOf(root, undefined);
  const named = names.map((name) => (format === "oci" ? entryOf(root, name) : { ...plain, annotations: dockerAnnotations(name) }));
  return Buffer.from(goJson({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: named.length === 0 ? [plain] : named }));
}

function dockerAnnotations(name: string): Readonly<Record<string, string>> {
  const { tag } = parseReference(name);
  return { "io.containerd.image.name": name, ...(tag === undefined ? {} : { "org.opencontainers.image.ref.name": tag }) };
}

/** manifest.json knows no indexes: of one it shows the image for this machine, else the first. */
function shownManifest(root: Document, documents: ReadonlyMap<Digest, Document>): Manifest | undefined {
  const parsed = parseManifestOrIndex(root.bytes, root.descriptor.mediaType);
  if (parsed.kind === "manifest") return parsed.manifest;
  const ranked = parsed.index.manifests
    .map((entry) => ({ entry, distance: entry.platform === undefined ? 1000 : (platformDistance(hostPlatform(), entry.platform) ?? 2000) }))
    .toSorted((a, b) => a.distance - b.distance);
  for (const { entry } of ranked) {
    const document = documents.get(entry.digest);
    const shown = document === undefined ? undefined : shownManifest(document, documents);
    if (shown !== undefined) return shown;
  }
  return undefined;
}

function dockerManifest(manifest: Manifest | undefined, names: readonly string[]): Buffer {
  if (manifest === undefined) return Buffer.from("[]");
  const Config = blobName(manifest.config.digest);
  const RepoTags = names.length === 0 ? null : names.map((name) => familiarName(parseReference(name)));
  return Buffer.from(goJson([{ Config, RepoTags, Layers: manifest.layers.map(({ digest }) => blobName(digest)) }]));
}
