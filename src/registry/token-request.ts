/**
 * How a token server is asked: a GET with Basic for passwords, a POST of OAuth 2 for identity tokens, and the other one where the
 * server does not know the first. @see distribution-spec, "Token Authentication Specification" and "Oauth2 Token Authentication"
 */
import { noName, type Credential } from "./credentials.ts";
import type { Headers, Transport, TransportRequest, TransportResponse } from "./transport.ts";

export interface TokenQuestion {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly string[];
  readonly credential: Exclude<Credential, { readonly kind: "bearer" }> | undefined;
  /** also a token that outlives the others, to be kept in the place of the password */
  readonly offline: boolean;
  readonly userAgent: string;
  readonly verifyTls: boolean;
  /** the registry, whose authorities its token server is trusted by too */
  readonly registryHost: string;
  readonly signal?: AbortSignal | undefined;
}

const clientId = "slipway";
/** Servers that know one way only say so like this; a wrong password is told otherwise. */
const unknownWay = new Set([404, 405]);

export function basicHeader(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function request(question: TokenQuestion, headers: Headers): Omit<TransportRequest, "method" | "url"> {
  const { userAgent, verifyTls, registryHost, signal } = question;
  return { headers: { accept: "application/json", "user-agent": userAgent, ...headers }, verifyTls, authoritiesOf: registryHost, plainRedirect: false, signal };
}

function byGet(question: TokenQuestion): TransportRequest {
  const { realm, service, scopes, credential, offline } = question;
  const url = new URL(realm);
  const [username, password] =
    credential?.kind === "identity" ? [credential.username ?? noName, credential.token] : [credential?.username, credential?.password];
  if (service !== undefined) url.searchParams.append("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (username === undefined || password === undefined) return { method: "GET", url, ...request(question, {}) };
  url.searchParams.append("account", username);
  if (offline)
    for (const [name, value] of [
      ["client_id", clientId],
      ["offline_token", "true"],
    ] as const)
      url.searchParams.append(name, value);
  return { method: "GET", url, ...request(question, { authorization: basicHeader(username, password) }) };
}

function byPost(question: TokenQuestion, credential: NonNullable<TokenQuestion["credential"]>): TransportRequest {
  const { realm, service, scopes, offline } = question;
  const proof: readonly (readonly [string, string])[] =
    credential.kind === "identity"
      ? [
          ["grant_type", "refresh_token"],
          ["refresh_token", credential.token],
        ]
      : [
          ["grant_type", "password"],
          ["username", credential.username],
          ["password", credential.password],
        ];
  const form = new URLSearchParams([
    ...(service === undefined ? [] : [["service", service] as [string, string]]),
    ...(scopes.length === 0 ? [] : [["scope", scopes.join(" ")] as [string, string]]),
    ["client_id", clientId],
    ...(offline ? [["access_type", "offline"] as [string, string]] : []),
    ...proof.map(([name, value]): [string, string] => [name, value]),
  ]);
  return { method: "POST", url: realm, body: form.toString(), ...request(question, { "content-type": "application/x-www-form-urlencoded" }) };
}

export interface TokenAnswer {
  readonly method: "GET" | "POST";
  readonly response: TransportResponse;
}

/** The answer, whatever its status, of the way that the server knows. Fails as the transport does. */
export async function askTokenServer(transport: Transport, question: TokenQuestion): Promise<TokenAnswer> {
  const { credential } = question;
  const get = byGet(question);
  if (credential === undefined) return { method: "GET", response: await transport.request(get) };
  const post = byPost(question, credential);
  const [first, second] = credential.kind === "identity" ? [post, get] : [get, post];
  const response = await transport.request(first);
  if (!unknownWay.has(response.status)) return { method: first.method === "POST" ? "POST" : "GET", response };
  const other = await transport.request(second);
  // where neither is known the first answer is the one that tells
  if (unknownWay.has(other.status)) {
    other.discard();
    return { method: first.method === "POST" ? "POST" : "GET", response };
  }
  response.discard();
  return { method: second.method === "POST" ? "POST" : "GET", response: other };
}
