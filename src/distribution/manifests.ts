/** Manifests, indexes and who refers to them. @see distribution-spec, "Pushing manifests", "Listing referrers" */
import { createHash } from "node:crypto";
import { isSlipwayError, type ErrorKind } from "../base/errors.ts";
import { algorithmOf, digestOf, type Digest } from "../oci/digest.ts";
import { isNondistributable, mediaTypes, type Descriptor } from "../oci/manifest.ts";
import { maxDocumentBytes, parseManifestOrIndex, type ManifestOrIndex } from "../oci/parse-manifest.ts";
import { empty, json, refuse, type Answer, type DistributionRequest } from "./answer.ts";
import { isUnchanged } from "./blobs.ts";
import { deleteWithContent } from "./delete-manifest.ts";
import type { ManifestName } from "./route.ts";
import type { DistributionStorage, Referral, StoredManifest } from "./storage.ts";

const manifestUnknown = (name: string): Answer => refuse(404, "MANIFEST_UNKNOWN", "manifest unknown", { name });
const nameOf = (name: ManifestName): string => ("tag" in name ? name.tag : name.digest);

async function digestNamed(storage: DistributionStorage, repository: string, name: ManifestName): Promise<Digest | undefined> {
  return "digest" in name ? name.digest : storage.resolveTag(repository, name.tag);
}

/** Whether the client takes this media type; most say nothing or a wildcard, and old ones get what there is. */
function isAccepted(accept: string | undefined, mediaType: string): boolean {
  const accepted = (accept ?? "").split(",").map((part) => part.split(";")[0]?.trim() ?? "");
  return accept === undefined || accepted.some((one) => one === mediaType || one === "*/*" || one === "application/*" || one === "");
}

export async function getManifest(storage: DistributionStorage, request: DistributionRequest, repository: string, name: ManifestName): Promise<Answer> {
  const digest = await digestNamed(storage, repository, name);
  const found = digest === undefined ? undefined : await storage.manifest(repository, digest);
  if (digest === undefined || found === undefined) return manifestUnknown(nameOf(name));
  const headers = { "docker-content-digest": digest, etag: `"${digest}"`, "content-type": found.mediaType, "content-length": String(found.bytes.length) };
  if (isUnchanged(request, digest)) return { status: 304, headers: { etag: headers.etag, "docker-content-digest": digest } };
  if (!isAccepted(request.headers["accept"], found.mediaType)) {
    return refuse(404, "MANIFEST_UNKNOWN", `manifest is of the media type ${found.mediaType}, which the request does not accept`, { name: nameOf(name) });
  }
  return { status: 200, headers, body: found.bytes };
}

async function readDocument(request: DistributionRequest): Promise<Buffer | Answer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > maxDocumentBytes) return refuse(413, "SIZE_INVALID", `a manifest may have at most ${maxDocumentBytes} bytes`, { limit: maxDocumentBytes });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parse(bytes: Buffer, contentType: string | undefined): ManifestOrIndex | Answer {
  const declared = contentType?.split(";")[0]?.trim();
  try {
    const parsed = parseManifestOrIndex(bytes, declared);
    if (declared !== undefined && declared !== parsed.mediaType) {
      return refuse(400, "MANIFEST_INVALID", `Content-Type is ${declared}, the manifest says ${parsed.mediaType}`);
    }
    return parsed;
  } catch (error) {
    if (isSlipwayError(error)) return refuse(400, "MANIFEST_INVALID", error.message);
    throw error;
  }
}

/** Layers that lie elsewhere by design: nobody pushes them. */
function isForeign({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 || isNondistributable(mediaType);
}

async function missingReferences(storage: DistributionStorage, repository: string, parsed: ManifestOrIndex): Promise<readonly Digest[]> {
  const missing: Digest[] = [];
  if (parsed.kind === "index") {
    for (const { digest } of parsed.index.manifests) if ((await storage.manifest(repository, digest)) === undefined) missing.push(digest);
    return missing;
  }
  const { config, layers } = parsed.manifest;
  for (const one of [config, ...layers.filter((layer) => !isForeign(layer))]) {
    if ((await storage.blobSize(repository, one.digest)) !== one.size) missing.push(one.digest);
  }
  return missing;
}

function referralOf(parsed: ManifestOrIndex, manifest: StoredManifest): Referral | undefined {
  const document = parsed.kind === "index" ? parsed.index : parsed.manifest;
  if (document.subject === undefined) return undefined;
  const artifactType = document.artifactType ?? (parsed.kind === "manifest" ? parsed.manifest.config.mediaType : undefined);
  const descriptor: Descriptor = {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.bytes.length,
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(document.annotations === undefined ? {} : { annotations: document.annotations }),
  };
  return { subject: document.subject.digest, descriptor };
}

const refusedKinds: readonly ErrorKind[] = ["invalid_argument", "data_loss", "unsupported", "not_found"];

export interface ManifestLimits {
  readonly immutableTags: boolean;
  readonly referrers: boolean;
}

export async function putManifest(
  storage: DistributionStorage,
  request: DistributionRequest,
  repository: string,
  name: ManifestName,
  limits: ManifestLimits,
): Promise<Answer> {
  const bytes = await readDocument(request);
  if ("status" in bytes) return bytes;
  const digest =
    "digest" in name && algorithmOf(name.digest) === "sha512" ? (`sha512:${createHash("sha512").update(bytes).digest("hex")}` as Digest) : digestOf(bytes);
  if ("digest" in name && name.digest !== digest) return refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  const parsed = parse(bytes, request.headers["content-type"]);
  if ("status" in parsed) return parsed;
  const missing = await missingReferences(storage, repository, parsed);
  const unknown = parsed.kind === "index" ? "manifest references a manifest unknown to registry" : "blob unknown to registry";
  if (missing.length > 0) return refuse(400, "MANIFEST_BLOB_UNKNOWN", unknown, { digest: missing[0] });
  const tag = "tag" in name ? name.tag : undefined;
  const present = tag === undefined ? undefined : await storage.resolveTag(repository, tag);
  if (limits.immutableTags && present !== undefined && present !== digest) return refuse(409, "DENIED", `tag ${tag ?? ""} is immutable`, { tag });
  const manifest = { digest, mediaType: parsed.mediaType, bytes };
  const referral = referralOf(parsed, manifest);
  try {
    await storage.putManifest(repository, manifest, tag, referral);
  } catch (error) {
    // a storage may look into what it is given
    if (isSlipwayError(error) && refusedKinds.includes(error.kind)) return refuse(400, "MANIFEST_INVALID", error.message);
    throw error;
  }
  const subject: Record<string, string> = referral === undefined || !limits.referrers ? {} : { "oci-subject": referral.subject };
  return empty(201, { location: `/v2/${repository}/manifests/${digest}`, "docker-content-digest": digest, ...subject });
}

export async function deleteManifest(storage: DistributionStorage, repository: string, name: ManifestName): Promise<Answer> {
  const deleted = "tag" in name ? await storage.deleteTag(repository, name.tag) : await deleteWithContent(storage, repository, name.digest);
  return deleted ? empty(202) : manifestUnknown(nameOf(name));
}

export async function listReferrers(storage: DistributionStorage, request: DistributionRequest, repository: string, subject: Digest): Promise<Answer> {
  const all = await storage.referrers(repository, subject);
  const artifactType = request.query.get("artifactType");
  const manifests = artifactType === null ? all : all.filter((one) => one.artifactType === artifactType);
  const filtered: Record<string, string> = artifactType === null ? {} : { "oci-filters-applied": "artifactType" };
  return json(200, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }, { "content-type": mediaTypes.ociIndex, ...filtered });
}
