/** What a build is asked to say of its result. */
import type { Digest } from "../oci/digest.ts";

/**
 * `provenance` (mode, version, builder-id, reproducible, inline-only) or `sbom`, with `disabled` and `as` ("index", or "referrer": beside
 * the index instead of in it).
 */
export interface BuildAttestation {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What was pushed with an image. */
export interface AttestedImage {
  /** the image's manifest */
  readonly subject: Digest;
  /** a URI */
  readonly predicateType: string;
  readonly predicate: object;
}

export interface AttestationOptions {
  /** what is said of the result; default: the shorter provenance where an image is pushed */
  readonly attestations?: readonly BuildAttestation[];
  /** nothing is attested that nobody asked for */
  readonly noDefaultAttestations?: boolean;
  /** the result's metadata has the provenance too, without ("min") or with ("max") the graph */
  readonly metadataProvenance?: "min" | "max";
  /** what provenance tells of the repository that the context lies in: "dirty" also whether files were changed. Default "revision" */
  readonly vcs?: "none" | "revision" | "dirty";
}
