/** Whose signatures are accepted. */
import type { VerificationKey } from "../keys/index.ts";
import { preAuthEncoding, type Envelope } from "./dsse.ts";
import { Refused } from "./evidence.ts";

export interface NamedKey extends VerificationKey {
  /** the file that it is from */
  readonly name: string;
}

/** Who made a signature that was accepted. */
export type Signer = { readonly kind: "key"; readonly name: string; readonly description: string; readonly fingerprint: string };

export function keySigner({ name, description, fingerprint }: NamedKey): Signer {
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
