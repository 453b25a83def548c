/** Has a signature of notation's stamped: the token out of the authority's answer. @see RFC 3161, 2.4.2 */
import { SlipwayError } from "../../base/errors.ts";
import { requestStamp } from "../keyless/request-stamp.ts";

/** Fails with KEYLESS_REFUSED (denied), KEYLESS_UNAVAILABLE (unavailable), KEYLESS_INVALID (data_loss). */
export async function stampSignature(url: string, signature: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const answer = await requestStamp(url, signature, { signal });
  const { ASN1Obj } = await import("@sigstore/core");
  let parts;
  try {
    const [status, token] = ASN1Obj.parseBuffer(Buffer.from(answer)).subs;
    parts = { status: status?.subs[0]?.toInteger(), token: token?.toDER() };
  } catch {
    parts = { status: undefined, token: undefined };
  }
  // granted, or granted with changes
  if ((parts.status !== 0n && parts.status !== 1n) || parts.token === undefined) {
    const why = parts.status === undefined ? "answered with something that is no time stamp" : `gave no time stamp: status ${parts.status}`;
    throw new SlipwayError("data_loss", "KEYLESS_INVALID", `${url} ${why}`, { url, bare: true });
  }
  return parts.token;
}
