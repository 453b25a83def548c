/** A time stamp over a signature from any authority that speaks RFC 3161 over HTTP. @see RFC 3161, 3.4 */
import { randomBytes } from "node:crypto";
import { callService } from "./call-service.ts";
import { timestampRequest } from "./timestamp-request.ts";

export interface StampCall {
  /** what no message may have in it */
  readonly secret?: string;
  readonly signal?: AbortSignal | undefined;
}

/** The answer as DER. Fails with KEYLESS_REFUSED (denied), KEYLESS_UNAVAILABLE (unavailable). */
export async function requestStamp(url: string, signature: Uint8Array, { secret = "", signal }: StampCall): Promise<Buffer> {
  const body = timestampRequest(signature, randomBytes(8));
  return await callService({ url, secret, signal, failing: "gave no time stamp", contentType: "application/timestamp-query", body });
}
