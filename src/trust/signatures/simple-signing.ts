/** The payload of cosign's first format. @see github.com/containers/image, docs/containers-signature.5.md */
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";
import type { Digest } from "../../oci/digest.ts";

export const simpleSigningMediaType = "application/vnd.dev.cosign.simplesigning.v1+json";
export const signatureAnnotation = "dev.cosignproject.cosign/signature";
/** there where the signature was made for an identity */
export const certificateAnnotation = "dev.sigstore.cosign/certificate";

const payloadType = "cosign container image signature";
const limits = { maxBytes: 1 << 20, maxDepth: 32, isUnambiguous: true };

export interface SimpleSigning {
  /** the image's name as it was signed: "host/repository", with some signers "host/repository:tag" */
  readonly reference: string;
  readonly digest: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export function hasCertificate(annotations: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(annotations, certificateAnnotation);
}

/** Fails with INVALID_DOCUMENT, also for payloads of another type. */
export function parseSimpleSigning(payload: Uint8Array): SimpleSigning {
  const fields = new Fields(parseJsonObject(payload, "signed payload", limits), "signed payload");
  const critical = fields.child("critical");
  if (critical?.string("type") !== payloadType) throw fields.fail("critical.type", JSON.stringify(payloadType));
  const optional = Object.entries(fields.child("optional")?.object ?? {});
  return {
    reference: critical.child("identity")?.string("docker-reference") ?? "",
    digest: critical.child("image")?.string("docker-manifest-digest") ?? "",
    annotations: Object.fromEntries(optional.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
  };
}

export function formatSimpleSigning(reference: string, digest: Digest, annotations: Readonly<Record<string, string>>): Buffer {
  const critical = { identity: { "docker-reference": reference }, image: { "docker-manifest-digest": digest }, type: payloadType };
  return Buffer.from(JSON.stringify({ critical, optional: Object.keys(annotations).length === 0 ? null : annotations }));
}
