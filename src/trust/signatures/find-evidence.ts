/**
 * Gathers what a repository holds about an image: bundles, cosign's tags, notation's signatures. Whoever may write to the repository can put
 * anything there, so everything has a bound, and nothing that is found is believed here.
 */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor, Manifest } from "../../oci/manifest.ts";
import { parseManifest } from "../../oci/parse-manifest.ts";
import type { Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { isBundleMediaType } from "./bundle.ts";
import type { Evidence, EvidenceFormat } from "./evidence.ts";
import { cosignTag, envelopeMediaType, envelopePredicateAnnotation, mayBeSignature, predicateAnnotation, referrerKind } from "./layout.ts";
import { simpleSigningMediaType } from "./simple-signing.ts";
import { signaturePredicateType } from "./statement.ts";

/** more signatures on one image are not looked at */
const maxEvidence = 200;
/** manifests that may be signatures, by the list's words, of which that many are fetched */
const maxLooked = 2 * maxEvidence;
/** a signature is a few kilobytes */
const maxSignatureBytes = 4 << 20;
/** an attestation may hold an SBOM */
const maxAttestationBytes = 64 << 20;
/** of all that is read for one image; what is small does not count, so that nothing large can stand before it */
const maxTogetherBytes: Readonly<Record<EvidenceQuery["wanted"], number>> = { signatures: 64 << 20, attestations: 512 << 20 };

export interface EvidenceQuery {
  readonly client: Pick<RegistryClient, "resolve" | "fetchManifest" | "openBlob" | "listReferrers">;
  /** whose repository is looked into */
  readonly reference: Reference;
  readonly digest: Digest;
  readonly wanted: "signatures" | "attestations";
  /** told of what was left unread, and why, in words that go on after the image's name */
  readonly onUnread: (why: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const smallBytes = 64 << 10;

interface Reading extends EvidenceQuery {
  /** how many bytes may still be read */
  readonly budget: { bytes: number };
}

/** In no order that means anything; under the tag and in the list of referrers `maxEvidence` are looked at, each. */
export async function* findEvidence(asked: EvidenceQuery): AsyncGenerator<Evidence, void> {
  const query: Reading = { ...asked, budget: { bytes: maxTogetherBytes[asked.wanted] } };
  const suffix = query.wanted === "signatures" ? "sig" : "att";
  const tag = cosignTag(query.digest, suffix);
  yield* bounded(query, `under the tag ${tag}`, tagged(query, tag));
  yield* bounded(query, "in the list of referrers", referrers(query));
}

async function* bounded({ onUnread }: EvidenceQuery, where: string, found: AsyncIterable<Evidence>): AsyncGenerator<Evidence, void> {
  let count = 0;
  for await (const evidence of found) {
    if (++count > maxEvidence) return onUnread(`there are more than ${maxEvidence} ${where}`);
    yield evidence;
  }
}

async function* tagged(query: Reading, tag: string): AsyncGenerator<Evidence, void> {
  const found = await manifestAt(query, { ...repositoryOf(query.reference), tag });
  if (found !== undefined) yield* cosignLayers(query, "tag", found.digest, found.manifest);
}

function repositoryOf({ domain, path }: Reference): Reference {
  return { domain, path };
}

interface Found {
  readonly digest: Digest;
  readonly manifest: Manifest;
}

/** undefined where there is none, or none that can be read. */
async function manifestAt({ client, signal, onUnread }: EvidenceQuery, reference: Reference): Promise<Found | undefined> {
  try {
    const { bytes, descriptor } = await client.resolve(reference, { signal });
    return { digest: descriptor.digest, manifest: parseManifest(bytes, descriptor.mediaType) };
  } catch (error) {
    if (isSlipwayError(error) && error.kind === "not_found") return undefined;
    if (!isDamaged(error)) throw error;
    onUnread(`the tag ${reference.tag} cannot be read: ${error.message}`);
    return undefined;
  }
}

async function* referrers(query: Reading): AsyncGenerator<Evidence, void> {
  const { client, reference, digest, onUnread, signal } = query;
  const all = await client.listReferrers(reference, digest, { signal, onUnread: ({ message }) => onUnread(message) });
  const candidates = all.filter((entry) => mayBeSignature(entry.artifactType) && isWanted(query, entry));
  const listed = [...new Map(candidates.map((entry) => [entry.digest, entry])).values()];
  for (const entry of listed.slice(0, maxLooked)) {
    const found = await referrerAt(query, entry);
    if ("kind" in found) yield found;
    else yield* referrerEvidence(query, found);
  }
  if (listed.length > maxLooked) onUnread(`the list of referrers has more than ${maxLooked} that may be some`);
}

/** Annotations of the entry are a hint: they spare the reading of what says itself that it is something else. */
function isWanted({ wanted }: EvidenceQuery, { annotations }: { readonly annotations?: Readonly<Record<string, string>> }): boolean {
  const predicateType = annotations?.[predicateAnnotation];
  return predicateType === undefined || (predicateType === signaturePredicateType) === (wanted === "signatures");
}

async function referrerAt(query: EvidenceQuery, entry: Descriptor): Promise<Found | Evidence> {
  return await attempt("bundle", entry.digest, entry.digest, async () => {
    const { bytes, descriptor } = await query.client.fetchManifest(query.reference, entry.digest, { signal: query.signal });
    return { digest: entry.digest, manifest: parseManifest(bytes, descriptor.mediaType) };
  });
}

async function* referrerEvidence(query: Reading, { digest, manifest }: Found): AsyncGenerator<Evidence, void> {
  const kind = referrerKind(manifest);
  // the list may name what refers to something else
  if (kind === undefined || manifest.subject?.digest !== query.digest || !isWanted(query, manifest)) return;
  if (kind === "cosign") yield* cosignLayers(query, "referrer", digest, manifest);
  const [layer] = manifest.layers;
  if (kind === "bundle" && layer !== undefined && isBundleMediaType(layer.mediaType)) {
    yield await evidenceOf(query, "bundle", digest, layer, (bytes) => ({ kind: "bundle", bytes }));
  }
  if (kind === "notation" && layer !== undefined && query.wanted === "signatures") {
    const { mediaType } = layer;
    yield await evidenceOf(query, "notation", digest, layer, (bytes) => ({ kind: "notation", mediaType, bytes, annotations: manifest.annotations ?? {} }));
  }
}

async function* cosignLayers(query: Reading, format: "tag" | "referrer", digest: Digest, manifest: Manifest): AsyncGenerator<Evidence, void> {
  const [kind, wantedType] = query.wanted === "signatures" ? (["simple-signing", simpleSigningMediaType] as const) : (["envelope", envelopeMediaType] as const);
  for (const layer of manifest.layers.filter(({ mediaType }) => mediaType === wantedType)) {
    const { annotations = {} } = layer;
    if (annotations[envelopePredicateAnnotation] === signaturePredicateType) continue;
    yield await evidenceOf(query, format, digest, layer, (bytes) => ({ kind, bytes, annotations }));
  }
}

type Content = Evidence extends infer E ? (E extends Evidence ? Omit<E, "format" | "manifest" | "blob"> : never) : never;

async function evidenceOf(
  query: Reading,
  format: EvidenceFormat,
  manifest: Digest,
  layer: Descriptor,
  content: (bytes: Uint8Array) => Content,
): Promise<Evidence> {
  return await attempt(format, manifest, layer.digest, async () => {
    const bytes = await readBounded(query, layer);
    return { ...content(bytes), format, manifest, blob: layer.digest } as Evidence;
  });
}

async function readBounded({ client, reference, wanted, budget, signal }: Reading, layer: Descriptor): Promise<Buffer> {
  const limit = wanted === "signatures" ? maxSignatureBytes : maxAttestationBytes;
  if (layer.size > limit) {
    throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `it is ${layer.size} bytes: at most ${limit} are read`, { size: layer.size, limit });
  }
  const counted = layer.size > smallBytes ? layer.size : 0;
  if (counted > budget.bytes) {
    const limit = maxTogetherBytes[wanted];
    throw new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `it is ${layer.size} bytes, and of all together at most ${limit} are read`, {
      size: layer.size,
      limit,
    });
  }
  budget.bytes -= counted;
  const chunks: Uint8Array[] = [];
  for await (const chunk of client.openBlob(reference, layer, signal === undefined ? {} : { signal })) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What is damaged or absent is told of; that the registry cannot be reached is a failure of all. */
async function attempt<T>(format: EvidenceFormat, manifest: Digest, blob: Digest, read: () => Promise<T>): Promise<T | Evidence> {
  try {
    return await read();
  } catch (error) {
    if (!isDamaged(error)) throw error;
    return { kind: "unreadable", format, manifest, blob, reason: error.message };
  }
}

const damaged: ReadonlySet<string> = new Set(["invalid_argument", "not_found", "resource_exhausted", "data_loss", "unsupported"]);

function isDamaged(error: unknown): error is SlipwayError {
  return isSlipwayError(error) && damaged.has(error.kind) && error.code !== "TOO_MANY_REQUESTS";
}
