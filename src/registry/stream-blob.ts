/** Blobs as streams that survive broken connections. @see distribution-spec, "Pulling blobs"; RFC 9110, 14 */
import { SlipwayError } from "../base/errors.ts";
import { isNondistributable, type Descriptor } from "../oci/manifest.ts";
import type { Reference } from "../oci/reference.ts";
import type { OpenBlobOptions } from "./client.ts";
import type { Endpoint } from "./endpoint.ts";
import { mirrorFailure, withMirrorFailures } from "./fallthrough.ts";
import type { MirrorFailure } from "./fallthrough.ts";
import type { Limiter } from "./limiter.ts";
import { isTransient } from "./network-error.ts";
import { nextDelay, sleep } from "./retry.ts";
import type { Retry } from "./retry.ts";
import type { Sender } from "./sender.ts";
import type { TransportResponse } from "./transport.ts";
import { createVerifier, sizeMismatch } from "./verified-bytes.ts";
import type { Verifier } from "./verified-bytes.ts";

export interface BlobStreamOptions {
  readonly sender: Sender;
  readonly limiter: Limiter;
  readonly retry: Retry;
  /** in [0, 1) */
  readonly random: () => number;
}

/** So much has to come before a further break counts as the first one again. */
const progressBytes = 1024 * 1024;

function badRange(descriptor: Descriptor, host: string, got: string): SlipwayError {
  return new SlipwayError("data_loss", "BAD_RANGE", `blob ${descriptor.digest} from ${host}: asked for a range, got ${JSON.stringify(got)}`, { host });
}

/** Bytes to drop from the response's start to be at `position`; fails when the response cannot be the rest of this blob. */
function skipLength(response: TransportResponse, descriptor: Descriptor, position: number): number {
  const host = response.url.host;
  const declared = response.headers["content-length"];
  let start = 0;
  if (response.status === 206) {
    const range = response.headers["content-range"] ?? "";
    const [, first, total] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(range) ?? [];
    if (first === undefined || Number(first) > position) throw badRange(descriptor, host, range.slice(0, 100));
    if (total !== "*" && Number(total) !== descriptor.size) throw sizeMismatch(descriptor, host, `${String(total)} bytes declared`);
    start = Number(first);
  }
  if (declared !== undefined && Number(declared) !== descriptor.size - start)
    throw sizeMismatch(descriptor, host, `${Number(declared) + start} bytes declared`);
  return position - start;
}

async function* dropFirst(body: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array, void> {
  let left = count;
  for await (const chunk of body) {
    if (chunk.length > left) yield left === 0 ? chunk : chunk.subarray(left);
    left = Math.max(0, left - chunk.length);
  }
}

/** Asks for the blob's bytes from `position` on; the body may still bring too few or too many. */
async function openRange(
  sender: Sender,
  endpoint: Endpoint,
  reference: Reference,
  descriptor: Descriptor,
  position: number,
  address: URL | undefined,
  signal: AbortSignal | undefined,
): Promise<AsyncIterable<Uint8Array>> {
  const response = await sender.send({
    endpoint,
    reference,
    actions: "pull",
    subject: "blob",
    method: "GET",
    path: address ?? `blobs/${descriptor.digest}`,
    // a proxy that compresses would change the bytes that the digest speaks of
    headers: { "accept-encoding": "identity", ...(position === 0 ? {} : { range: `bytes=${position}-` }) },
    contentAddressed: true,
    signal,
  });
  try {
    const skip = skipLength(response, descriptor, position);
    return skip === 0 ? response.body : dropFirst(response.body, skip);
  } catch (error) {
    response.discard();
    throw error;
  }
}

/** Streams from one endpoint; a body that breaks or ends early is asked for again from where it stopped. */
async function* streamFrom(
  { endpoint, address }: BlobPlace,
  reference: Reference,
  descriptor: Descriptor,
  verifier: Verifier,
  signal: AbortSignal | undefined,
  options: BlobStreamOptions,
): AsyncGenerator<Uint8Array, void> {
  let reached = verifier.position;
  for (let failures = 1; ; failures++) {
    const body = await openRange(options.sender, endpoint, reference, descriptor, verifier.position, address, signal);
    let broken: unknown;
    try {
      for await (const chunk of body) {
        verifier.take(chunk);
        yield chunk;
      }
      if (verifier.position === descriptor.size) return;
      broken = sizeMismatch(descriptor, endpoint.host, `${verifier.position} bytes`);
    } catch (error) {
      if (!isTransient(error)) throw error;
      broken = error;
    }
    if (verifier.position - reached >= progressBytes) failures = 1;
    reached = verifier.position;
    const delay = nextDelay(failures, options.retry, options.random());
    if (delay === undefined) throw broken;
    await sleep(delay, signal);
  }
}

interface BlobPlace {
  readonly endpoint: Endpoint;
  /** another address than the endpoint's; it gets no credentials, and nothing is configured for it */
  readonly address?: URL;
}

/** Registries do not keep what must not be distributed: its descriptor says where it is. Other blobs may have addresses besides. */
function placesOf(endpoints: readonly Endpoint[], { mediaType, urls = [] }: Descriptor): readonly BlobPlace[] {
  const origin = endpoints.at(-1);
  const known: readonly BlobPlace[] = endpoints.map((endpoint) => ({ endpoint }));
  if (origin === undefined || urls.length === 0) return known;
  const elsewhere = urls.flatMap((text): readonly BlobPlace[] => {
    const address = URL.parse(text);
    return address !== null && /^https?:$/.test(address.protocol) && address.username === "" ? [{ endpoint: origin, address }] : [];
  });
  return isNondistributable(mediaType) ? [...elsewhere, ...known] : [...known, ...elsewhere];
}

/**
 * Yields the blob from `call.offset` on and ends only if size and digest agree; fails with SIZE_MISMATCH,
 * DIGEST_MISMATCH or BAD_RANGE (data_loss) and never yields more than the declared size. A connection that breaks is
 * taken up again where it broke, at the same endpoint and then at the next; the bytes already yielded are not repeated.
 */
export async function* streamBlob(
  endpoints: readonly Endpoint[],
  reference: Reference,
  descriptor: Descriptor,
  call: OpenBlobOptions,
  options: BlobStreamOptions,
): AsyncGenerator<Uint8Array, void> {
  using _permit = await options.limiter.acquire(call.signal);
  const mirrors: MirrorFailure[] = [];
  let host = "";
  const verifier = createVerifier(descriptor, () => host, call.offset, call.hash);
  const complete = descriptor.size > 0 && verifier.position === descriptor.size;
  const places = placesOf(endpoints, descriptor);
  for (const place of complete ? [] : places) {
    const { endpoint, address } = place;
    host = address?.host ?? endpoint.host;
    try {
      yield* streamFrom(place, reference, descriptor, verifier, call.signal, options);
      break;
    } catch (error) {
      if (call.signal?.aborted === true) throw error;
      const failure = mirrorFailure({ ...endpoint, host }, error);
      if (place === places.at(-1)) throw isNondistributable(descriptor.mediaType) ? (mirrors[0] ?? failure).error : withMirrorFailures(error, mirrors);
      mirrors.push(failure);
    }
  }
  verifier.finish();
}
