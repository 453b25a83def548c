/**
 * Foreign bytes to manifests, indexes and configurations. The result is built anew from the fields that are known; the
 * bytes remain the truth and are what is kept under the digest.
 * All fail with INVALID_DOCUMENT (invalid_argument) or DOCUMENT_TOO_LARGE (resource_exhausted).
 * @see image-spec manifest.md, image-index.md, config.md
 */
import { SlipwayError } from "../base/errors.ts";
import { Fields, invalidDocument, parseJsonObject, present } from "./bounded-json.ts";
import { isDigest } from "./digest.ts";
import { mediaTypes } from "./manifest.ts";
import type { Descriptor, Index, Manifest } from "./manifest.ts";
import type { Platform } from "./platform.ts";

/** The limit that registries and containerd keep for manifests and indexes: 4 MiB. */
export const maxDocumentBytes = 4 * 1024 * 1024;
const documentLimits = { maxBytes: maxDocumentBytes, maxDepth: 32 };

export type ManifestOrIndex =
  | { readonly kind: "manifest"; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly mediaType: string; readonly index: Index };

export function isManifestMediaType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociManifest || mediaType === mediaTypes.dockerManifest;
}

export function isIndexMediaType(mediaType: string): boolean {
  return mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex;
}

function readPlatform(fields: Fields): Platform {
  return present<Platform>({
    os: fields.string("os") ?? "",
    architecture: fields.string("architecture") ?? "",
    variant: fields.string("variant"),
    "os.version": fields.string("os.version"),
    "os.features": fields.strings("os.features"),
  });
}

function readDescriptor(fields: Fields): Descriptor {
  const digest = fields.requiredString("digest");
  if (!isDigest(digest)) throw fields.fail("digest", "sha256:<64 hex digits>");
  const size = fields.integer("size");
  if (size === undefined || size < 0) throw fields.fail("size", "an integer, 0 or more");
  const platform = fields.child("platform");
  return present<Descriptor>({
    mediaType: fields.requiredString("mediaType"),
    digest,
    size,
    urls: fields.strings("urls"),
    annotations: fields.stringMap("annotations"),
    platform: platform && readPlatform(platform),
    artifactType: fields.string("artifactType"),
    data: fields.string("data"),
  });
}

function requiredChildren(fields: Fields, key: string): readonly Fields[] {
  const children = fields.children(key);
  if (children === undefined) throw fields.fail(key, "a list");
  return children;
}

function readManifest(fields: Fields): Manifest {
  const config = fields.child("config");
  if (config === undefined) throw fields.fail("config", "a descriptor");
  const subject = fields.child("subject");
  return present<Manifest>({
    schemaVersion: 2,
    mediaType: fields.string("mediaType"),
    artifactType: fields.string("artifactType"),
    config: readDescriptor(config),
    layers: (fields.children("layers") ?? []).map(readDescriptor),
    subject: subject && readDescriptor(subject),
    annotations: fields.stringMap("annotations"),
  });
}

function readIndex(fields: Fields): Index {
  const subject = fields.child("subject");
  return present<Index>({
    schemaVersion: 2,
    mediaType: fields.string("mediaType"),
    artifactType: fields.string("artifactType"),
    manifests: requiredChildren(fields, "manifests").map(readDescriptor),
    subject: subject && readDescriptor(subject),
    annotations: fields.stringMap("annotations"),
  });
}

function isSchema1(mediaType: string | undefined, fields: Fields): boolean {
  return mediaType === mediaTypes.dockerSchema1 || mediaType === mediaTypes.dockerSchema1Signed || fields.get("schemaVersion") === 1;
}

const decisive: ReadonlySet<string> = new Set(["schemaversion", "mediatype", "config", "layers", "manifests"]);

/** Readers that were written in Go take keys in any case, and some letters for others. */
function foldedKey({ object }: Fields): string | undefined {
  return Object.keys(object).find(
    (key) => key !== "schemaVersion" && key !== "mediaType" && decisive.has(key.toUpperCase().toLowerCase()) && !decisive.has(key),
  );
}

/** What a document is, from its own words and the media type it was served with; the two have to agree. */
function kindOf(fields: Fields, served: string | undefined): { kind: "manifest" | "index"; mediaType: string } {
  const own = fields.string("mediaType");
  if (isSchema1(own ?? served, fields)) {
    throw new SlipwayError(
      "unsupported",
      "SCHEMA1_MANIFEST",
      "Docker Image Format v1 and Docker Image manifest version 2, schema 1 are no longer supported: push the image again with a current Docker, or ask its publisher to",
      { mediaType: own ?? served },
    );
  }
  if (fields.integer("schemaVersion") !== 2) throw fields.fail("schemaVersion", "2");
  const folded = foldedKey(fields);
  if (folded !== undefined) throw invalidDocument(fields.what, `${JSON.stringify(folded)} is a key of images to some readers and none to others`);
  const hasManifests = fields.get("manifests") !== undefined;
  if (hasManifests && (fields.get("config") !== undefined || fields.get("layers") !== undefined)) {
    throw invalidDocument(fields.what, "it is a manifest and an index at once");
  }
  const kind = hasManifests ? "index" : "manifest";
  const agrees = (type: string): boolean => (hasManifests ? isIndexMediaType(type) : isManifestMediaType(type));
  const foreign = [own, served].find((type) => type !== undefined && (isIndexMediaType(type) || isManifestMediaType(type)) && !agrees(type));
  if (foreign !== undefined) throw invalidDocument(fields.what, `its content is that of an image ${kind}, its media type is ${foreign}`);
  const fallback = hasManifests ? mediaTypes.ociIndex : mediaTypes.ociManifest;
  return { kind, mediaType: own ?? (served !== undefined && agrees(served) ? served : fallback) };
}

/**
 * Tells a manifest from an index. `served` is the Content-Type or the descriptor's media type: where it names the other
 * kind than the content, or the content is both at once, the document is refused, since two readers would see two images.
 * Fails with SCHEMA1_MANIFEST (unsupported) for Docker's format of 2014.
 */
export function parseManifestOrIndex(bytes: Uint8Array, served?: string): ManifestOrIndex {
  const fields = new Fields(parseJsonObject(bytes, "image manifest", documentLimits), "image manifest");
  const { kind, mediaType } = kindOf(fields, served);
  if (kind === "index") return { kind, mediaType, index: readIndex(fields) };
  return { kind, mediaType, manifest: readManifest(fields) };
}

export function parseManifest(bytes: Uint8Array, served?: string): Manifest {
  const parsed = parseManifestOrIndex(bytes, served);
  if (parsed.kind !== "manifest") throw invalidDocument("image manifest", "it is an image index");
  return parsed.manifest;
}

export function parseIndex(bytes: Uint8Array, served?: string): Index {
  const parsed = parseManifestOrIndex(bytes, served);
  if (parsed.kind !== "index") throw invalidDocument("image index", "it is an image manifest");
  return parsed.index;
}
