/** Looks at every signature of an image and says which are accepted, and why the others are not. */
import { isSlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { Refused, type Attempt, type Evidence, type EvidenceFormat } from "./evidence.ts";
import type { Claim } from "./expectation.ts";
import { findEvidence, type EvidenceQuery } from "./find-evidence.ts";
import type { Signer } from "./signer.ts";

export interface Accepted extends Claim {
  readonly format: EvidenceFormat;
  /** of the manifest that holds the signature */
  readonly manifest: Digest;
  readonly signer: Signer;
}

export interface Findings<T> {
  readonly accepted: readonly T[];
  readonly refused: readonly Attempt[];
  /** what was not looked at, and why: it might have been accepted */
  readonly unread: readonly string[];
}

/** `check` answers what a signature says, or throws Refused. What is unsigned or made by others never counts, however much of it there is. */
export async function judgeEvidence<T>(
  query: Omit<EvidenceQuery, "onUnread">,
  check: (evidence: Evidence) => Promise<T> | T,
): Promise<Findings<T & Pick<Accepted, "format" | "manifest">>> {
  const accepted: (T & Pick<Accepted, "format" | "manifest">)[] = [];
  const refused: Attempt[] = [];
  const unread: string[] = [];
  for await (const evidence of findEvidence({ ...query, onUnread: (why) => void unread.push(why) })) {
    const { format, manifest } = evidence;
    try {
      accepted.push({ ...(await check(evidence)), format, manifest });
    } catch (error) {
      refused.push({ format, manifest, ...refusalOf(error) });
    }
  }
  return { accepted, refused, unread };
}

function refusalOf(error: unknown): Pick<Attempt, "refusal" | "message"> {
  if (error instanceof Refused) return { refusal: error.refusal, message: error.message };
  if (isSlipwayError(error) && (error.kind === "invalid_argument" || error.kind === "resource_exhausted" || error.kind === "unsupported")) {
    return { refusal: "unreadable", message: error.message };
  }
  throw error;
}
