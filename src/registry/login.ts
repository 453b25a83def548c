/** Asks a registry whether it knows somebody. @see distribution-spec, "Determining Support"; "Token Authentication Specification" */
import { SlipwayError } from "../base/errors.ts";
import { Fields, parseJsonObject } from "../oci/bounded-json.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import type { Credential } from "./credentials.ts";
import type { Endpoint } from "./endpoint.ts";
import { displayUrl } from "./network-error.ts";
import { readBeginning } from "./read-body.ts";
import { parseRegistryMessage } from "./response-error.ts";
import { askTokenServer, basicHeader } from "./token-request.ts";
import type { Headers, Transport, TransportResponse } from "./transport.ts";

export interface LoginOptions {
  readonly transport: Transport;
  readonly userAgent: string;
  readonly signal?: AbortSignal | undefined;
}

const maxAnswerBytes = 1024 * 1024;
/** nobody speaks TLS there: plain http is tried where that is allowed */
const noTls = new Set(["CONNECTION_REFUSED", "PLAIN_HTTP_REGISTRY", "CONNECTION_LOST"]);

/**
 * Answers what is to be kept: the credential itself, or the identity token that the token server gives for it. Fails with LOGIN_REFUSED
 * (unauthenticated) in Docker's words, BAD_TOKEN_SERVER (denied) and the network's codes.
 */
export async function loginAt(endpoint: Endpoint, credential: Credential, options: LoginOptions): Promise<Credential> {
  let first: unknown;
  for (const scheme of endpoint.schemes) {
    try {
      return await loginOver(new URL(`${scheme}://${endpoint.host}/v2/`), endpoint, credential, options);
    } catch (error) {
      first ??= error;
      if (!(error instanceof SlipwayError) || !noTls.has(error.code)) throw asGet(error);
    }
  }
  throw asGet(first);
}

/** Docker says what it asked for, without a word before it. */
function asGet(error: unknown): unknown {
  if (!(error instanceof SlipwayError) || !error.message.startsWith("failed to do request: ")) return error;
  return new SlipwayError(error.kind, error.code, error.message.slice("failed to do request: ".length), error.details, error);
}

async function loginOver(url: URL, endpoint: Endpoint, credential: Credential, options: LoginOptions): Promise<Credential> {
  const get = async (target: URL, authorization?: string): Promise<TransportResponse> => {
    const headers: Headers = { "user-agent": options.userAgent, accept: "application/json", ...(authorization === undefined ? {} : { authorization }) };
    const verifyTls = endpoint.verifyTls || target.hostname !== url.hostname;
    return await options.transport.request({ method: "GET", url: target, headers, verifyTls, plainRedirect: false, signal: options.signal });
  };
  const asked = await get(url);
  asked.discard();
  if (asked.status === 200) return credential;
  const challenges = parseChallenges(asked.headers["www-authenticate"]);
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer !== undefined) return await loginByToken({ challenge: bearer, registry: url, endpoint, credential, options, get });
  if (asked.status !== 401 || credential.kind !== "basic") throw await refused(url, asked);
  const answered = await get(url, basicHeader(credential.username, credential.password));
  if (answered.status !== 200) throw await refused(url, answered);
  answered.discard();
  return credential;
}

interface TokenLogin {
  readonly challenge: Challenge;
  readonly registry: URL;
  readonly endpoint: Endpoint;
  readonly credential: Credential;
  readonly options: LoginOptions;
  readonly get: (target: URL, authorization?: string) => Promise<TransportResponse>;
}

async function loginByToken({ challenge, registry, endpoint, credential, options, get }: TokenLogin): Promise<Credential> {
  if (credential.kind === "bearer") return credential;
  const realm = URL.parse(challenge.parameters["realm"] ?? "");
  const plainAllowed = registry.protocol === "http:" || !endpoint.verifyTls;
  if (realm === null || !(realm.protocol === "https:" || (realm.protocol === "http:" && plainAllowed)))
    throw new SlipwayError("denied", "BAD_TOKEN_SERVER", `${registry.host} names a token server that is not to be trusted with credentials`, {
      host: registry.host,
    });
  const service = challenge.parameters["service"];
  const { response } = await askTokenServer(options.transport, {
    realm,
    service,
    scopes: [],
    credential,
    offline: true,
    userAgent: options.userAgent,
    registryHost: registry.host,
    verifyTls: endpoint.verifyTls || realm.hostname !== registry.hostname,
    signal: options.signal,
  });
  if (response.status !== 200) throw await refused(registry, response);
  const bytes = await readBeginning(response.body, maxAnswerBytes);
  const fields = new Fields(parseJsonObject(Buffer.from(bytes), "token server's answer", { maxBytes: maxAnswerBytes, maxDepth: 16 }), "token server's answer");
  const token = fields.string("token") || fields.string("access_token") || "";
  const answered = await get(registry, `Bearer ${token}`);
  if (answered.status !== 200) throw await refused(registry, answered);
  answered.discard();
  const identity = fields.string("refresh_token");
  if (!identity) return credential;
  return { kind: "identity", token: identity, ...(credential.username === undefined ? {} : { username: credential.username }) };
}

/** `Get "https://host/v2/": unauthorized: …` where the registry says why, else what it answered. */
async function refused(url: URL, response: TransportResponse): Promise<SlipwayError> {
  const { text } = parseRegistryMessage(await readBeginning(response.body, 16 * 1024));
  const { status } = response;
  const unauthenticated = status === 401 || status === 403;
  const words =
    text === ""
      ? `login attempt to ${displayUrl(url)} failed with status: ${status} ${statusWords[status] ?? ""}`.trim()
      : `Get ${JSON.stringify(displayUrl(url))}: ${withVerdict(status, text)}`;
  const details = {
    host: url.host,
    status,
    ...(unauthenticated ? { remedy: "check the user's name and the password; some registries take access tokens only" } : {}),
  };
  return unauthenticated
    ? new SlipwayError("unauthenticated", "LOGIN_REFUSED", words, details)
    : new SlipwayError("unavailable", "UNEXPECTED_STATUS", words, details);
}

/** Token servers give the reason alone; Docker puts the verdict before it. */
function withVerdict(status: number, text: string): string {
  const verdict = status === 401 ? "unauthorized" : status === 403 ? "denied" : "";
  return verdict === "" || text.startsWith(verdict) ? text : `${verdict}: ${text}`;
}

const statusWords: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
