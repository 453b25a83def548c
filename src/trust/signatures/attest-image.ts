/** Signs a statement about one manifest with a key, as a bundle that refers to it and under cosign's tag. What was attested already is left as it is. */
import { isSlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { repositoryName } from "../../oci/reference.ts";
import { verificationKey } from "../keys/index.ts";
import { formatKeyBundle } from "./bundle.ts";
import { envelopeObject, signEnvelope } from "./dsse.ts";
import { Refused } from "./evidence.ts";
import { findEvidence } from "./find-evidence.ts";
import { envelopeMediaType, envelopePredicateAnnotation } from "./layout.ts";
import type { CosignFormat, SignRequest, WrittenSignature } from "./sign-image.ts";
import { signatureAnnotation } from "./simple-signing.ts";
import { formatStatement, statementPayloadType } from "./statement.ts";
import { signedPayload } from "./verify-attestation.ts";
import { appendToTag, attachBundle, pushBytes, type EvidenceTarget } from "./write-evidence.ts";

export interface AttestRequest extends Omit<SignRequest, "annotations"> {
  readonly predicateType: string;
  readonly predicate: unknown;
}

/** cosign's own attestations still have it */
const statementType = "https://in-toto.io/Statement/v0.1";

export async function attestImage(request: AttestRequest): Promise<readonly WrittenSignature[]> {
  const { subject, predicateType, predicate, key, reference } = request;
  const name = repositoryName(reference);
  const statement = formatStatement({ type: statementType, name, digest: subject.digest, predicateType, predicate });
  const existing = await ownAttestations(request, statement);
  const envelope = signEnvelope(statementPayloadType, statement, key.sign);
  const target: EvidenceTarget = { client: request.client, repository: request.place, signal: request.signal };
  const writers: Readonly<Record<CosignFormat, () => Promise<Digest>>> = {
    bundle: () => attachBundle(target, subject, formatKeyBundle(envelope, key.fingerprint), predicateType, request.now),
    legacy: async () => {
      const layer = await pushBytes(target, envelopeMediaType, Buffer.from(JSON.stringify(envelopeObject(envelope))));
      const annotations = { [envelopePredicateAnnotation]: predicateType, [signatureAnnotation]: "" };
      return await appendToTag(target, subject.digest, "att", { ...layer, annotations });
    },
  };
  const written: WrittenSignature[] = [];
  for (const format of request.formats) {
    const found = existing.get(format);
    written.push({ format, manifest: found ?? (await writers[format]()), existed: found !== undefined });
  }
  return written;
}

/** The manifests that hold this statement, signed by this key. */
async function ownAttestations({ client, place, subject, key, signal }: AttestRequest, statement: Buffer): Promise<ReadonlyMap<CosignFormat, Digest>> {
  const own = { ...verificationKey(key.publicKey, "the key"), name: "the key" };
  const found = new Map<CosignFormat, Digest>();
  // what is not found again is signed once more
  const onUnread = (): void => undefined;
  for await (const evidence of findEvidence({ client, reference: place, digest: subject.digest, wanted: "attestations", onUnread, signal })) {
    if (isOurs(() => signedPayload(evidence, [own]).payload, statement)) found.set(evidence.format === "bundle" ? "bundle" : "legacy", evidence.manifest);
  }
  return found;
}

function isOurs(payload: () => Buffer, statement: Buffer): boolean {
  try {
    return payload().equals(statement);
  } catch (error) {
    if (error instanceof Refused || isSlipwayError(error)) return false;
    throw error;
  }
}
