/** Requests to one repository at one endpoint: which scheme it speaks, authorization, and trying again. */
import { SlipwayError, isSlipwayError } from "../base/errors.ts";
import type { Access, Authorizer } from "./auth.ts";
import type { RegistryWait } from "./client.ts";
import { abortError, isTransient } from "./network-error.ts";
import { responseError } from "./response-error.ts";
import type { Asked } from "./response-error.ts";
import { nextDelay, sleep } from "./retry.ts";
import type { Retry } from "./retry.ts";
import type { Headers, RequestBody, Transport, TransportRequest, TransportResponse } from "./transport.ts";

export interface SenderOptions {
  readonly transport: Transport;
  readonly authorizer: Authorizer;
  readonly userAgent: string;
  /** for every registry; an endpoint's own come on top */
  readonly headers?: Headers | undefined;
  readonly retry: Retry;
  readonly now: () => number;
  /** in [0, 1) */
  readonly random: () => number;
  readonly onWait?: ((wait: RegistryWait) => void) | undefined;
  /** which sources of credentials were tried for a host, and why none was used */
  readonly explain?: ((credentialHost: string) => readonly string[]) | undefined;
}

export interface RepositoryRequest extends Access {
  readonly subject: Asked["subject"];
  readonly method: TransportRequest["method"];
  /** below /v2/<repository>/: "manifests/latest"; or the address that the registry gave. Another host than the registry's gets no credentials. */
  readonly path: string | URL;
  readonly headers: Headers;
  /** whether the content is checked by a digest that is known beforehand */
  readonly contentAddressed: boolean;
  readonly body?: RequestBody | undefined;
  /** the statuses of success; 200 and 206 when absent */
  readonly statuses?: readonly number[];
  /** another bound for the wait for the response's headers */
  readonly headersMs?: number;
  /** the request is made once: what it did before it failed has to be found out first */
  readonly once?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface Sender {
  /** Resolves with a response of a status that is wanted; everything else fails with networkError's or responseError's codes. */
  send(request: RepositoryRequest): Promise<TransportResponse>;
}

/** How long to wait before trying again what failed so, or undefined where that is useless. */
export function delayAfter(error: unknown, failures: number, retry: Retry, random: number): number | undefined {
  const temporary = isTransient(error) || isSlipwayError(error, "TOO_MANY_REQUESTS") || isSlipwayError(error, "REGISTRY_UNAVAILABLE");
  if (!temporary) return undefined;
  const asked = error instanceof SlipwayError ? error.details["retryAfterMs"] : undefined;
  return nextDelay(failures, retry, random, typeof asked === "number" ? asked : 0);
}

function reasonOf(error: unknown): string {
  if (isSlipwayError(error, "TOO_MANY_REQUESTS")) return "too many requests";
  if (isSlipwayError(error, "REGISTRY_UNAVAILABLE")) return `it answers ${String(error.details["status"])}`;
  return "the connection broke";
}

/** Signs that a host does not speak TLS, or nobody listens at the port of https. */
const noTls = new Set(["CONNECTION_REFUSED", "PLAIN_HTTP_REGISTRY", "CONNECTION_LOST"]);

const unknownUser = new Set(["UNAUTHORIZED", "ACCESS_DENIED", "LOGIN_REFUSED"]);

export function createSender(options: SenderOptions): Sender {
  /** by host: the scheme that worked */
  const spoken = new Map<string, "https" | "http">();

  async function sendAuthorized(request: RepositoryRequest, scheme: "https" | "http"): Promise<TransportResponse> {
    const { endpoint, method, body, headersMs, signal } = request;
    const base = new URL(`${scheme}://${endpoint.host}/v2/${endpoint.repository}/`);
    const url = request.path instanceof URL ? request.path : new URL(base.href + request.path);
    const attempt = (authorization?: string): Promise<TransportResponse> => {
      const own = url.origin === base.origin ? { ...options.headers, ...endpoint.headers } : {};
      const headers = { "user-agent": options.userAgent, ...own, ...request.headers, ...(authorization === undefined ? {} : { authorization }) };
      const verifyTls = endpoint.verifyTls || url.hostname !== base.hostname;
      return options.transport.request({ method, url, headers, body, verifyTls, plainRedirect: request.contentAddressed, headersMs, signal });
    };
    if (url.origin !== base.origin) return attempt();
    const known = options.authorizer.known(url.origin, request);
    const response = await attempt(known);
    // a 401 from where a redirect led is not the registry's
    if (response.status !== 401 || response.url.origin !== url.origin) return response;
    response.discard();
    return attempt(await options.authorizer.answer(response, request, known, signal));
  }

  async function sendAnyScheme(request: RepositoryRequest): Promise<TransportResponse> {
    const { host, schemes } = request.endpoint;
    const known = spoken.get(host);
    let first: unknown;
    for (const scheme of known === undefined ? schemes : [known]) {
      try {
        const response = await sendAuthorized(request, scheme);
        if (!(request.path instanceof URL)) spoken.set(host, scheme);
        return response;
      } catch (error) {
        // a server of plain http says nothing with its answer to TLS: what it does over http counts
        if (first === undefined || isSlipwayError(first, "PLAIN_HTTP_REGISTRY")) first = error;
        if (!(error instanceof SlipwayError) || !noTls.has(error.code)) throw error;
      }
    }
    throw first;
  }

  /** A refusal says what we know of who we are. */
  async function sendExplained(request: RepositoryRequest): Promise<TransportResponse> {
    try {
      return await sendOnce(request);
    } catch (error) {
      if (!(error instanceof SlipwayError) || !unknownUser.has(error.code)) throw error;
      const tried = options.explain?.(request.endpoint.credentialHost) ?? [];
      if (tried.length === 0) throw error;
      throw new SlipwayError(error.kind, error.code, error.message, { ...error.details, tried }, error.cause);
    }
  }

  async function sendOnce(request: RepositoryRequest): Promise<TransportResponse> {
    const response = await sendAnyScheme(request);
    if ((request.statuses ?? [200, 206]).includes(response.status)) return response;
    throw await responseError(request, response, options.now());
  }

  return {
    async send(request) {
      for (let failures = 1; ; failures++) {
        if (request.signal?.aborted === true) throw abortError(request.signal);
        try {
          return await sendExplained(request);
        } catch (error) {
          const delay = request.once === true ? undefined : delayAfter(error, failures, options.retry, options.random());
          if (delay === undefined) throw error;
          options.onWait?.({ host: request.endpoint.host, delayMs: delay, reason: reasonOf(error) });
          await sleep(delay, request.signal);
        }
      }
    },
  };
}
