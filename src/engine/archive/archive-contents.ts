/** What images an archive holds: docker-archive (manifest.json) and OCI layout (index.json) read alike. */
import { SlipwayError } from "../../base/errors.ts";
import { parseJsonObject, Fields } from "../../oci/bounded-json.ts";
import { hexOf, algorithmOf, type Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { maxDocumentBytes, parseIndex, parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import { hostPlatform, platformDistance } from "../../oci/platform.ts";
import { formatReference, parseReference, withDefaultTag } from "../../oci/reference.ts";
import { sanitizeEntryPath } from "../../store/unpack.ts";
import { invalidArchive, type ArchiveMembers } from "./archive-members.ts";

export interface ContainedImage {
  /** paths in the archive */
  readonly config: string;
  readonly layers: readonly string[];
  /** full names */
  readonly names: readonly string[];
  /** paths of manifest and indexes to keep with the image; none in a docker-archive */
  readonly documents: readonly string[];
  readonly manifest: Digest | undefined;
}

const maxImages = 1000;
const maxIndexDepth = 4;

/** Fails with ARCHIVE_INVALID, INVALID_DOCUMENT (invalid_argument), BLOB_MISSING (not_found). Docker's word for anything else. */
export function imagesInArchive(members: ArchiveMembers): readonly ContainedImage[] {
  const docker = dockerImages(members);
  const images = members.has("index.json") && members.has("oci-layout") ? ociImages(members, docker) : docker;
  if (images.length === 0) throw new SlipwayError("invalid_argument", "ARCHIVE_INVALID", "unrecognized image format");
  if (images.length > maxImages) throw invalidArchive(`it holds more than ${maxImages} images`);
  return images;
}

export function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** The entries of manifest.json. */
function dockerImages(members: ArchiveMembers): readonly ContainedImage[] {
  const bytes = members.document("manifest.json");
  if (bytes === undefined) return [];
  const what = "manifest.json";
  // A list at the top; the reader of documents wants an object.
  const wrapped = Buffer.concat([Buffer.from('{"images":'), bytes, Buffer.from("}")]);
  const entries = new Fields(parseJsonObject(wrapped, what, { maxBytes: maxDocumentBytes + 64, maxDepth: 16 }), what).children("images") ?? [];
  return entries.map((entry) => ({
    config: sanitizeEntryPath(entry.requiredString("Config")),
    layers: (entry.strings("Layers") ?? []).map(sanitizeEntryPath),
    names: (entry.strings("RepoTags") ?? []).map(fullName),
    documents: [],
    manifest: undefined,
  }));
}

function fullName(text: string): string {
  return formatReference(withDefaultTag(parseReference(text)));
}

/** Names come from the index's annotations, else from manifest.json's entry of the same config. */
function ociImages(members: ArchiveMembers, docker: readonly ContainedImage[]): readonly ContainedImage[] {
  const index = parseIndex(members.document("index.json") ?? Buffer.alloc(0));
  const images = new Map<Digest, ContainedImage>();
  for (const descriptor of index.manifests) {
    if (isAttestation(descriptor)) continue;
    const image = images.get(descriptor.digest) ?? imageOf(members, descriptor, []);
    const name = annotatedName(descriptor);
    images.set(descriptor.digest, name === undefined ? image : { ...image, names: [...new Set([...image.names, name])] });
  }
  return [...images.values()].map((image) =>
    image.names.length > 0 ? image : { ...image, names: docker.find((entry) => entry.config === image.config)?.names ?? [] },
  );
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

function isAttestation({ platform, annotations }: Descriptor): boolean {
  return annotations?.["vnd.docker.reference.type"] !== undefined || (platform?.os === "unknown" && platform.architecture === "unknown");
}

/** Follows indexes to the image for this machine; where none fits, to the first that is here. */
function imageOf(members: ArchiveMembers, descriptor: Descriptor, above: readonly string[]): ContainedImage {
  if (above.length > maxIndexDepth) throw invalidArchive(`its indexes are nested deeper than ${maxIndexDepth}`);
  const path = blobPath(descriptor.digest);
  const bytes = members.document(path);
  if (bytes === undefined) throw missingBlob(descriptor.digest);
  const documents = [...above, path];
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  if (parsed.kind === "index") return imageOf(members, chosen(members, parsed.index.manifests, descriptor.digest), documents);
  const { manifest } = parsed;
  return {
    config: blobPath(manifest.config.digest),
    layers: manifest.layers.map(({ digest }) => blobPath(digest)),
    names: [],
    documents,
    manifest: descriptor.digest,
  };
}

function chosen(members: ArchiveMembers, candidates: readonly Descriptor[], index: Digest): Descriptor {
  const here = candidates.filter((candidate) => !isAttestation(candidate) && members.has(blobPath(candidate.digest)));
  const host = hostPlatform();
  const ranked = here.map((candidate) => ({
    candidate,
    distance: candidate.platform === undefined ? 1000 : (platformDistance(host, candidate.platform) ?? 2000),
  }));
  const best = ranked.toSorted((a, b) => a.distance - b.distance)[0];
  if (best === undefined) throw invalidArchive(`no manifest of index ${index} is in it`, { index });
  return best.candidate;
}

export function missingBlob(digest: string): SlipwayError {
  return invalidArchive(`blob ${digest} is missing`, { digest });
}
