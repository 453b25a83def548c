/**
 * cosign's older form of signatures for identities: certificate, log entry and time stamp lie in the annotations of the layer that is signed. Here they become a
 * bundle, which sigstore's library verifies. @see github.com/sigstore/cosign, specs/SIGNATURE_SPEC.md
 */
import { hash, X509Certificate } from "node:crypto";
import type { SerializedBundle } from "@sigstore/bundle";
import { Fields, invalidDocument, parseJsonObject } from "../../oci/bounded-json.ts";
import { envelopeObject } from "../signatures/dsse.ts";
import { Refused, type Evidence } from "../signatures/evidence.ts";
import { certificateAnnotation, signatureAnnotation } from "../signatures/simple-signing.ts";
import { envelopeIn } from "../signatures/verify-attestation.ts";
import { olderLogEntry } from "./log-entry.ts";

export type OlderEvidence = Extract<Evidence, { readonly kind: "simple-signing" | "envelope" }>;

const bundleAnnotation = "dev.sigstore.cosign/bundle";
const stampAnnotation = "dev.sigstore.cosign/rfc3161timestamp";
const limits = { maxBytes: 4 << 20, maxDepth: 16 };
/** of bundles that have a log's promise instead of its proof */
const mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1";

/** Throws Refused, INVALID_DOCUMENT. */
export function olderBundle(evidence: OlderEvidence): SerializedBundle {
  const { annotations } = evidence;
  const pem = annotations[certificateAnnotation];
  if (pem === undefined) throw new Refused("signer", "it was made with a key, and none is trusted (--key)");
  const entry = annotated(annotations, bundleAnnotation);
  const stamp = annotated(annotations, stampAnnotation)?.requiredString("SignedRFC3161Timestamp");
  const bundle = {
    mediaType,
    verificationMaterial: {
      x509CertificateChain: { certificates: [{ rawBytes: certificateIn(pem).raw.toString("base64") }] },
      tlogEntries: entry === undefined ? [] : [olderLogEntry(entry)],
      timestampVerificationData: { rfc3161Timestamps: stamp === undefined ? [] : [{ signedTimestamp: stamp }] },
    },
    ...contentOf(evidence),
  };
  return bundle as unknown as SerializedBundle;
}

function annotated(annotations: Readonly<Record<string, string>>, name: string): Fields | undefined {
  const text = annotations[name];
  return text === undefined || text === "" ? undefined : new Fields(parseJsonObject(Buffer.from(text), name, limits), name);
}

function certificateIn(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw invalidDocument(certificateAnnotation, "want a certificate", error);
  }
}

function contentOf(evidence: OlderEvidence): object {
  if (evidence.kind === "envelope") return { dsseEnvelope: envelopeObject(envelopeIn(evidence).envelope) };
  const messageDigest = { algorithm: "SHA2_256", digest: hash("sha256", evidence.bytes, "base64") };
  return { messageSignature: { messageDigest, signature: evidence.annotations[signatureAnnotation] ?? "" } };
}
