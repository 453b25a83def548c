/**
 * Answers to a registry's 401: Basic credentials, or a Bearer token from the server that the registry names.
 * @see distribution-spec, "Token Authentication Specification" and "Oauth2 Token Authentication"
 */
import { SlipwayError, isSlipwayError } from "../base/errors.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import { familiarRepository, formatReference } from "../oci/reference.ts";
import type { Reference } from "../oci/reference.ts";
import { parseChallenges } from "./challenge.ts";
import type { Challenge } from "./challenge.ts";
import type { Credential, CredentialSource } from "./credentials.ts";
import type { Endpoint } from "./endpoint.ts";
import { abortError } from "./network-error.ts";
import { readBody } from "./read-body.ts";
import { responseError } from "./response-error.ts";
import { askTokenServer, basicHeader, type TokenQuestion } from "./token-request.ts";
import type { Transport, TransportResponse } from "./transport.ts";

export interface AuthorizerOptions {
  readonly transport: Transport;
  readonly credentials: CredentialSource;
  readonly userAgent: string;
  /** milliseconds since the epoch */
  readonly now: () => number;
  /** for a whole exchange with a token server */
  readonly timeoutMs: number;
}

/** What a request wants to do and where. */
export interface Access {
  readonly endpoint: Endpoint;
  readonly reference: Reference;
  readonly actions: "pull" | "pull,push" | "delete";
  /** another repository of that registry, to be read: a blob is mounted from there */
  readonly from?: string | undefined;
}

export interface Authorizer {
  /** The Authorization header that was accepted before and is still valid. `origin` is the registry's. */
  known(origin: string, access: Access): string | undefined;
  /**
   * The header that answers the 401 to a request that carried `refused`. Fails with UNAUTHORIZED or LOGIN_REFUSED (unauthenticated) when there is nothing
   * to answer with; then a credential helper that did not work is named as the cause.
   */
  answer(response: TransportResponse, access: Access, refused: string | undefined, signal?: AbortSignal): Promise<string>;
}

interface Grant {
  readonly header: string;
  readonly expiresAtMs: number;
}

const maxTokenBytes = 1024 * 1024;
/** the specification's lifetime of a token that does not say its own */
const defaultLifetimeS = 60;
/** so long before its end a token is not used any more */
const marginMs = 5_000;

function scopesOf(access: Access): readonly string[] {
  const own = `repository:${access.endpoint.repository}:${access.actions}`;
  return access.from === undefined ? [own] : [own, `repository:${access.from}:pull`];
}

function unauthorized(access: Access, reason: string, cause?: unknown): SlipwayError {
  const name = familiarRepository(access.reference);
  const writes = access.actions !== "pull";
  const words = `${writes ? "push" : "pull"} access denied`;
  const hint = isSlipwayError(cause, "CREDENTIAL_HELPER_FAILED") ? ` (${cause.message})` : "";
  return new SlipwayError(
    "unauthenticated",
    "UNAUTHORIZED",
    writes
      ? `${words}, repository does not exist or may require authorization: authorization failed: ${reason}${hint}`
      : `${words} for ${name}, repository does not exist or may require 'docker login': ${reason}${hint}`,
    {
      reference: formatReference(access.reference),
      host: access.endpoint.host,
      resolveMessage: `${words}, repository does not exist or may require authorization: authorization failed: ${reason}`,
    },
    cause,
  );
}

/** The token server's address. It may be another host than the registry, but not a less safe one. */
function parseRealm(challenge: Challenge, registry: URL, access: Access): URL {
  const realm = URL.parse(challenge.parameters["realm"] ?? "");
  const plainAllowed = registry.protocol === "http:" || !access.endpoint.verifyTls;
  const usable =
    realm !== null && (realm.protocol === "https:" || (realm.protocol === "http:" && plainAllowed)) && realm.username === "" && realm.password === "";
  if (usable) return realm;
  throw new SlipwayError(
    "denied",
    "BAD_TOKEN_SERVER",
    `${registry.host} names a token server that is not to be trusted with credentials: ${JSON.stringify((challenge.parameters["realm"] ?? "").slice(0, 200))}`,
    {
      host: registry.host,
    },
  );
}

/** The challenge's scope, and what it does not know that we want. */
function askedScopes(challenge: Challenge, access: Access): readonly string[] {
  const [own = "", ...further] = scopesOf(access);
  const asked = challenge.parameters["scope"] || own;
  return [asked, ...further.filter((scope) => !asked.split(" ").includes(scope))];
}

