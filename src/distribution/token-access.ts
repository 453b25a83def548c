/**
 * Bearer tokens with their token server at /token of the same address: GET with Basic, POST as OAuth2 with a password or a
 * refresh token. Tokens are random words that this process remembers. @see distribution docs, "Token Authentication"
 */
import { randomBytes } from "node:crypto";
import type { AccessControl, Action, Need } from "./access.ts";
import { json, refuse, type Answer, type DistributionRequest } from "./answer.ts";
import { basicCredential, type Users } from "./users.ts";

export interface TokenOptions {
  readonly service?: string;
  /** 300 by default */
  readonly expiresInSeconds?: number;
  /** false: POST is answered by 404, as token servers without OAuth2 do */
  readonly oauth2?: boolean;
  readonly now?: () => number;
}

interface Token {
  readonly user: string | undefined;
  readonly rights: ReadonlyMap<string, readonly string[]>;
  readonly expiresMs: number;
}

const maxFormBytes = 64 * 1024;
const newToken = (): string => randomBytes(24).toString("base64url");

/** "repository:a/b:pull,push" → its rights; several scopes come in several parameters or with blanks between. */
function parseScopes(values: readonly string[]): readonly (readonly [string, readonly string[]])[] {
  return values
    .flatMap((value) => value.split(" "))
    .flatMap((scope) => {
      const [, resource, actions = ""] = /^((?:repository|registry)(?:\([a-z0-9]+\))?:.+):([a-z,*]*)$/.exec(scope) ?? [];
      return resource === undefined ? [] : [[resource, actions.split(",").filter((action) => action !== "")] as const];
    });
}

function scopesOf(need: Need): readonly (readonly [string, readonly Action[] | readonly ["*"]])[] {
  if (need.isCatalog === true) return [["registry:catalog", ["*"]]];
  if (need.repository === undefined) return [];
  const own = [`repository:${need.repository}`, need.actions] as const;
  return need.mountFrom === undefined ? [own] : [own, [`repository:${need.mountFrom}`, ["pull"]]];
}

async function formOf(request: DistributionRequest): Promise<URLSearchParams | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > maxFormBytes) return undefined;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

export function createTokenAccess(users: Users, options: TokenOptions = {}): AccessControl {
  const { service = "registry", expiresInSeconds = 300, oauth2 = true, now = Date.now } = options;
  const tokens = new Map<string, Token>();
  const refreshTokens = new Map<string, string>();
  const unauthorized = (): Answer => refuse(401, "UNAUTHORIZED", "incorrect username or password", undefined, { "www-authenticate": 'Basic realm="token"' });

  function issue(user: string | undefined, scopes: readonly string[], withRefresh: boolean): Answer {
    for (const [word, { expiresMs }] of tokens) if (expiresMs <= now()) tokens.delete(word);
    const rights = new Map<string, readonly string[]>();
    for (const [resource, wanted] of parseScopes(scopes)) {
      const name = resource.slice(resource.indexOf(":") + 1);
      const granted: readonly string[] = resource.startsWith("repository") ? users.grant(user, name) : user === undefined ? [] : ["*"];
      const actions = wanted.flatMap((one) =>
        one === "*" && granted.includes("delete") ? ["*", "pull", "push", "delete"] : granted.includes(one) ? [one] : [],
      );
      rights.set(resource, [...(rights.get(resource) ?? []), ...actions]);
    }
    const token = newToken();
    tokens.set(token, { user, rights, expiresMs: now() + expiresInSeconds * 1000 });
    const refresh = withRefresh && user !== undefined ? newToken() : undefined;
    if (refresh !== undefined && user !== undefined) refreshTokens.set(refresh, user);
    const issued = { token, access_token: token, expires_in: expiresInSeconds, issued_at: new Date(now()).toISOString() };
    return json(200, refresh === undefined ? issued : { ...issued, refresh_token: refresh });
  }

  async function exchange(request: DistributionRequest): Promise<Answer> {
    const form = await formOf(request);
    const scopes = form?.getAll("scope") ?? [];
    switch (form?.get("grant_type")) {
      case "password": {
        const user = form.get("username") ?? "";
        if (!(await users.verify(user, form.get("password") ?? ""))) return unauthorized();
        return issue(user, scopes, form.get("access_type") === "offline");
      }
      case "refresh_token": {
        const word = form.get("refresh_token") ?? "";
        const user = refreshTokens.get(word);
        return user === undefined ? unauthorized() : issue(user, scopes, false);
      }
      default:
        return json(400, { error: "unsupported_grant_type" });
    }
  }

  async function endpoint(request: DistributionRequest): Promise<Answer | undefined> {
    if (request.path !== "/token") return undefined;
    if (request.method === "POST") return oauth2 ? exchange(request) : refuse(404, "UNSUPPORTED", "404 page not found");
    if (request.method !== "GET") return refuse(405, "UNSUPPORTED", "The operation is unsupported.");
    const credential = basicCredential(request);
    if (credential !== undefined && !(await users.verify(credential.user, credential.password))) return unauthorized();
    return issue(credential?.user, request.query.getAll("scope"), request.query.get("offline_token") === "true");
  }

  function challenge(request: DistributionRequest, need: Need, error?: string): Answer {
    const scopes = scopesOf(need).map(([resource, actions]) => `${resource}:${actions.join(",")}`);
    const scope = scopes.length === 0 ? "" : `,scope="${scopes.join(" ")}"`;
    const why = error === undefined ? "" : `,error="${error}"`;
    const header = `Bearer realm="${request.origin}/token",service="${service}"${scope}${why}`;
    return refuse(401, "UNAUTHORIZED", "authentication required", undefined, { "www-authenticate": header });
  }

  async function check(request: DistributionRequest, need: Need): Promise<Answer | undefined> {
    const [, word] = /^Bearer (.+)$/i.exec(request.headers["authorization"] ?? "") ?? [];
    if (word === undefined) return challenge(request, need);
    const token = tokens.get(word);
    if (token === undefined || token.expiresMs <= now()) return challenge(request, need, "invalid_token");
    const { mountFrom: _, ...own } = need;
    const isEnough = scopesOf(own).every(([resource, actions]) => actions.every((action) => token.rights.get(resource)?.includes(action) === true));
    return isEnough ? undefined : challenge(request, need, "insufficient_scope");
  }

  return { check, endpoint };
}
