/** What both of notation's envelopes hold. @see notaryproject/specifications, signature-specification.md */
import type { KeyObject } from "node:crypto";
import { Refused } from "../signatures/evidence.ts";
import type { Algorithm } from "./algorithm.ts";

export const payloadContentType = "application/vnd.cncf.notary.payload.v1+json";
export const schemeHeader = "io.cncf.notary.signingScheme";
export const timeHeader = "io.cncf.notary.signingTime";
export const expiryHeader = "io.cncf.notary.expiry";
export const stampHeader = "io.cncf.notary.timestampSignature";
export const agentHeader = "io.cncf.notary.signingAgent";
export const x509Scheme = "notary.x509";

const understood: ReadonlySet<unknown> = new Set([schemeHeader, expiryHeader]);

export interface SignedContent {
  readonly payload: Buffer;
  /** the leaf first */
  readonly certificates: readonly Uint8Array[];
  readonly signature: Uint8Array;
  /** over the signature, as DER; nothing of it is signed with the rest */
  readonly timeStamp: Uint8Array | undefined;
  /** as the signer says */
  readonly expiry: Date | undefined;
  /** holds the signature against the leaf's key; false also where the envelope names another algorithm than the key's */
  readonly isSignedBy: (key: KeyObject, algorithm: Algorithm) => boolean;
}

export interface NewContent {
  readonly payload: Buffer;
  readonly certificates: readonly Uint8Array[];
  readonly algorithm: Algorithm;
  readonly signingTime: Date;
  readonly sign: (bytes: Uint8Array) => Buffer;
  /** answers a time stamp's token over the signature */
  readonly stamp?: ((signature: Uint8Array) => Promise<Uint8Array>) | undefined;
}

export const signingAgent = "slipway";

/** Throws Refused: headers that are marked as critical and not understood make a signature void, as do other schemes and contents. */
export function checkHeaders({
  critical,
  contentType,
  scheme,
}: {
  readonly critical: readonly unknown[];
  readonly contentType: unknown;
  readonly scheme: unknown;
}): void {
  if (contentType !== payloadContentType) throw new Refused("type", `its content is ${shown(contentType)}`);
  if (scheme !== x509Scheme) throw new Refused("type", `it is of the scheme ${shown(scheme)}, and ${x509Scheme} is known only`);
  const unknown = critical.find((header) => !understood.has(header));
  if (unknown !== undefined) throw new Refused("type", `it has a critical header that is not known: ${shown(unknown)}`);
  if (!critical.includes(schemeHeader)) throw new Refused("type", `its header ${schemeHeader} is not marked as critical`);
}

/** A header's value may be of any type. */
function shown(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? JSON.stringify(value) : `a value of type ${typeof value}`;
}
