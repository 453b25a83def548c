/** Holds one attestation against public keys, the image and the type that is asked for. */
import { Fields, parseJsonObject, type JsonObject } from "../../oci/bounded-json.ts";
import { parseBundle } from "./bundle.ts";
import { parseEnvelope, type Envelope } from "./dsse.ts";
import { Refused, type Evidence } from "./evidence.ts";
import { checkSubjects, type Expectation } from "./expectation.ts";
import { envelopeKey, keySigner, type NamedKey, type Signer } from "./signer.ts";
import { parseStatement, signaturePredicateType, statementPayloadType } from "./statement.ts";

export interface VerifiedAttestation {
  readonly signer: Signer;
  /** the repository that it was made for; undefined where it says none */
  readonly reference: string | undefined;
  readonly predicateType: string;
  readonly predicate: JsonObject | string;
}

export interface FoundEnvelope {
  readonly envelope: Envelope;
  readonly keyHint: string | undefined;
}

const maxEnvelopeDepth = 16;

/** The envelope as it is, of which nothing is to be believed. Throws Refused, INVALID_DOCUMENT. */
export function envelopeIn(evidence: Evidence): FoundEnvelope {
  switch (evidence.kind) {
    case "bundle": {
      const { envelope, keyHint } = parseBundle(evidence.bytes);
      return { envelope, keyHint };
    }
    case "envelope": {
      const limits = { maxBytes: evidence.bytes.length, maxDepth: maxEnvelopeDepth };
      return { envelope: parseEnvelope(new Fields(parseJsonObject(evidence.bytes, "envelope", limits), "envelope")), keyHint: undefined };
    }
    case "unreadable":
      throw new Refused("unreadable", evidence.reason);
    default:
      throw new Refused("type", "it is a signature");
  }
}

/** The payload that one of the keys signed. Throws Refused, INVALID_DOCUMENT. */
export function signedPayload(evidence: Evidence, keys: readonly NamedKey[]): { readonly payload: Buffer; readonly signer: Signer } {
  const { envelope, keyHint } = envelopeIn(evidence);
  const signer = keySigner(envelopeKey(keys, envelope, keyHint));
  if (envelope.payloadType !== statementPayloadType) throw new Refused("type", `its payload is ${envelope.payloadType}`);
  return { payload: envelope.payload, signer };
}

/** Without `predicateType` one of any type, but no signature. Throws Refused, INVALID_DOCUMENT. */
export function verifyAttestation(
  evidence: Evidence,
  keys: readonly NamedKey[],
  expected: Expectation,
  predicateType: string | undefined,
): VerifiedAttestation {
  return attestationClaim({ ...signedPayload(evidence, keys), payloadType: statementPayloadType }, expected, predicateType);
}

/** What a statement says of which it is known who signed it. Throws Refused, INVALID_DOCUMENT. */
export function attestationClaim(
  { payload, payloadType, signer }: { readonly payload: Buffer; readonly payloadType: string; readonly signer: Signer },
  expected: Expectation,
  predicateType: string | undefined,
): VerifiedAttestation {
  if (payloadType !== statementPayloadType) throw new Refused("type", `its payload is ${payloadType}`);
  const statement = parseStatement(payload);
  const isWanted = predicateType === undefined ? statement.predicateType !== signaturePredicateType : statement.predicateType === predicateType;
  if (!isWanted) throw new Refused("type", `it is of type ${statement.predicateType}`);
  const { name } = checkSubjects(expected, statement);
  return { signer, reference: name === "" ? undefined : name, predicateType: statement.predicateType, predicate: statement.predicate };
}
