/** The library's calls about policies: which images may be used here, and who says so. */
import type { Digest } from "../oci/digest.ts";

/** An image that is used although a policy refuses it, and why. */
export interface PolicyOverride {
  readonly digest: string;
  readonly reason: string;
}

export interface PolicySettings {
  /** in the place of the user's policy file; default SLIPWAY_POLICY, else slipway/policy.json below $XDG_CONFIG_HOME */
  readonly file?: string;
  /** default SLIPWAY_POLICY_OVERRIDE, "DIGEST=REASON" */
  readonly overrides?: readonly PolicyOverride[];
}

/** What one policy file says of an image. */
export interface PolicyVerdict {
  readonly policy: string;
  /** the scope's name in the file, or "default" */
  readonly scope: string;
  readonly line: number;
  /** how a refusal is treated */
  readonly mode: "enforce" | "audit";
  /** undefined: the image is accepted */
  readonly refused: { readonly rule: PolicyRuleName; readonly reason: string } | undefined;
  /** what was found to hold: "signed by release.pub" */
  readonly held: readonly string[];
}

export type PolicyRuleName = "accept" | "reject" | "local" | "loaded" | "signed" | "attested" | "vulnerabilities" | "maxScanAgeDays";

export interface PolicyCheck {
  /** in full, with the digest that was looked at */
  readonly reference: string;
  readonly digest: Digest;
  /** by no policy that is enforced refused */
  readonly isAccepted: boolean;
  /** one for each policy file; none where there is no file */
  readonly verdicts: readonly PolicyVerdict[];
}

/** What was used although a policy refused it. */
export interface PolicyLogEntry {
  readonly time: string;
  readonly kind: "override" | "audit";
  readonly use: string;
  readonly reference: string;
  readonly digest: string;
  readonly policy: string;
  readonly scope: string;
  readonly rule: string;
  readonly reason: string;
  /** of an override: what was said for it */
  readonly because: string;
}

export interface ImportedPolicy {
  /** the policy as a file's text */
  readonly text: string;
  /** to be written beside it: keys that stood in the text itself, trusted roots */
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** what could not be taken over as it was */
  readonly notes: readonly string[];
}

export interface PolicyApi {
  /** Holds what a registry has under the name against every policy file. Fails with POLICY_INVALID, POLICY_NOT_FOUND and as pull. */
  check(reference: string, options?: { readonly signal?: AbortSignal }): Promise<PolicyCheck>;
  /** The oldest first. */
  log(): Promise<readonly PolicyLogEntry[]>;
  /** Where policies are looked for, and which are there. */
  files(): Promise<readonly { readonly path: string; readonly exists: boolean }[]>;
  /** containers' policy.json or notation's trustpolicy.json as a policy of ours. Fails with POLICY_IMPORT (unsupported, invalid_argument). */
  import(text: string, options: { readonly path: string }): Promise<ImportedPolicy>;
}