function parseGrant(bytes: Uint8Array, nowMs: number): Grant & { readonly identity: string } {
  const what = "token server's answer";
  const fields = new Fields(parseJsonObject(bytes, what, { maxBytes: maxTokenBytes, maxDepth: 16 }), what);
  const token = fields.string("token") || fields.string("access_token") || "";
  if (!/^[\x21-\x7e]+$/.test(token)) throw fields.fail("token", "a token of printable characters");
  const lifetimeS = Math.max(defaultLifetimeS, fields.integer("expires_in") ?? 0);
  const identity = fields.string("refresh_token") ?? "";
  return { header: `Bearer ${token}`, expiresAtMs: nowMs + lifetimeS * 1000 - marginMs, identity };
}

export function createAuthorizer(options: AuthorizerOptions): Authorizer {
  const granted = new Map<string, Grant>();
  const pending = new Map<string, Promise<Grant>>();
  /** identity tokens that servers gave in the place of those that we know, which may be good for one use only */
  const renewed = new Map<string, string>();
  const keyOf = (origin: string, access: Access): string => `${origin} ${scopesOf(access).join(" ")}`;

  async function lookup(access: Access): Promise<{ credential: Credential | undefined; failure: unknown }> {
    const { credentialHost, repository } = access.endpoint;
    try {
      return { credential: await options.credentials.lookup(credentialHost, repository), failure: undefined };
    } catch (failure) {
      // a broken helper is no reason not to try a public image; it is named if that does not help
      return { credential: undefined, failure };
    }
  }

  async function fetchToken(challenge: Challenge, registry: URL, access: Access, known: TokenQuestion["credential"]): Promise<Grant> {
    const realm = parseRealm(challenge, registry, access);
    const credential = known?.kind === "identity" ? { ...known, token: renewed.get(known.token) ?? known.token } : known;
    const { method, response } = await askTokenServer(options.transport, {
      realm,
      service: challenge.parameters["service"],
      scopes: askedScopes(challenge, access),
      credential,
      offline: false,
      userAgent: options.userAgent,
      registryHost: registry.host,
      verifyTls: access.endpoint.verifyTls || realm.host !== access.endpoint.host,
      signal: AbortSignal.timeout(options.timeoutMs),
    });
    if (response.status !== 200) throw await responseError({ reference: access.reference, subject: "token", method }, response, options.now());
    const grant = parseGrant(await readBody(response, maxTokenBytes, "token"), options.now());
    if (known?.kind === "identity" && grant.identity !== "") renewed.set(known.token, grant.identity);
    return grant;
  }

  async function grantFor(response: TransportResponse, access: Access): Promise<Grant> {
    const challenges = parseChallenges(response.headers["www-authenticate"]);
    const { credential, failure } = await lookup(access);
    const bearer = challenges.find((challenge) => challenge.scheme === "bearer");
    if (bearer !== undefined) {
      if (credential?.kind === "bearer") return { header: `Bearer ${credential.token}`, expiresAtMs: Infinity };
      try {
        return await fetchToken(bearer, response.url, access, credential);
      } catch (error) {
        throw failure !== undefined && isSlipwayError(error, "LOGIN_REFUSED") ? unauthorized(access, error.message, failure) : error;
      }
    }
    const wantsBasic = challenges.some((challenge) => challenge.scheme === "basic");
    if (!wantsBasic) throw unauthorized(access, "the registry asks for no kind of authorization that is known", failure);
    if (credential?.kind !== "basic") throw unauthorized(access, "no basic auth credentials", failure);
    return { header: basicHeader(credential.username, credential.password), expiresAtMs: Infinity };
  }

  async function grantOnce(key: string, response: TransportResponse, access: Access): Promise<Grant> {
    try {
      const grant = await grantFor(response, access);
      granted.set(key, grant);
      return grant;
    } finally {
      pending.delete(key);
    }
  }

  /** One exchange for all that wait for the same: it goes on when one of them is canceled. */
  function shared(key: string, response: TransportResponse, access: Access): Promise<Grant> {
    let work = pending.get(key);
    if (work === undefined) {
      work = grantOnce(key, response, access);
      work.catch(() => {}); // all who waited may have left
      pending.set(key, work);
    }
    return work;
  }

  function known(origin: string, access: Access): string | undefined {
    const grant = granted.get(keyOf(origin, access));
    return grant !== undefined && grant.expiresAtMs > options.now() ? grant.header : undefined;
  }

  return {
    known,
    async answer(response, access, refused, signal) {
      // another request may have got an answer while this one was on its way
      const meanwhile = known(response.url.origin, access);
      if (meanwhile !== undefined && meanwhile !== refused) return meanwhile;
      return (await abortable(shared(keyOf(response.url.origin, access), response, access), signal)).header;
    },
  };
}

async function abortable<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (signal === undefined) return work;
  if (signal.aborted) throw abortError(signal);
  const { promise, reject } = Promise.withResolvers<never>();
  const leave = (): void => reject(abortError(signal));
  signal.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", leave);
  }
}
