/** What a repository holds about an image that may be a signature or an attestation, in every layout that the field has used. */
import type { Digest } from "../../oci/digest.ts";

export type EvidenceFormat =
  /** a sigstore bundle that refers to the image */
  | "bundle"
  /** the tag `sha256-….sig`, or `.att` for attestations */
  | "tag"
  /** cosign's first layout without tags: the same layers in a manifest that refers to the image */
  | "referrer"
  | "notation";

interface Located {
  readonly format: EvidenceFormat;
  /** of the manifest that holds it */
  readonly manifest: Digest;
  /** of its bytes */
  readonly blob: Digest;
}

export type Evidence = Located &
  (
    | { readonly kind: "bundle"; readonly bytes: Uint8Array }
    | { readonly kind: "simple-signing"; readonly bytes: Uint8Array; readonly annotations: Readonly<Record<string, string>> }
    | { readonly kind: "envelope"; readonly bytes: Uint8Array; readonly annotations: Readonly<Record<string, string>> }
    | { readonly kind: "notation"; readonly mediaType: string; readonly bytes: Uint8Array; readonly annotations: Readonly<Record<string, string>> }
    | { readonly kind: "unreadable"; readonly reason: string }
  );

/** Why a signature was not accepted. */
export type Refusal =
  /** it could not be read */
  | "unreadable"
  /** nobody of whom it is expected made it */
  | "signer"
  /** it is about something else */
  | "subject"
  /** it is about an image of another repository */
  | "repository"
  | "annotations"
  /** it is an attestation of another type, or no signature at all */
  | "type"
  /** its certificate, or the time at which it was made */
  | "certificate"
  /** what an attestation says, against a policy */
  | "predicate";

export interface Attempt {
  readonly format: EvidenceFormat;
  readonly manifest: Digest;
  readonly refusal: Refusal;
  readonly message: string;
}

/** Thrown by the checks of one signature, caught where attempts are gathered. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal, message: string) {
    super(message);
    this.name = "Refused";
    this.refusal = refusal;
  }
}
