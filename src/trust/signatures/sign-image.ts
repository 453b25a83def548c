/**
 * Signs one manifest with a key, in both of cosign's formats. What the key has signed already, with the same words, is left as it is; other
 * signatures stay beside the new one.
 */
import { canonicalJson } from "../../base/canonical-json.ts";
import type { Digest } from "../../oci/digest.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { repositoryName, type Reference } from "../../oci/reference.ts";
import type { RegistryClient } from "../../registry/index.ts";
import { verificationKey, type SigningKey } from "../keys/index.ts";
import { formatKeyBundle } from "./bundle.ts";
import { signEnvelope } from "./dsse.ts";
import type { Claim, Expectation } from "./expectation.ts";
import { findEvidence } from "./find-evidence.ts";
import { Refused, type Evidence } from "./evidence.ts";
import { formatSimpleSigning, signatureAnnotation, simpleSigningMediaType } from "./simple-signing.ts";
import { formatStatement, signaturePredicateType, statementPayloadType } from "./statement.ts";
import { isSlipwayError } from "../../base/errors.ts";
import { verifyWithKeys } from "./verify-signature.ts";
import { appendToTag, attachBundle, pushBytes, type EvidenceTarget } from "./write-evidence.ts";

export type CosignFormat = "bundle" | "legacy";

export interface SignRequest {
  readonly client: RegistryClient;
  /** the name that is signed; with a tag where the image was named by one */
  readonly reference: Reference;
  /** the repository that signatures are kept in: the image's own, or one beside it */
  readonly place: Reference;
  readonly subject: Descriptor;
  readonly key: SigningKey;
  readonly annotations: Readonly<Record<string, string>>;
  readonly formats: readonly CosignFormat[];
  readonly now: Date;
  readonly signal?: AbortSignal | undefined;
}

export interface WrittenSignature {
  readonly format: string;
  /** of the manifest that holds the signature */
  readonly manifest: Digest;
  /** the key had signed this before */
  readonly existed: boolean;
}

export async function signImage(request: SignRequest): Promise<readonly WrittenSignature[]> {
  const existing = await ownSignatures(request);
  const written: WrittenSignature[] = [];
  for (const format of request.formats) {
    const found = existing.find((one) => one.format === format && isEqual(one.claim, claimOf(request, format)));
    const manifest = found?.manifest ?? (await writers[format](request));
    written.push({ format, manifest, existed: found !== undefined });
  }
  return written;
}

/** Signatures name the image without a digest: "host/repository:tag". */
function signedName({ reference: { domain, path, tag } }: SignRequest): string {
  return repositoryName({ domain, path }) + (tag === undefined ? "" : `:${tag}`);
}

function claimOf(request: SignRequest, format: CosignFormat): Claim {
  return { reference: format === "legacy" ? signedName(request) : repositoryName(request.reference), annotations: request.annotations };
}

function isEqual(one: Claim, other: Claim): boolean {
  const text = ({ reference, annotations }: Claim): string => canonicalJson({ reference, annotations });
  return text(one) === text(other);
}

function targetOf({ client, place, signal }: SignRequest): EvidenceTarget {
  return { client, repository: place, signal };
}

const writers: Readonly<Record<CosignFormat, (request: SignRequest) => Promise<Digest>>> = {
  bundle: async (request) => {
    const { subject, annotations, key } = request;
    const name = repositoryName(request.reference);
    const statement = formatStatement({ name, digest: subject.digest, annotations, predicateType: signaturePredicateType, predicate: {} });
    const bundle = formatKeyBundle(signEnvelope(statementPayloadType, statement, key.sign), key.fingerprint);
    return await attachBundle(targetOf(request), subject, bundle, signaturePredicateType, request.now);
  },
  legacy: async (request) => {
    const payload = formatSimpleSigning(signedName(request), request.subject.digest, request.annotations);
    const layer = await pushBytes(targetOf(request), simpleSigningMediaType, payload);
    const annotations = { [signatureAnnotation]: request.key.sign(payload).toString("base64") };
    return await appendToTag(targetOf(request), request.subject.digest, "sig", { ...layer, annotations });
  },
};

interface OwnSignature {
  readonly format: CosignFormat;
  readonly manifest: Digest;
  readonly claim: Claim;
}

/** What this key has signed already about this image under this name. */
async function ownSignatures({ client, reference, place, subject, key, signal }: SignRequest): Promise<readonly OwnSignature[]> {
  const own = { ...verificationKey(key.publicKey, "the key"), name: "the key" };
  const expected: Expectation = { digest: subject.digest, repositories: [repositoryName(reference)], annotations: {} };
  const found: OwnSignature[] = [];
  // what is not found again is signed once more
  const onUnread = (): void => undefined;
  for await (const evidence of findEvidence({ client, reference: place, digest: subject.digest, wanted: "signatures", onUnread, signal })) {
    const claim = claimIn(() => verifyWithKeys(evidence, [own], expected).claim);
    const format = formatOf(evidence);
    if (claim !== undefined && format !== undefined) found.push({ format, manifest: evidence.manifest, claim });
  }
  return found;
}

function formatOf({ format }: Evidence): CosignFormat | undefined {
  if (format === "bundle") return "bundle";
  return format === "tag" ? "legacy" : undefined;
}

function claimIn(verify: () => Claim): Claim | undefined {
  try {
    return verify();
  } catch (error) {
    if (error instanceof Refused || isSlipwayError(error)) return undefined;
    throw error;
  }
}
