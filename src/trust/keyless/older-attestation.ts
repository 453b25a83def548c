/**
 * What sigstore's library does not know of the attestations that cosign 1 and 2 wrote: entries of the log that have the envelope's hash instead of its
 * signature (intoto 0.0.1), and time stamps over the envelope instead of its signature. @see github.com/sigstore/rekor, types/intoto/v0.0.1
 */
import { hash, verify, X509Certificate } from "node:crypto";
import type { TransparencyLogEntry } from "@sigstore/bundle";
import type { SignedEntity, TrustMaterial } from "@sigstore/verify";
import { canonicalJson } from "../../base/canonical-json.ts";
import { isSlipwayError } from "../../base/errors.ts";
import { Fields, parseJsonObject } from "../../oci/bounded-json.ts";

const limits = { maxBytes: 4 << 20, maxDepth: 16 };

export function isOlderEntry({ kindVersion }: TransparencyLogEntry): boolean {
  return kindVersion.kind === "intoto" && kindVersion.version === "0.0.1";
}

/** Whether a trusted log promises to hold an entry of this kind, about these bytes and this certificate. */
export function isOlderEntryGood(entry: TransparencyLogEntry, envelope: Uint8Array, certificate: Uint8Array, { tlogs }: TrustMaterial): boolean {
  return isPromised(entry, tlogs) && isAbout(entry.canonicalizedBody, envelope, certificate);
}

function isPromised({ logId, integratedTime, logIndex, canonicalizedBody, inclusionPromise }: TransparencyLogEntry, tlogs: TrustMaterial["tlogs"]): boolean {
  const time = Number(integratedTime);
  const [at, signature] = [new Date(time * 1000), inclusionPromise?.signedEntryTimestamp];
  if (signature === undefined) return false;
  const promised = { body: canonicalizedBody.toString("base64"), integratedTime: time, logID: logId.keyId.toString("hex"), logIndex: Number(logIndex) };
  return tlogs.some(({ logID, publicKey, validFor }) => {
    return (
      logID.equals(logId.keyId) && validFor.start <= at && at <= validFor.end && verify("sha256", Buffer.from(canonicalJson(promised)), publicKey, signature)
    );
  });
}

function isAbout(body: Buffer, envelope: Uint8Array, certificate: Uint8Array): boolean {
  try {
    const fields = new Fields(parseJsonObject(body, "entry", limits), "entry");
    const spec = fields.child("spec");
    const logged = spec?.child("content")?.child("hash");
    const isOlder = fields.string("kind") === "intoto" && fields.string("apiVersion") === "0.0.1";
    if (!isOlder || logged?.string("algorithm") !== "sha256" || logged.string("value") !== hash("sha256", envelope)) return false;
    return new X509Certificate(Buffer.from(spec?.string("publicKey") ?? "", "base64")).raw.equals(certificate);
  } catch (error) {
    if (isSlipwayError(error) || error instanceof Error) return false;
    throw error;
  }
}

/** The same, with time stamps over the envelope. */
export function stampedEnvelope(entity: SignedEntity, envelope: Uint8Array): SignedEntity {
  const { signature } = entity;
  return {
    ...entity,
    signature: {
      signature: Buffer.from(envelope),
      compareSignature: (bytes) => signature.compareSignature(bytes),
      compareDigest: (digest) => signature.compareDigest(digest),
      compareSignedDigest: (digest) => signature.compareSignedDigest(digest),
      verifySignature: (key) => signature.verifySignature(key),
    },
  };
}
