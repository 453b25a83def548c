/**
 * What was signed with a short-lived certificate for somebody's identity, held against a trusted root: authorities, logs and time stamps.
 * Sigstore's library verifies the bundle; whom it names, and what it says about which image, is judged here.
 */
import type { Bundle, SerializedBundle } from "@sigstore/bundle";
import type * as Library from "@sigstore/verify";
import type { SignedEntity, Signer, TrustMaterial, Verifier } from "@sigstore/verify";
import { SlipwayError } from "../../base/errors.ts";
import { parseJsonObject } from "../../oci/bounded-json.ts";
import { describeKey } from "../keys/index.ts";
import { parseBundle } from "../signatures/bundle.ts";
import { Refused, type Evidence } from "../signatures/evidence.ts";
import type { Claim, Expectation } from "../signatures/expectation.ts";
import type { IdentitySigner } from "../signatures/signer.ts";
import { hasCertificate } from "../signatures/simple-signing.ts";
import { attestationClaim, type VerifiedAttestation } from "../signatures/verify-attestation.ts";
import { bundleClaim, simpleClaim } from "../signatures/verify-signature.ts";
import { isOlderEntry, isOlderEntryGood, stampedEnvelope } from "./older-attestation.ts";
import { olderBundle } from "./older-form.ts";

/** Whole texts, or patterns for whole texts: both have to fit. */
export interface Identity {
  readonly identity: string | RegExp;
  readonly issuer: string | RegExp;
}

export interface KeylessTrust {
  readonly material: TrustedRootMaterial;
  readonly identities: readonly Identity[];
  /** how many entries of transparency logs, and of logs of certificates, a signature needs */
  readonly logEntries: 0 | 1;
  readonly certificateLogEntries: 0 | 1;
}

/** What readTrustedRoot() answers, for verifyKeyless() only: published types do not depend on the library's. */
export type TrustedRootMaterial = object;

const limits = { maxBytes: 4 << 20, maxDepth: 32 };

/** Reads a trusted root as sigstore's clients have it. Fails with TRUSTED_ROOT_INVALID (invalid_argument). */
export async function readTrustedRoot(json: Uint8Array, name: string): Promise<TrustedRootMaterial> {
  const [{ TrustedRoot }, { toTrustMaterial }] = await Promise.all([import("@sigstore/protobuf-specs"), import("@sigstore/verify")]);
  try {
    return toTrustMaterial(TrustedRoot.fromJSON(parseJsonObject(json, name, limits)));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SlipwayError("invalid_argument", "TRUSTED_ROOT_INVALID", `${name} is no trusted root: ${why}`, { name, bare: true }, error);
  }
}

/** Whether it was made with a certificate, as far as it says itself. Fails with INVALID_DOCUMENT. */
export function isKeyless(evidence: Evidence): boolean {
  if (evidence.kind === "bundle") return parseBundle(evidence.bytes).hasCertificate;
  return (evidence.kind === "simple-signing" || evidence.kind === "envelope") && hasCertificate(evidence.annotations);
}

/** Throws Refused, INVALID_DOCUMENT. */
export async function verifyKeyless(
  evidence: Evidence,
  trust: KeylessTrust,
  expected: Expectation,
): Promise<{ readonly signer: IdentitySigner; readonly claim: Claim }> {
  const { signer, content } = await verified(evidence, trust);
  if (content.$case === "messageSignature" && evidence.kind === "simple-signing") return { signer, claim: simpleClaim(evidence.bytes, expected) };
  return { signer, claim: bundleClaim(envelopeOf(content), expected) };
}

/** The same of an attestation. */
export async function verifyKeylessAttestation(
  evidence: Evidence,
  trust: KeylessTrust,
  expected: Expectation,
  predicateType: string | undefined,
): Promise<VerifiedAttestation> {
  const { signer, content } = await verified(evidence, trust);
  return attestationClaim({ ...envelopeOf(content), signer }, expected, predicateType);
}

type SignedEnvelope = Extract<Bundle["content"], { $case: "dsseEnvelope" }>["dsseEnvelope"];

function envelopeOf(content: Bundle["content"]): SignedEnvelope {
  if (content.$case !== "dsseEnvelope") throw new Refused("type", "it signs a file, not an image");
  return content.dsseEnvelope;
}

