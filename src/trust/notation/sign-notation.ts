/** Signs one manifest as notation does. What the certificate's key has signed already, with the same words, is left as it is. */
import type { X509Certificate } from "node:crypto";
import { canonicalJson } from "../../base/canonical-json.ts";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { repositoryName } from "../../oci/reference.ts";
import { parsePem, type SigningKey } from "../keys/index.ts";
import { Refused } from "../signatures/evidence.ts";
import { findEvidence } from "../signatures/find-evidence.ts";
import { notationArtifactType } from "../signatures/layout.ts";
import type { SignRequest, WrittenSignature } from "../signatures/sign-image.ts";
import { attachManifest, pushBytes, rfc3339, type EvidenceTarget } from "../signatures/write-evidence.ts";
import { algorithmOf, signBytes } from "./algorithm.ts";
import { checkChain, nameOf, parseChain, thumbprint } from "./chain.ts";
import { formatCose, parseCose } from "./cose.ts";
import { formatJws, parseJws } from "./jws.ts";
import { stampSignature } from "./stamp-signature.ts";
import { coseMediaType, jwsMediaType, verifyNotation } from "./verify-notation.ts";

export type NotationFormat = "jws" | "cose";

const envelopes = {
  jws: { mediaType: jwsMediaType, format: formatJws, parse: parseJws },
  cose: { mediaType: coseMediaType, format: formatCose, parse: parseCose },
} as const;
const thumbprintAnnotation = "io.cncf.notary.x509chain.thumbprint#S256";

export interface NotationRequest extends Omit<SignRequest, "formats"> {
  /** the leaf first, the root last */
  readonly chain: readonly X509Certificate[];
  readonly formats: readonly NotationFormat[];
  /** an authority that stamps the signature, so that it counts when the certificate has expired */
  readonly timestampUrl?: string | undefined;
}

/** Fails with CERTIFICATE_INVALID (invalid_argument), before anything is asked of a registry, unless the chain is whole, valid and the key's. */
export async function readSigningChain(pem: string, name: string, key: SigningKey, now: Date): Promise<readonly X509Certificate[]> {
  try {
    const ders = parsePem(pem, name).filter(({ label }) => label === "CERTIFICATE");
    const chain = parseChain(ders.map(({ bytes }) => bytes));
    const leaf = await checkChain(chain, now);
    if (!leaf.publicKey.equals(key.publicKey)) throw new Refused("certificate", `${nameOf(leaf)} is not the certificate of the key`);
    algorithmOf(leaf.publicKey, nameOf(leaf));
    return chain;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new SlipwayError("invalid_argument", "CERTIFICATE_INVALID", `${name} cannot sign images: ${error.message}`, { name, bare: true }, error);
  }
}

export async function signNotation(request: NotationRequest): Promise<readonly WrittenSignature[]> {
  const existing = await ownSignatures(request);
  const written: WrittenSignature[] = [];
  for (const format of request.formats) {
    const found = existing.get(envelopes[format].mediaType);
    written.push({ format, manifest: found ?? (await write(request, format)), existed: found !== undefined });
  }
  return written;
}

async function write(request: NotationRequest, format: NotationFormat): Promise<Digest> {
  const { client, place, subject, key, chain, annotations, timestampUrl, now, signal } = request;
  const { mediaType, digest, size } = subject;
  const noted = Object.keys(annotations).length === 0 ? {} : { annotations };
  const algorithm = algorithmOf(key.publicKey, "the key");
  const envelope = await envelopes[format].format({
    payload: Buffer.from(JSON.stringify({ targetArtifact: { mediaType, digest, size, ...noted } })),
    certificates: chain.map(({ raw }) => raw),
    algorithm,
    signingTime: now,
    sign: (bytes) => signBytes(algorithm, bytes, key.privateKey),
    stamp: timestampUrl === undefined ? undefined : async (signature) => await stampSignature(timestampUrl, signature, signal),
  });
  const target: EvidenceTarget = { client, repository: place, signal };
  return await attachManifest(target, {
    config: await pushBytes(target, notationArtifactType, Buffer.from("{}")),
    layers: [await pushBytes(target, envelopes[format].mediaType, envelope)],
    subject,
    annotations: { [thumbprintAnnotation]: JSON.stringify(chain.map(thumbprint)), "org.opencontainers.image.created": rfc3339(now) },
  });
}

/** The manifests that hold what would be signed, by the envelope's media type. */
async function ownSignatures({
  client,
  reference,
  place,
  subject,
  chain,
  annotations,
  timestampUrl,
  now,
  signal,
}: NotationRequest): Promise<ReadonlyMap<string, Digest>> {
  const found = new Map<string, Digest>();
  const [leaf] = chain;
  const expected = { digest: subject.digest, repositories: [repositoryName(reference)], annotations };
  // what is not found again is signed once more
  const onUnread = (): void => undefined;
  for await (const evidence of findEvidence({ client, reference: place, digest: subject.digest, wanted: "signatures", onUnread, signal })) {
    if (evidence.kind !== "notation" || leaf === undefined) continue;
    const verified = await verifyNotation(evidence, { anchors: [leaf], subjects: [], now, timestampAnchors: [] }, expected).catch(refusedOnly);
    const isSame = canonicalJson(verified?.claim.annotations) === canonicalJson(annotations);
    if (isSame && (timestampUrl === undefined || isStamped(evidence))) found.set(evidence.mediaType, evidence.manifest);
  }
  return found;
}

function isStamped({ mediaType, bytes }: { readonly mediaType: string; readonly bytes: Uint8Array }): boolean {
  const { parse } = mediaType === coseMediaType ? envelopes.cose : envelopes.jws;
  return parse(bytes).timeStamp !== undefined;
}

function refusedOnly(error: unknown): undefined {
  if (error instanceof Refused || isSlipwayError(error)) return undefined;
  throw error;
}
