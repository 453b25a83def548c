/** Whose signatures are accepted. */
import type { VerificationKey } from "../keys/index.ts";
import { preAuthEncoding, type Envelope } from "./dsse.ts";
import { Refused } from "./evidence.ts";

export interface NamedKey extends VerificationKey {
  /** the file that it is from */
  readonly name: string;
}

export interface KeySigner {
  readonly kind: "key";
  /** the public key's file */
  readonly name: string;
  /** "ECDSA P-256" */
  readonly description: string;
  /** SHA-256 over the public key */
  readonly fingerprint: string;
}

export interface CertificateSigner {
  readonly kind: "certificate";
  /** the subject of the leaf */
  readonly name: string;
  /** of its key: "ECDSA P-256" */
  readonly description: string;
  /** SHA-256 over the leaf */
  readonly fingerprint: string;
  /** the subject of the authority that was trusted */
  readonly authority: string;
}

export interface IdentitySigner {
  readonly kind: "identity";
  /** "dev@example.com", the address of a workflow */
  readonly name: string;
  /** who vouched for that */
  readonly issuer: string;
  /** of the key that was used once: "ECDSA P-256" */
  readonly description: string;
}

/** Who made a signature that was accepted. */
export type Signer = KeySigner | CertificateSigner | IdentitySigner;

export function keySigner({ name, description, fingerprint }: NamedKey): KeySigner {
  return { kind: "key", name, description, fingerprint: `sha256:${fingerprint.toString("hex")}` };
}

/** The first of the keys that made one of the envelope's signatures. Throws Refused. */
export function envelopeKey(keys: readonly NamedKey[], envelope: Envelope, hint: string | undefined): NamedKey {
  const signed = preAuthEncoding(envelope.payloadType, envelope.payload);
  const key = keys.find((one) => envelope.signatures.some(({ sig }) => one.verify(signed, sig)));
  if (key === undefined) throw noKey(keys, hint);
  return key;
}

export function noKey(keys: readonly NamedKey[], hint?: string): Refused {
  const names = keys.map(({ name, description }) => `${name} (${description})`).join(" or ");
  const claims = keys.some(({ fingerprint }) => hint !== undefined && fingerprint.equals(Buffer.from(hint, "base64")));
  if (claims) return new Refused("signer", `it names the key of ${names}, but was changed or made with another one`);
  return new Refused("signer", `it was not made with the key of ${names}, or was changed since`);
}