/** The evidence as a bundle. Bounds first: the library has none. */
function bundleOf(evidence: Evidence): SerializedBundle {
  switch (evidence.kind) {
    case "bundle":
      if (!isKeyless(evidence)) throw new Refused("signer", "it was made with a key, and none is trusted (--key)");
      return JSON.parse(Buffer.from(evidence.bytes).toString()) as SerializedBundle;
    case "simple-signing":
    case "envelope":
      return olderBundle(evidence);
    case "notation":
      throw new Refused("signer", "it was made with a certificate, and no authority is trusted (--ca)");
    case "unreadable":
      throw new Refused("unreadable", evidence.reason);
  }
}

async function verified(evidence: Evidence, trust: KeylessTrust): Promise<{ readonly content: Bundle["content"]; readonly signer: IdentitySigner }> {
  const serialized = bundleOf(evidence);
  const [{ bundleFromJSON }, library] = await Promise.all([import("@sigstore/bundle"), import("@sigstore/verify")]);
  const { content, signer } = attempt(() => {
    const bundle = bundleFromJSON(serialized);
    return { content: bundle.content, signer: verifiedSigner(library, bundle, evidence, trust) };
  });
  const name = signer.identity?.subjectAlternativeName ?? "";
  const issuer = signer.identity?.extensions?.issuer ?? "";
  if (!trust.identities.some((one) => fits(one.identity, name) && fits(one.issuer, issuer))) {
    throw new Refused("signer", `it was made by ${name === "" ? "nobody" : name}, as ${issuer === "" ? "nobody" : issuer} says`);
  }
  return { content, signer: { kind: "identity", name, issuer, description: describeKey(signer.key, name) } };
}

function verifiedSigner({ toSignedEntity, Verifier }: typeof Library, bundle: Bundle, evidence: Evidence, trust: KeylessTrust): Signer {
  const { logEntries: tlogThreshold, certificateLogEntries: ctlogThreshold } = trust;
  const material = trust.material as TrustMaterial;
  const thresholds = { tlogThreshold, ctlogThreshold, timestampThreshold: 1 };
  const verifier = new Verifier(material, thresholds);
  if (evidence.kind !== "envelope")
    return verifier.verify(toSignedEntity(bundle, evidence.kind === "simple-signing" ? Buffer.from(evidence.bytes) : undefined));
  const entity = toSignedEntity(bundle);
  const older = bundle.verificationMaterial.tlogEntries.filter(isOlderEntry);
  if (older.length === 0) return withEitherStamp(verifier, entity, evidence.bytes);
  const certificate =
    bundle.verificationMaterial.content.$case === "x509CertificateChain" ? bundle.verificationMaterial.content.x509CertificateChain.certificates[0] : undefined;
  const isGood = older.every((entry) => isOlderEntryGood(entry, evidence.bytes, certificate?.rawBytes ?? Buffer.alloc(0), material));
  if (!isGood) throw new Error("the log's entry could not be verified");
  return withEitherStamp(new Verifier(material, { ...thresholds, tlogThreshold: 0 }), { ...entity, tlogEntries: [] }, evidence.bytes);
}

/** cosign 3 has the signature of an attestation stamped, cosign 2 the whole envelope. */
function withEitherStamp(verifier: Verifier, entity: SignedEntity, envelope: Uint8Array): Signer {
  const isStamped = entity.timestamps.some(({ $case }) => $case === "timestamp-authority");
  try {
    return verifier.verify(entity);
  } catch (error) {
    if (!isStamped || !(error instanceof Error) || !("code" in error) || error.code !== "TIMESTAMP_ERROR") throw error;
    return verifier.verify(stampedEnvelope(entity, envelope));
  }
}

function attempt<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Refused("certificate", `it does not hold against the trusted root: ${reasonsOf(error).join(": ")}`);
  }
}

/** The library's first words are general: which certificate it was, and why, its causes say. */
function reasonsOf(error: unknown, depth = 0): readonly string[] {
  if (!(error instanceof Error)) return [String(error)];
  return error.cause === undefined || depth === 4 ? [error.message] : [error.message, ...reasonsOf(error.cause, depth + 1)];
}

function fits(wanted: string | RegExp, text: string): boolean {
  if (text === "") return false;
  return typeof wanted === "string" ? wanted === text : wanted.test(text);
}
