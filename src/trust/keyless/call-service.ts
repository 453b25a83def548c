/** One POST to one of sigstore's services: bounded in time and size, tried again where the service is only busy. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { networkFailureText } from "../../registry/network-error.ts";
import { sleep } from "../../registry/retry.ts";

export interface ServiceCall {
  readonly url: string;
  /** for messages: "gave no certificate" */
  readonly failing: string;
  readonly contentType: string;
  readonly body: string | Buffer;
  /** what no message may have in it; "": nothing */
  readonly secret: string;
  readonly signal?: AbortSignal | undefined;
}

const timeoutMs = 30_000;
const maxAnswerBytes = 4 << 20;
const waitsMs = [500, 2000];

/** Fails with KEYLESS_REFUSED (denied) and KEYLESS_UNAVAILABLE (unavailable). */
export async function callService(call: ServiceCall): Promise<Buffer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await answerOf(call);
    if (Buffer.isBuffer(answer)) return answer;
    const waitMs = waitsMs[attempt];
    if (answer.kind !== "unavailable" || waitMs === undefined) throw answer;
    await sleep(waitMs, call.signal);
  }
}

async function answerOf({ url, failing, contentType, body, secret, signal }: ServiceCall): Promise<Buffer | SlipwayError> {
  const hidden = (text: string): string => printable(secret === "" ? text : text.replaceAll(secret, "***")).slice(0, 500);
  try {
    const { status, bytes } = await exchange({ method: "POST", url, contentType, body, signal });
    if (status === 200 || status === 201) return bytes;
    const isRefused = status >= 300 && status < 500 && status !== 408 && status !== 429;
    const said = hidden(bytes.subarray(0, 2000).toString().trim());
    const message = `${url} ${failing}: HTTP ${status}${said === "" ? "" : `, ${said}`}`;
    const details = { url, status, bare: true };
    return isRefused
      ? new SlipwayError("denied", "KEYLESS_REFUSED", message, details)
      : new SlipwayError("unavailable", "KEYLESS_UNAVAILABLE", message, details);
  } catch (error) {
    if (!isSlipwayError(error, "KEYLESS_UNAVAILABLE")) throw error;
    return new SlipwayError("unavailable", "KEYLESS_UNAVAILABLE", `${url} ${failing}: ${hidden(error.message)}`, { url, bare: true });
  }
}

export interface Exchange {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly contentType?: string;
  readonly authorization?: string;
  readonly body?: string | Buffer;
  readonly signal?: AbortSignal | undefined;
}

/** One request, whatever the answer says. Fails with KEYLESS_UNAVAILABLE (unavailable) where there is none, RESPONSE_TOO_LARGE (resource_exhausted). */
export async function exchange({
  method,
  url,
  contentType,
  authorization,
  body,
  signal,
}: Exchange): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  const { request, EnvHttpProxyAgent } = await import("undici");
  const dispatcher = new EnvHttpProxyAgent();
  const stop = AbortSignal.timeout(timeoutMs);
  try {
    const response = await request(url, {
      method,
      headers: {
        accept: "*/*",
        ...(contentType === undefined ? {} : { "content-type": contentType }),
        ...(authorization === undefined ? {} : { authorization }),
      },
      ...(body === undefined ? {} : { body }),
      dispatcher,
      signal: signal === undefined ? stop : AbortSignal.any([signal, stop]),
    });
    return { status: response.statusCode, bytes: await readBounded(response.body) };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof SlipwayError) throw error;
    throw new SlipwayError("unavailable", "KEYLESS_UNAVAILABLE", networkFailureText(error, method, new URL(url)), { url, bare: true });
  } finally {
    await dispatcher.close();
  }
}

async function readBounded(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxAnswerBytes) throw new SlipwayError("resource_exhausted", "RESPONSE_TOO_LARGE", `an answer is larger than ${maxAnswerBytes} bytes`, {});
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
