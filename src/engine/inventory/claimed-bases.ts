/** Which images an image says that it was built on: its annotations, and the provenance beside it. Nobody vouches for that: whoever asks compares layers. */
import { PackageURL } from "packageurl-js";
import { isSlipwayError } from "../../base/errors.ts";
import { attestedManifest, isAttestation } from "../../oci/attestation.ts";
import { Fields, isObject, parseJsonObject, type Json } from "../../oci/bounded-json.ts";
import { isDigest } from "../../oci/digest.ts";
import type { Descriptor, Manifest } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { formatReference, parseReference, withDigest } from "../../oci/reference.ts";
import type { Document, ImageSource } from "../transports/image-source.ts";

const nameKey = "org.opencontainers.image.base.name";
const digestKey = "org.opencontainers.image.base.digest";
const maxProvenanceBytes = 4 << 20;
const maxClaims = 8;

export interface ClaimingImage {
  readonly source: ImageSource;
  readonly root: Document;
  readonly document: Document;
  readonly manifest: Manifest;
}

/** References in full, each once; what cannot be read claims nothing. */
export async function claimedBases(image: ClaimingImage, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const { root, document, manifest } = image;
  const parsed = parseManifestOrIndex(root.bytes, root.descriptor.mediaType);
  const entries = parsed.kind === "index" ? parsed.index.manifests : [];
  const entry = entries.find(({ digest }) => digest === document.descriptor.digest);
  const noted = [manifest.annotations, entry?.annotations, parsed.kind === "index" ? parsed.index.annotations : undefined].flatMap((annotations = {}) =>
    referenceFrom(annotations[nameKey], annotations[digestKey]),
  );
  if (noted.length > 0) return noted.slice(0, 1);
  const beside = entries.filter((one) => isAttestation(one) && attestedManifest(one) === document.descriptor.digest);
  const materials: string[] = [];
  for (const one of beside) materials.push(...(await materialsOf(image, one, signal)));
  return [...new Set(materials)].slice(0, maxClaims);
}

function referenceFrom(name: string | undefined, digest: string | undefined): readonly string[] {
  if (name === undefined) return [];
  try {
    const reference = parseReference(name);
    return [formatReference(digest !== undefined && isDigest(digest) ? withDigest(reference, digest) : reference)];
  } catch (error) {
    if (isSlipwayError(error)) return [];
    throw error;
  }
}

async function materialsOf({ source }: ClaimingImage, entry: Descriptor, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const { bytes, descriptor } = await source.document(entry.digest, signal);
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  const layers = parsed.kind === "manifest" ? parsed.manifest.layers : [];
  const found = layers.filter(({ size, annotations }) => size <= maxProvenanceBytes && isProvenance(annotations?.["in-toto.io/predicate-type"]));
  const references: string[] = [];
  for (const layer of found) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.blob(layer, signal)) chunks.push(chunk);
    references.push(...imagesIn(Buffer.concat(chunks)));
  }
  return references;
}

function isProvenance(type = ""): boolean {
  return type.startsWith("https://slsa.dev/provenance/");
}

function imagesIn(statement: Buffer): readonly string[] {
  try {
    const root = new Fields(parseJsonObject(statement, "provenance", { maxBytes: maxProvenanceBytes, maxDepth: 64 }), "provenance");
    const predicate = root.child("predicate")?.object ?? {};
    const definition = predicate["buildDefinition"];
    const lists = [predicate["materials"], isObject(definition) ? definition["resolvedDependencies"] : undefined];
    return lists.flatMap((list) => (Array.isArray(list) ? list.flatMap((one: Json) => imageFrom(one)) : []));
  } catch (error) {
    if (isSlipwayError(error, "INVALID_DOCUMENT")) return [];
    throw error;
  }
}

function imageFrom(material: Json): readonly string[] {
  const uri = isObject(material) ? material["uri"] : undefined;
  const digests = isObject(material) ? material["digest"] : undefined;
  const sha256 = isObject(digests) ? digests["sha256"] : undefined;
  if (typeof uri !== "string" || !uri.startsWith("pkg:docker/") || typeof sha256 !== "string") return [];
  try {
    const { namespace, name } = PackageURL.fromString(uri);
    return referenceFrom(namespace ? `${namespace}/${name}` : name, `sha256:${sha256}`);
  } catch {
    return [];
  }
}
