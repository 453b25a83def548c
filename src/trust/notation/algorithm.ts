/** The one algorithm that belongs to each kind of key: no signature says which one it is to be verified by. */
import { constants, sign, verify, type KeyObject } from "node:crypto";
import { SlipwayError } from "../../base/errors.ts";
import { describeKey } from "../keys/index.ts";

export interface Algorithm {
  /** as JWS names it */
  readonly jws: string;
  /** as COSE numbers it */
  readonly cose: number;
  readonly hash: "sha256" | "sha384" | "sha512";
}

const algorithms: Readonly<Record<string, Algorithm>> = {
  "ECDSA P-256": { jws: "ES256", cose: -7, hash: "sha256" },
  "ECDSA P-384": { jws: "ES384", cose: -35, hash: "sha384" },
  "ECDSA P-521": { jws: "ES512", cose: -36, hash: "sha512" },
  "RSA 2048": { jws: "PS256", cose: -37, hash: "sha256" },
  "RSA 3072": { jws: "PS384", cose: -38, hash: "sha384" },
  "RSA 4096": { jws: "PS512", cose: -39, hash: "sha512" },
};

/** Fails with KEY_UNSUPPORTED (unsupported). */
export function algorithmOf(key: KeyObject, what: string): Algorithm {
  const description = describeKey(key, what);
  const algorithm = algorithms[description];
  if (algorithm === undefined) {
    throw new SlipwayError("unsupported", "KEY_UNSUPPORTED", `${what} is ${description}: notation's signatures are by ${Object.keys(algorithms).join(", ")}`, {
      what,
      bare: true,
    });
  }
  return algorithm;
}

function options(key: KeyObject): object {
  if (key.asymmetricKeyType === "ec") return { key, dsaEncoding: "ieee-p1363" };
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
}

export function signBytes({ hash }: Algorithm, bytes: Uint8Array, key: KeyObject): Buffer {
  return sign(hash, bytes, options(key) as Parameters<typeof sign>[2]);
}

export function verifyBytes({ hash }: Algorithm, bytes: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  return verify(hash, bytes, options(key) as Parameters<typeof verify>[2], signature);
}
