/** Public keys: what a signature is held against. */
import { createPublicKey, verify, X509Certificate, type KeyObject } from "node:crypto";
import { remedyForPublic } from "./foreign-form.ts";
import { describeKey, keyFingerprint } from "./key-type.ts";
import { formatPem, keyInvalid, parsePem } from "./pem.ts";

export interface VerificationKey {
  readonly publicKey: KeyObject;
  /** "ECDSA P-256" */
  readonly description: string;
  readonly fingerprint: Buffer;
  /** False also for a signature that is none. */
  verify(bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** Signers of larger curves take the hash of the curve's size, or SHA-256 all the same. */
const hashes: Readonly<Record<string, readonly (string | null)[]>> = {
  "ECDSA P-384": ["sha256", "sha384"],
  "ECDSA P-521": ["sha256", "sha512"],
  Ed25519: [null],
};

export function verificationKey(publicKey: KeyObject, what: string): VerificationKey {
  const description = describeKey(publicKey, what);
  const algorithms = hashes[description] ?? ["sha256"];
  return {
    publicKey,
    description,
    fingerprint: keyFingerprint(publicKey),
    verify: (bytes, signature) => algorithms.some((algorithm) => verify(algorithm, bytes, publicKey, signature)),
  };
}

/** A public key or a certificate as PEM, of which the first counts. Fails with KEY_INVALID and KEY_UNSUPPORTED. */
export function readPublicKey(text: string, what: string): VerificationKey {
  const blocks = parsePem(text, what);
  for (const { label, bytes } of blocks) {
    const publicKey = publicKeyFrom(label, bytes, what);
    if (publicKey !== undefined) return verificationKey(publicKey, what);
  }
  const labels = blocks.map(({ label }) => label);
  throw keyInvalid(what, `it holds ${labels.join(", ")}, and no public key`, undefined, remedyForPublic(labels, what));
}

function publicKeyFrom(label: string, bytes: Buffer, what: string): KeyObject | undefined {
  try {
    switch (label) {
      case "PUBLIC KEY":
        return createPublicKey({ key: bytes, format: "der", type: "spki" });
      case "RSA PUBLIC KEY":
        return createPublicKey({ key: bytes, format: "der", type: "pkcs1" });
      case "CERTIFICATE":
        return new X509Certificate(bytes).publicKey;
      default:
        return undefined;
    }
  } catch (error) {
    throw keyInvalid(what, error instanceof Error ? error.message : String(error), error);
  }
}

export function formatPublicKey(publicKey: KeyObject): string {
  return formatPem("PUBLIC KEY", publicKey.export({ type: "spki", format: "der" }));
}
