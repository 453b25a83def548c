/**
 * Bundles that were made with a short-lived certificate for somebody's identity, held against a trusted root: authorities, logs and time stamps.
 * Sigstore's library verifies the bundle; whom it names, and what it says about which image, is judged here.
 */
import type { Bundle } from "@sigstore/bundle";
import type { TrustMaterial } from "@sigstore/verify";
import { SlipwayError } from "../../base/errors.ts";
import { parseJsonObject } from "../../oci/bounded-json.ts";
import { describeKey } from "../keys/index.ts";
import { parseBundle } from "../signatures/bundle.ts";
import { Refused } from "../signatures/evidence.ts";
import type { Claim, Expectation } from "../signatures/expectation.ts";
import type { IdentitySigner } from "../signatures/signer.ts";
import { attestationClaim, type VerifiedAttestation } from "../signatures/verify-attestation.ts";
import { bundleClaim } from "../signatures/verify-signature.ts";

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
  const root = parseJsonObject(json, name, limits);
  try {
    return toTrustMaterial(TrustedRoot.fromJSON(root));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SlipwayError("invalid_argument", "TRUSTED_ROOT_INVALID", `${name} is no trusted root: ${why}`, { name, bare: true }, error);
  }
}

/** Throws Refused, INVALID_DOCUMENT. */
export async function verifyKeyless(
  bytes: Uint8Array,
  trust: KeylessTrust,
  expected: Expectation,
): Promise<{ readonly signer: IdentitySigner; readonly claim: Claim }> {
  const { signer, envelope } = await verifiedEnvelope(bytes, trust);
  return { signer, claim: bundleClaim(envelope, expected) };
}

/** The same of an attestation. */
export async function verifyKeylessAttestation(
  bytes: Uint8Array,
  trust: KeylessTrust,
  expected: Expectation,
  predicateType: string | undefined,
): Promise<VerifiedAttestation> {
  const { signer, envelope } = await verifiedEnvelope(bytes, trust);
  return attestationClaim({ ...envelope, signer }, expected, predicateType);
}

type SignedEnvelope = Extract<Bundle["content"], { $case: "dsseEnvelope" }>["dsseEnvelope"];

async function verifiedEnvelope(bytes: Uint8Array, trust: KeylessTrust): Promise<{ readonly signer: IdentitySigner; readonly envelope: SignedEnvelope }> {
  // bounds first: the library has none
  const { hasCertificate } = parseBundle(bytes);
  if (!hasCertificate) throw new Refused("signer", "it was made with a key, and none is trusted (--key)");
  const { bundle, signer } = await verified(bytes, trust);
  if (bundle.content.$case !== "dsseEnvelope") throw new Refused("type", "it signs a file, not an image");
  return { signer, envelope: bundle.content.dsseEnvelope };
}

async function verified(bytes: Uint8Array, trust: KeylessTrust): Promise<{ readonly bundle: Bundle; readonly signer: IdentitySigner }> {
  const [{ bundleFromJSON }, { toSignedEntity, Verifier }] = await Promise.all([import("@sigstore/bundle"), import("@sigstore/verify")]);
  const { logEntries: tlogThreshold, certificateLogEntries: ctlogThreshold } = trust;
  const verifier = new Verifier(trust.material as TrustMaterial, { tlogThreshold, ctlogThreshold, timestampThreshold: 1 });
  const { bundle, signer } = attempt(() => {
    const parsed = bundleFromJSON(JSON.parse(Buffer.from(bytes).toString()));
    return { bundle: parsed, signer: verifier.verify(toSignedEntity(parsed)) };
  });
  const name = signer.identity?.subjectAlternativeName ?? "";
  const issuer = signer.identity?.extensions?.issuer ?? "";
  if (!trust.identities.some((one) => fits(one.identity, name) && fits(one.issuer, issuer))) {
    throw new Refused("signer", `it was made by ${name === "" ? "nobody" : name}, as ${issuer === "" ? "nobody" : issuer} says`);
  }
  return { bundle, signer: { kind: "identity", name, issuer, description: describeKey(signer.key, name) } };
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
