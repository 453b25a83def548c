/** Attestations about an image: those that are accepted, and all that there are. */
import { SlipwayError } from "../../base/errors.ts";
import { formatReference, parseReference, withDefaultTag, withDigest } from "../../oci/reference.ts";
import { verifyKeylessAttestation } from "../../trust/keyless/index.ts";
import { judgeEvidence, listAttestations, predicateTypeFrom, verifyAttestation, type Expectation, type AttestationList } from "../../trust/signatures/index.ts";
import type { AttestationVerification, ListOptions, VerifyAttestationOptions } from "../trust-api.ts";
import { placeOf, type SigningSurroundings } from "./sign.ts";
import { acceptedRepositories, byKeyOrIdentity, keylessTrust, namedKey, refusal, subjectsOf } from "./verify.ts";

export async function verifyAttestations({ client }: SigningSurroundings, name: string, options: VerifyAttestationOptions): Promise<AttestationVerification> {
  const reference = withDefaultTag(parseReference(name));
  const predicateType = options.type === undefined ? undefined : predicateTypeFrom(options.type);
  const keys = (options.keys ?? []).map(namedKey);
  const keyless = await keylessTrust(options);
  if (keys.length === 0 && keyless === undefined)
    throw new SlipwayError("invalid_argument", "USAGE", "whose attestations are to be accepted? --key names a public key, --identity a signer");
  const registry = await client();
  const { digest, images } = subjectsOf(await registry.resolve(reference, { signal: options.signal }), options);
  const expected: Expectation = { digest, repositories: acceptedRepositories(reference, options.repositories), annotations: {} };
  const findings = await judgeEvidence(
    { client: registry, reference: placeOf(reference, options.signatureRepository), digest, wanted: "attestations", signal: options.signal },
    async (evidence) => {
      const byKey = keys.length === 0 ? undefined : () => verifyAttestation(evidence, keys, expected, predicateType);
      if (keyless === undefined) return verifyAttestation(evidence, keys, expected, predicateType);
      return await byKeyOrIdentity(evidence, byKey, async () => await verifyKeylessAttestation(evidence, keyless, expected, predicateType));
    },
  );
  const { accepted, refused, unread } = findings;
  const what = predicateType === undefined ? "attestation" : `attestation of type ${predicateType}`;
  if (accepted.length === 0) throw withImages(refusal(reference, digest, findings, what), images);
  return { reference: formatReference(withDigest(reference, digest)), digest, attestations: accepted, refused, unread };
}

/** What a build says is about the image of each platform, not about the index that holds them. */
function withImages(error: SlipwayError, images: readonly { readonly platform: string }[]): SlipwayError {
  const platforms = images.map(({ platform }) => platform).filter((platform) => platform !== "");
  if (platforms.length === 0) return error;
  const remedy = `it is an index, and its images may have some: --platform ${platforms.join(" or ")}`;
  return new SlipwayError(error.kind, error.code, error.message, { ...error.details, remedy }, error);
}

export async function attestations(
  { client }: SigningSurroundings,
  name: string,
  { signatureRepository, signal }: ListOptions,
): Promise<AttestationList & { readonly reference: string }> {
  const reference = withDefaultTag(parseReference(name));
  const registry = await client();
  const { digest } = (await registry.resolve(reference, { signal })).descriptor;
  const listed = await listAttestations({ client: registry, reference: placeOf(reference, signatureRepository), digest, signal });
  return { reference: formatReference(withDigest(reference, digest)), ...listed };
}
