/** What refers to an image goes along with it: referrers, and the tags by which cosign keeps signatures, attestations and SBOMs. */
import { SlipwayError, isSlipwayError } from "../../base/errors.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { Descriptor, Manifest } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import type { Document } from "../transports/image-source.ts";
import { copyBlobs, planDocument, type CopyRequest } from "./copy-image.ts";

export interface ReferrersRequest extends Omit<CopyRequest, "platform"> {
  readonly client: RegistryClient;
  /** who is somebody at the target */
  readonly targetClient: RegistryClient;
  readonly from: Reference;
}

const maxDepth = 4;
const cosignTags = ["sig", "att", "sbom"] as const;

/** Of the images and of what refers to them in turn. The target's own referrers stay. */
export async function copyReferrers(request: ReferrersRequest, subjects: readonly Digest[]): Promise<void> {
  const seen = new Set<Digest>(subjects);
  let current = subjects;
  for (let depth = 0; depth < maxDepth && current.length > 0; depth++) {
    const next: Digest[] = [];
    for (const subject of current) {
      for (const { digest } of await request.client.listReferrers(request.from, subject, callOf(request))) {
        if (seen.has(digest)) continue;
        seen.add(digest);
        await copyReferrer(request, digest);
        next.push(digest);
      }
      await copyCosignTags(request, subject);
    }
    current = next;
  }
}

function callOf({ signal }: Pick<CopyRequest, "signal">): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function copyReferrer(request: ReferrersRequest, digest: Digest): Promise<void> {
  const { source, target, signal, emit } = request;
  if (target.putReferrer === undefined) throw unsupported(target.name);
  const document = await source.document(digest, signal);
  const { documents, blobs } = await planDocument(source, document, signal);
  await copyBlobs(request, blobs);
  for (const each of documents.slice(0, -1)) await target.putDocument(each, signal);
  await target.putReferrer(document, signal);
  emit({ kind: "referrer", digest, status: "written", currentBytes: document.bytes.length, sizeBytes: document.bytes.length });
}

export function unsupported(place: string, why = "referrers can be copied from registry to registry only"): SlipwayError {
  return new SlipwayError("unsupported", "TARGET_UNSUPPORTED", `${place}: ${why}`, { place, bare: true });
}

async function copyCosignTags(request: ReferrersRequest, subject: Digest): Promise<void> {
  for (const kind of cosignTags) {
    const tag = `${subject.replace(":", "-")}.${kind}`;
    const document = await resolveTag(request, request.client, request.from, tag);
    if (document !== undefined) await copyCosignTag(request, tag, document);
  }
}

async function resolveTag(request: ReferrersRequest, client: RegistryClient, { domain, path }: Reference, tag: string): Promise<Document | undefined> {
  try {
    return await client.resolve({ domain, path, tag }, callOf(request));
  } catch (error) {
    if (isSlipwayError(error) && error.kind === "not_found") return undefined;
    throw error;
  }
}

/** A tag that the target has keeps its layers: each is a signature of its own, and those that it lacks are added. */
async function copyCosignTag(request: ReferrersRequest, tag: string, document: Document): Promise<void> {
  const { targetClient, source, target, signal, emit } = request;
  if (target.reference === undefined) throw unsupported(target.name);
  const { blobs } = await planDocument(source, document, signal);
  await copyBlobs(request, blobs);
  const there = await resolveTag(request, targetClient, target.reference, tag);
  const bytes = there === undefined ? document.bytes : mergedSignatures(there, document);
  const { domain, path } = target.reference;
  const { mediaType } = (there ?? document).descriptor;
  if (there === undefined || digestOf(bytes) !== there.descriptor.digest)
    await targetClient.pushManifest({ domain, path, tag }, { mediaType, bytes }, callOf(request));
  emit({ kind: "referrer", digest: digestOf(bytes), status: "written", currentBytes: bytes.length, sizeBytes: bytes.length });
}

function manifestOf({ bytes, descriptor }: Document): Manifest | undefined {
  const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
  return parsed.kind === "manifest" ? parsed.manifest : undefined;
}

function mergedSignatures(there: Document, added: Document): Uint8Array {
  const [old, own] = [manifestOf(there), manifestOf(added)];
  if (old === undefined || own === undefined) return there.bytes;
  const keyOf = ({ digest, annotations = {} }: Descriptor): string =>
    JSON.stringify([digest, Object.entries(annotations).toSorted(([a], [b]) => (a < b ? -1 : 1))]);
  const known = new Set(old.layers.map(keyOf));
  const missing = own.layers.filter((layer) => !known.has(keyOf(layer)));
  if (missing.length === 0) return there.bytes;
  const raw = JSON.parse(Buffer.from(there.bytes).toString()) as Record<string, unknown>;
  return Buffer.from(JSON.stringify({ ...raw, layers: [...(raw["layers"] as readonly unknown[]), ...missing] }));
}
