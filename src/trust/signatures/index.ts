/** Signatures of images: made with keys, found in repositories, held against what is expected of them. */
export { attestImage, type AttestRequest } from "./attest-image.ts";
export { Refused, type Attempt, type Evidence, type EvidenceFormat, type Refusal } from "./evidence.ts";
export { repositoryOfName, type Claim, type Expectation } from "./expectation.ts";
export { listAttestations, type AttestationList, type ListedAttestation } from "./list-attestations.ts";
export { maxPredicateBytes, predicateFrom } from "./predicate-from.ts";
export { predicateTypeFrom, predicateTypes } from "./predicate-types.ts";
export { signImage, type CosignFormat, type SignRequest, type WrittenSignature } from "./sign-image.ts";
export type { NamedKey, Signer } from "./signer.ts";
export { judgeEvidence, type Accepted, type Findings } from "./verify-image.ts";
export { verifyAttestation, type VerifiedAttestation } from "./verify-attestation.ts";
export { verifyWithKeys, type VerifiedClaim } from "./verify-signature.ts";
export { isSignedName, type SignedNameRule } from "./signed-name.ts";
