/**
 * One HTTP exchange as the registry protocol needs it: redirects followed by our own rules, deadlines on every wait,
 * errors in Docker's words. Credentials go to the origin (scheme, host, port) that the request was made for.
 */
import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { SlipwayError } from "../base/errors.ts";
import type { Dispatchers } from "./dispatchers.ts";
import { displayUrl, networkError } from "./network-error.ts";
import { loadRequest } from "./undici.ts";

export type Headers = Readonly<Record<string, string>>;

/**
 * A stream is opened anew for each exchange, so that a request can be sent again; it needs a content-length. Its next chunk is asked for when
 * the one before is written, where that was at least as long as a socket's buffer (64 KiB): then its memory may be used again.
 */
export type RequestBody = string | Uint8Array | (() => AsyncIterable<Uint8Array>);

export interface TransportRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  /** names in lower case */
  readonly headers: Headers;
  readonly body?: RequestBody | undefined;
  readonly verifyTls: boolean;
  /** the host whose own authorities count besides, as a registry's do for its token server */
  readonly authoritiesOf?: string | undefined;
  /** Whether a redirect may lead from https to http: only where the content is checked by its digest anyway. */
  readonly plainRedirect: boolean;
  /** false: a redirect is an answer like others; true when absent */
  readonly followRedirects?: boolean;
  /** another bound for the wait for the response's headers, counted from where the body was sent */
  readonly headersMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface TransportResponse {
  readonly status: number;
  /** names in lower case; a header that came several times is joined with ", " */
  readonly headers: Headers;
  /** where the redirects ended */
  readonly url: URL;
  /** Has to be read or discarded; leaving the loop early closes the connection. Fails as the request does. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Drops the body; a short one is read to its end, so that the connection can be used again. */
  discard(): void;
}

export interface Transport {
  /** Fails with the codes of networkError and with BAD_REDIRECT (denied); an HTTP status is no failure here. */
  request(request: TransportRequest): Promise<TransportResponse>;
  close(): Promise<void>;
}

export interface Timeouts {
  readonly connectMs: number;
  /** until the response's headers are there */
  readonly headersMs: number;
  /** between two pieces of a body */
  readonly idleMs: number;
  /** until the answer to the last bytes of an upload */
  readonly finishMs: number;
  /** for a whole manifest, token or list of tags */
  readonly documentMs: number;
}

export const defaultTimeouts: Timeouts = { connectMs: 15_000, headersMs: 30_000, idleMs: 30_000, finishMs: 300_000, documentMs: 60_000 };

const maxRedirects = 5;
const redirects = new Set([301, 302, 303, 307, 308]);
/** those after which a request with a body is sent as it is */
const keepingMethod = new Set([307, 308]);

function badRedirect(from: URL, why: string): SlipwayError {
  return new SlipwayError("denied", "BAD_REDIRECT", `${displayUrl(from)}: ${why}`, { url: displayUrl(from) });
}

/** What another host may know: the rest is configured for the one that sent us there, and may be secret. */
const forEverybody = new Set(["accept", "accept-encoding", "content-length", "content-range", "content-type", "range", "user-agent"]);

/** The request that a redirect asks for. Authorization and headers of the host's own stay behind when scheme, host or port change. */
export function nextHop(request: TransportRequest, location: string): TransportRequest {
  const url = URL.parse(location, request.url.href);
  if (url === null || !/^https?:$/.test(url.protocol)) throw badRedirect(request.url, "redirects to an address that is not http or https");
  if (url.protocol === "http:" && request.url.protocol === "https:" && !request.plainRedirect) {
    throw badRedirect(request.url, `redirects from https to plain http (${url.host})`);
  }
  url.username = url.password = url.hash = "";
  if (url.origin === request.url.origin) return { ...request, url };
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => forEverybody.has(name)));
  // that a registry's certificate is not to be checked says nothing about the host it sends us to
  return { ...request, url, headers, authoritiesOf: undefined, verifyTls: request.verifyTls || url.hostname !== request.url.hostname };
}

function joinHeaders(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : (value ?? "")]));
}

type Body = Dispatcher.ResponseData["body"];

async function* readStream(body: Body, request: TransportRequest): AsyncGenerator<Uint8Array, void> {
  try {
    yield* body as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw networkError(error, request.method, request.url, request.signal);
  }
}

function createResponse(request: TransportRequest, status: number, headers: Headers, body: Body): TransportResponse {
  // a body that is dropped fails with an abort that nobody waits for
  const ignore = (): void => {};
  body.on("error", ignore);
  const discard = (): void => void body.dump({ limit: 64 * 1024, signal: AbortSignal.timeout(500) }).catch(ignore);
  return { status, headers, url: request.url, body: readStream(body, request), discard };
}

/** undici takes iterables, though its types do not say so, and waits for each chunk to be written, as a stream between would not. */
function openBody(body: RequestBody | undefined): Readable | string | Uint8Array | null {
  return typeof body === "function" ? (body() as unknown as Readable) : (body ?? null);
}

export function createTransport(dispatchers: Dispatchers, timeouts: Timeouts): Transport {
  async function exchange(request: TransportRequest): Promise<TransportResponse> {
    const { method, url, headers, signal = null, headersMs = timeouts.headersMs } = request;
    const body = openBody(request.body);
    try {
      const dispatcher = dispatchers.forUrl(url, request.verifyTls, request.authoritiesOf);
      const options = { origin: url.origin, path: url.pathname + url.search, method, headers, body, signal };
      // undici closes a connection after HEAD otherwise, and every blob that is pushed is asked for that way
      const response = await loadRequest().call(dispatcher, { ...options, headersTimeout: headersMs, bodyTimeout: timeouts.idleMs, reset: false });
      return createResponse(request, response.statusCode, joinHeaders(response.headers), response.body);
    } catch (error) {
      throw networkError(error, method, url, request.signal, dispatchers.proxyFor(url));
    }
  }

  /** Node's own authorities first; the system's, which take 40 ms to load, once these do not know an issuer. */
  async function exchangeTrusting(request: TransportRequest): Promise<TransportResponse> {
    try {
      return await exchange(request);
    } catch (error) {
      const untrusted = error instanceof SlipwayError && error.code === "CERTIFICATE_UNTRUSTED";
      if (!untrusted || !dispatchers.trustSystem(request.url.host)) throw error;
      return exchange(request);
    }
  }

  return {
    async request(first) {
      let request = first;
      for (let hops = 0; ; hops++) {
        const response = await exchangeTrusting(request);
        const location = response.headers["location"];
        const reads = request.method === "GET" || request.method === "HEAD";
        if (location === undefined || request.followRedirects === false || !(reads ? redirects : keepingMethod).has(response.status)) return response;
        response.discard();
        if (hops === maxRedirects) throw badRedirect(first.url, `stopped after ${maxRedirects} redirects`);
        request = nextHop(request, location);
      }
    },
    close: () => dispatchers.close(),
  };
}
