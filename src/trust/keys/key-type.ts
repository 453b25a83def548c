/** Which keys sign here, and how: the algorithms that the field's verifiers take for each. */
import { createHash, type KeyObject } from "node:crypto";
import { SlipwayError } from "../../base/errors.ts";

export type KeyType = "ecdsa-p256" | "ecdsa-p384" | "ecdsa-p521" | "rsa-2048" | "rsa-3072" | "rsa-4096" | "ed25519";

const curves: Readonly<Record<string, string>> = { prime256v1: "P-256", secp384r1: "P-384", secp521r1: "P-521" };
const minRsaBits = 2048;
const maxRsaBits = 8192;

/** "ECDSA P-256", "RSA 3072", "Ed25519". Fails with KEY_UNSUPPORTED (unsupported) for keys of other kinds and for weak ones. */
export function describeKey(key: KeyObject, what: string): string {
  const details = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ec": {
      const curve = curves[details.namedCurve ?? ""];
      if (curve !== undefined) return `ECDSA ${curve}`;
      throw unsupported(what, `the curve ${details.namedCurve}`);
    }
    case "rsa": {
      const bits = details.modulusLength ?? 0;
      if (bits >= minRsaBits && bits <= maxRsaBits) return `RSA ${bits}`;
      throw unsupported(what, `RSA with ${bits} bits`);
    }
    case "ed25519":
      return "Ed25519";
    default:
      throw unsupported(what, `a key of type ${key.asymmetricKeyType}`);
  }
}

function unsupported(what: string, kind: string): SlipwayError {
  return new SlipwayError(
    "unsupported",
    "KEY_UNSUPPORTED",
    `${what} is ${kind}: images are signed by ECDSA on P-256, P-384 or P-521, by RSA with ${minRsaBits} to ${maxRsaBits} bits, and by Ed25519`,
    { what, bare: true },
  );
}

export function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: "spki", format: "der" });
}

/** The key's name in messages and in bundles: SHA-256 over its SubjectPublicKeyInfo. */
export function keyFingerprint(publicKey: KeyObject): Buffer {
  return createHash("sha256").update(spkiOf(publicKey)).digest();
}
