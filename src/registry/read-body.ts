/** Small bodies as a whole, never more than their bound. */
import { SlipwayError } from "../base/errors.ts";
import type { TransportResponse } from "./transport.ts";

/**
 * Reads the body to its end. Fails with RESPONSE_TOO_LARGE (resource_exhausted) as soon as more than `limit` bytes are
 * declared or come; the rest is not read. `what` names the body in the message.
 */
export async function readBody(response: TransportResponse, limit: number, what: string): Promise<Uint8Array> {
  const tooLarge = (): SlipwayError => {
    return new SlipwayError("resource_exhausted", "RESPONSE_TOO_LARGE", `${what} from ${response.url.host} is larger than ${limit} bytes`, { limit });
  };
  if (Number(response.headers["content-length"] ?? 0) > limit) {
    response.discard();
    throw tooLarge();
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > limit) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The first bytes of an error's body; whatever goes wrong with it, the error itself is what counts. */
export async function readBeginning(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // what came until then is used
  }
  return Buffer.concat(chunks).toString("utf8", 0, limit);
}
