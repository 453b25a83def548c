/** Holds one signature against public keys and against what it has to say. First who, then what: nothing unsigned is believed. */
import { parseBundle } from "./bundle.ts";
import { Refused, type Evidence } from "./evidence.ts";
import { checkAnnotations, checkReference, checkSubjects, type Claim, type Expectation } from "./expectation.ts";
import { envelopeKey, keySigner, noKey, type NamedKey, type Signer } from "./signer.ts";
import { hasCertificate, parseSimpleSigning, signatureAnnotation } from "./simple-signing.ts";
import { parseStatement, signaturePredicateType, statementPayloadType } from "./statement.ts";

export interface VerifiedClaim {
  readonly signer: Signer;
  readonly claim: Claim;
}

/** Throws Refused, INVALID_DOCUMENT or DOCUMENT_TOO_LARGE. */
export function verifyWithKeys(evidence: Evidence, keys: readonly NamedKey[], expected: Expectation): VerifiedClaim {
  switch (evidence.kind) {
    case "bundle":
      return verifyBundle(evidence.bytes, keys, expected);
    case "simple-signing":
      return verifySimpleSigning(evidence.bytes, evidence.annotations, keys, expected);
    case "notation":
      throw new Refused("signer", "it is notation's, which is verified with certificates, not with a key");
    case "envelope":
      throw new Refused("type", "it is an attestation");
    case "unreadable":
      throw new Refused("unreadable", evidence.reason);
  }
}

function verifyBundle(bytes: Uint8Array, keys: readonly NamedKey[], expected: Expectation): VerifiedClaim {
  const { envelope, keyHint, hasCertificate } = parseBundle(bytes);
  if (hasCertificate && keyHint === undefined) {
    throw byIdentity();
  }
  const key = envelopeKey(keys, envelope, keyHint);
  return { signer: keySigner(key), claim: bundleClaim(envelope, expected) };
}

/** Why a key is of no use. */
function byIdentity(): Refused {
  return new Refused("signer", "it was made with a certificate: verify it by --identity and --issuer");
}

/** What a signature's envelope says, when it is known who made it. Throws Refused. */
export function bundleClaim({ payloadType, payload }: { readonly payloadType: string; readonly payload: Uint8Array }, expected: Expectation): Claim {
  if (payloadType !== statementPayloadType) throw new Refused("type", `its payload is ${payloadType}`);
  const statement = parseStatement(payload);
  if (statement.predicateType !== signaturePredicateType) throw new Refused("type", `it is an attestation of type ${statement.predicateType}`);
  const subject = checkSubjects(expected, statement);
  checkAnnotations(expected, subject.annotations);
  return { reference: subject.name === "" ? undefined : subject.name, annotations: subject.annotations };
}

function verifySimpleSigning(
  payload: Uint8Array,
  annotations: Readonly<Record<string, string>>,
  keys: readonly NamedKey[],
  expected: Expectation,
): VerifiedClaim {
  const bytes = Buffer.from(annotations[signatureAnnotation] ?? "", "base64");
  const key = keys.find((one) => one.verify(payload, bytes));
  if (key === undefined) throw hasCertificate(annotations) ? byIdentity() : noKey(keys);
  return { signer: keySigner(key), claim: simpleClaim(payload, expected) };
}

/** What the payload says, when it is known who signed it. Throws Refused. */
export function simpleClaim(payload: Uint8Array, expected: Expectation): Claim {
  const { reference, digest, annotations } = parseSimpleSigning(payload);
  if (digest !== expected.digest) throw new Refused("subject", `it is about ${digest === "" ? "nothing" : digest}`);
  checkReference(expected, reference);
  checkAnnotations(expected, annotations);
  return { reference, annotations };
}
