/** Signed envelopes: what is signed is the payload together with its type. @see github.com/secure-systems-lab/dsse, envelope.md, protocol.md */
import type { Fields } from "../../oci/bounded-json.ts";

export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly { readonly sig: Buffer; readonly keyid: string | undefined }[];
}

/** more signatures than this on one envelope are a way to keep a verifier busy */
const maxSignatures = 64;

/** The bytes that are signed: "DSSEv1 <length> <type> <length> <payload>". */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload]);
}

/** Fails with INVALID_DOCUMENT. */
export function parseEnvelope(fields: Fields): Envelope {
  const signatures = fields.children("signatures") ?? [];
  if (signatures.length === 0 || signatures.length > maxSignatures) throw fields.fail("signatures", `1 to ${maxSignatures} signatures`);
  return {
    payloadType: fields.requiredString("payloadType"),
    payload: Buffer.from(fields.requiredString("payload"), "base64"),
    signatures: signatures.map((one) => ({ sig: Buffer.from(one.requiredString("sig"), "base64"), keyid: one.string("keyid") })),
  };
}

/** As JSON has it; `keyid` only where there is one. */
export function envelopeObject({ payloadType, payload, signatures }: Envelope): object {
  return {
    payload: payload.toString("base64"),
    payloadType,
    signatures: signatures.map(({ sig, keyid }) => ({ sig: sig.toString("base64"), ...(keyid === undefined ? {} : { keyid }) })),
  };
}

/** Signs a payload under its type. */
export function signEnvelope(payloadType: string, payload: Buffer, sign: (bytes: Uint8Array) => Buffer): Envelope {
  return { payloadType, payload, signatures: [{ sig: sign(preAuthEncoding(payloadType, payload)), keyid: undefined }] };
}
