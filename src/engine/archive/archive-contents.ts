/** What images an archive holds: docker-archive (manifest.json) and OCI layout (index.json) read alike, indexes with all that is there of them. */
import { isAttestation } from "../../oci/attestation.ts";
import { SlipwayError } from "../../base/errors.ts";
import { parseJsonObject, Fields } from "../../oci/bounded-json.ts";
import { assertSameImages } from "./archive-agreement.ts";
import { hexOf, algorithmOf, digestOf, type Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { maxDocumentBytes, parseIndex, parseManifestOrIndex, type ManifestOrIndex } from "../../oci/parse-manifest.ts";
import { hostPlatform, platformDistance } from "../../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import { sanitizeEntryPath } from "../../store/unpack.ts";
import { invalidArchive, type ArchiveMembers } from "./archive-members.ts";

export interface ContainedImage {
  /** paths in the archive */
  readonly config: string;
  readonly layers: readonly string[];
  /** paths of manifest and indexes to keep with the image; none in a docker-archive */
  readonly documents: readonly string[];
  readonly manifest: Digest | undefined;
  readonly annotations: Annotations;
  /** of the index's entry for it */
  readonly descriptorAnnotations: Annotations;
}

/** What a name stands for: one image, or several of an index for a platform each. */
export interface ContainedEntry {
  readonly images: readonly ContainedImage[];
  /** full names */
  readonly names: readonly string[];
  readonly annotations: Annotations;
  /** of the index whose entries the images are */
  readonly document: Digest | undefined;
}

type Annotations = Readonly<Record<string, string>>;

const maxImages = 1000;
const maxIndexDepth = 4;

/** Fails with ARCHIVE_INVALID, INVALID_DOCUMENT (invalid_argument), BLOB_MISSING (not_found). Docker's word for anything else. */
export function imagesInArchive(members: ArchiveMembers): readonly ContainedEntry[] {
  const docker = dockerImages(members);
  const images = members.has("index.json") && members.has("oci-layout") ? ociImages(members, docker) : docker;
  if (images.length === 0) throw new SlipwayError("invalid_argument", "ARCHIVE_INVALID", "unrecognized image format", { bare: true });
  if (images.length > maxImages) throw invalidArchive(`it holds more than ${maxImages} images`);
  return images;
}

export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** The entries of manifest.json. */
function dockerImages(members: ArchiveMembers): readonly ContainedEntry[] {
  const bytes = members.document("manifest.json");
  if (bytes === undefined) return [];
  const what = "manifest.json";
  // A list at the top; the reader of documents wants an object.
  const wrapped = Buffer.concat([Buffer.from('{"images":'), bytes, Buffer.from("}")]);
  const entries = new Fields(parseJsonObject(wrapped, what, { maxBytes: maxDocumentBytes + 64, maxDepth: 16 }), what).children("images") ?? [];
  return entries.map((entry) => {
    const config = sanitizeEntryPath(entry.requiredString("Config"));
    const layers = (entry.strings("Layers") ?? []).map(sanitizeEntryPath);
    return {
      images: [{ config, layers, documents: [], manifest: undefined, annotations: {}, descriptorAnnotations: {} }],
      names: (entry.strings("RepoTags") ?? []).map(fullName),
      annotations: {},
      document: undefined,
    };
  });
}

function fullName(text: string): string {
  return formatReference(withDefaultTag(parseReference(text)));
}

/** Names come from the index's annotations, else from manifest.json's entry of the same config. */
function ociImages(members: ArchiveMembers, docker: readonly ContainedEntry[]): readonly ContainedEntry[] {
  const index = parseIndex(members.document("index.json") ?? Buffer.alloc(0));
  const entries = new Map<Digest, ContainedEntry>();
  for (const descriptor of index.manifests) {
    if (isAttestation(descriptor)) continue;
    const entry = entries.get(descriptor.digest) ?? entryOf(members, descriptor);
    const name = annotatedName(descriptor);
    entries.set(descriptor.digest, name === undefined ? entry : { ...entry, names: [...new Set([...entry.names, name])] });
  }
  assertSameImages(
    docker.flatMap(({ images, names }) => images.flatMap(({ config }) => configDigests(members, config).map((digest) => ({ config: digest, names })))),
    [...entries.values()].map(({ images, names }) => ({ configs: new Set(images.flatMap(({ config }) => configDigests(members, config))), names })),
  );
  const configs = (entry: ContainedEntry): ReadonlySet<string> => new Set(entry.images.map(({ config }) => config));
  return [...entries.values()].map((entry) =>
    entry.names.length > 0 ? entry : { ...entry, names: docker.find(({ images }) => configs(entry).has(images[0]?.config ?? ""))?.names ?? [] },
  );
}

/** None where it is not here, and nobody can load it. */
function configDigests(members: ArchiveMembers, path: string): readonly Digest[] {
  const bytes = members.document(path);
  return bytes === undefined ? [] : [digestOf(bytes)];
}

function annotatedName({ annotations }: Descriptor): string | undefined {
  const full = annotations?.["io.containerd.image.name"];
  const refName = annotations?.["org.opencontainers.image.ref.name"];
  try {
    if (full !== undefined) return fullName(full);
    // Writers put a whole reference, a bare tag, or a name that is neither into it: only the first names an image.
    if (refName !== undefined && /[/:]/.test(refName)) return fullName(refName);
  } catch {
    return undefined;
  }
  return undefined;
}

function entryOf(members: ArchiveMembers, descriptor: Descriptor): ContainedEntry {
  const { parsed, path } = documentOf(members, descriptor);
  if (parsed.kind === "manifest") return { images: [imageOf(members, descriptor, [])], names: [], annotations: {}, document: undefined };
  const here = presentEntries(members, parsed.index.manifests, descriptor.digest);
  const images = new Map(here.map((entry) => [entry.digest, { ...imageOf(members, entry, [path]), descriptorAnnotations: entry.annotations ?? {} }]));
  return { images: [...images.values()], names: [], annotations: parsed.index.annotations ?? {}, document: descriptor.digest };
}

function documentOf(members: ArchiveMembers, descriptor: Descriptor): { readonly parsed: ManifestOrIndex; readonly path: string } {
  const path = blobPath(descriptor.digest);
  const bytes = members.document(path);
  if (bytes === undefined) throw missingBlob(descriptor.digest);
  return { parsed: parseManifestOrIndex(bytes, descriptor.mediaType), path };
}

/** Follows indexes below an index to the image for this machine; where none fits, to the first that is here. */
function imageOf(members: ArchiveMembers, descriptor: Descriptor, above: readonly string[]): ContainedImage {
  if (above.length > maxIndexDepth) throw invalidArchive(`its indexes are nested deeper than ${maxIndexDepth}`);
  const { parsed, path } = documentOf(members, descriptor);
  const documents = [...above, path];
  if (parsed.kind === "index") return imageOf(members, chosen(presentEntries(members, parsed.index.manifests, descriptor.digest)), documents);
  const { manifest } = parsed;
  return {
    config: blobPath(manifest.config.digest),
    layers: manifest.layers.map(({ digest }) => blobPath(digest)),
    documents,
    manifest: descriptor.digest,
    annotations: manifest.annotations ?? {},
    descriptorAnnotations: {},
  };
}

function presentEntries(members: ArchiveMembers, candidates: readonly Descriptor[], index: Digest): readonly Descriptor[] {
  const here = candidates.filter((candidate) => !isAttestation(candidate) && members.has(blobPath(candidate.digest)));
  if (here.length === 0) throw invalidArchive(`no manifest of index ${index} is in it`, { index });
  return here;
}

function chosen(candidates: readonly Descriptor[]): Descriptor {
  const host = hostPlatform();
  const ranked = candidates.map((candidate) => ({
    candidate,
    distance: candidate.platform === undefined ? 1000 : (platformDistance(host, candidate.platform) ?? 2000),
  }));
  return (ranked.toSorted((a, b) => a.distance - b.distance)[0] as (typeof ranked)[number]).candidate;
}

export function missingBlob(digest: string): SlipwayError {
  return invalidArchive(`blob ${digest} is missing`, { digest });
}
