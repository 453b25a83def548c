/** What is attested about an image, whoever says so: nothing of it is verified. */
import { isSlipwayError } from "../../base/errors.ts";
import type { Digest } from "../../oci/digest.ts";
import { Refused, type EvidenceFormat } from "./evidence.ts";
import { findEvidence, type EvidenceQuery } from "./find-evidence.ts";
import { parseStatement } from "./statement.ts";
import { envelopeIn } from "./verify-attestation.ts";

export interface ListedAttestation {
  readonly format: EvidenceFormat;
  readonly manifest: Digest;
  /** undefined: it cannot be read */
  readonly predicateType: string | undefined;
  readonly sizeBytes: number;
}

export interface AttestationList {
  readonly attestations: readonly ListedAttestation[];
  /** what was not looked at, and why */
  readonly unread: readonly string[];
}

export async function listAttestations(query: Omit<EvidenceQuery, "wanted" | "onUnread">): Promise<AttestationList> {
  const attestations: ListedAttestation[] = [];
  const unread: string[] = [];
  for await (const evidence of findEvidence({ ...query, wanted: "attestations", onUnread: (why) => void unread.push(why) })) {
    const { format, manifest } = evidence;
    const statement = readable(() => parseStatement(envelopeIn(evidence).envelope.payload));
    attestations.push({ format, manifest, predicateType: statement?.predicateType, sizeBytes: "bytes" in evidence ? evidence.bytes.length : 0 });
  }
  return { attestations, unread };
}

function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Refused || isSlipwayError(error)) return undefined;
    throw error;
  }
}
