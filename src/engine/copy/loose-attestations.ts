/** `--attestations`: what BuildKit puts into an index about its images goes along there, as referrers of the images, or not at all. */
import { goJson } from "../../base/canonical-json.ts";
import { attestedManifest, isAttestation } from "../../oci/attestation.ts";
import { digestOf, type Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { parseManifestOrIndex } from "../../oci/parse-manifest.ts";
import type { Document } from "../transports/image-source.ts";
import type { CopyPlan } from "./copy-image.ts";

export type AttestationPlace = "index" | "referrers" | "none";

export interface LoosePlan extends CopyPlan {
  /** manifests with a subject, to be put when the images are there */
  readonly referrers: readonly Document[];
}

const artifactType = "application/vnd.docker.attestation.manifest.v1+json";

/** Of an index without attestations, and of a manifest, nothing changes. A lone image stands for itself then, unless the index says something of it. */
export function placeAttestations(plan: CopyPlan, place: AttestationPlace): LoosePlan {
  const root = plan.documents.at(-1);
  const parsed = root === undefined ? undefined : parseManifestOrIndex(root.bytes, root.descriptor.mediaType);
  if (place === "index" || root === undefined || parsed?.kind !== "index") return { ...plan, referrers: [] };
  const loose = parsed.index.manifests.filter(isAttestation);
  if (loose.length === 0) return { ...plan, referrers: [] };
  const left = parsed.index.manifests.filter((entry) => !isAttestation(entry));
  const isLoose = new Set<Digest>(loose.map(({ digest }) => digest));
  const documents = plan.documents.slice(0, -1).filter(({ descriptor }) => !isLoose.has(descriptor.digest));
  const [only, ...others] = left;
  const lone =
    others.length === 0 && parsed.index.annotations === undefined ? documents.find(({ descriptor }) => descriptor.digest === only?.digest) : undefined;
  const top = lone ?? withManifests(root, left);
  const referrers = place === "none" ? [] : loose.flatMap((entry) => referrerOf(plan, entry, left) ?? []);
  return { documents: [...documents.filter((document) => document !== lone), top], blobs: blobsOf(plan, [...documents, ...referrers]), referrers };
}

function withManifests({ bytes, descriptor }: Document, manifests: readonly Descriptor[]): Document {
  const fields = JSON.parse(Buffer.from(bytes).toString()) as { readonly manifests: readonly { readonly digest: string }[] };
  const kept = new Set<string>(manifests.map(({ digest }) => digest));
  return documentOf({ ...fields, manifests: fields.manifests.filter(({ digest }) => kept.has(digest)) }, descriptor.mediaType);
}

function documentOf(value: object, mediaType: string): Document {
  const bytes = Buffer.from(goJson(value));
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

/** undefined: it speaks of an image that the index does not have. */
function referrerOf({ documents }: CopyPlan, entry: Descriptor, images: readonly Descriptor[]): Document | undefined {
  const subject = images.find(({ digest }) => digest === attestedManifest(entry));
  const document = documents.find(({ descriptor }) => descriptor.digest === entry.digest);
  if (subject === undefined || document === undefined) return undefined;
  const { mediaType, digest, size } = subject;
  const fields = JSON.parse(Buffer.from(document.bytes).toString()) as object;
  return documentOf({ ...fields, artifactType, subject: { mediaType, digest, size } }, document.descriptor.mediaType);
}

function blobsOf({ blobs }: CopyPlan, documents: readonly Document[]): readonly Descriptor[] {
  const named = new Set<Digest>();
  for (const { bytes, descriptor } of documents) {
    const parsed = parseManifestOrIndex(bytes, descriptor.mediaType);
    if (parsed.kind === "manifest") for (const { digest } of [parsed.manifest.config, ...parsed.manifest.layers]) named.add(digest);
  }
  return blobs.filter(({ digest }) => named.has(digest));
}
