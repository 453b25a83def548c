/** Google's registries: an access token is the password. @see Google Cloud docs, "Application Default Credentials"; RFC 7523 */
import { createSign } from "node:crypto";
import type { Credential } from "../credentials.ts";
import { byExternalAccount, impersonate } from "./google-external.ts";
import { call, form, objectIn, parseObject, stringIn, type SignIn, type SignInWorld, type Tell } from "./ports.ts";

const scope = "https://www.googleapis.com/auth/cloud-platform";
const defaultTokenUri = "https://oauth2.googleapis.com/token";

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

/** A statement that the service account signs about itself; `nowMs`: milliseconds since the epoch. */
export function serviceAccountAssertion(email: string, privateKey: string, keyId: string, audience: string, nowMs: number): string {
  const issued = Math.floor(nowMs / 1000);
  const claims = { iss: email, scope, aud: audience, iat: issued, exp: issued + 3600 };
  const signed = `${encode({ alg: "RS256", typ: "JWT", ...(keyId === "" ? {} : { kid: keyId }) })}.${encode(claims)}`;
  return `${signed}.${createSign("RSA-SHA256").update(signed).sign(privateKey, "base64url")}`;
}

async function fromFile(world: SignInWorld, tell: Tell, path: string): Promise<string | undefined> {
  const text = world.files.readText(path);
  if (text === undefined) return tell("Google credentials file", `${path} cannot be read`);
  return await fromObject(world, tell, path, parseObject(text), 1);
}

/** An identity that acts for a service account is an object in the other's. */
async function byImpersonation(
  world: SignInWorld,
  tell: Tell,
  path: string,
  file: Readonly<Record<string, unknown>>,
  depth: number,
): Promise<string | undefined> {
  const source = objectIn(file, "source_credentials");
  if (source === undefined || depth === 0) return tell("Google credentials file", `${path} acts for a service account without credentials of its own`);
  const token = await fromObject(world, tell, path, source, depth - 1);
  return token ? await impersonate(world, tell, stringIn(file, "service_account_impersonation_url"), token) : undefined;
}

async function fromObject(world: SignInWorld, tell: Tell, path: string, file: Readonly<Record<string, unknown>>, depth: number): Promise<string | undefined> {
  const uri = stringIn(file, "token_uri") || defaultTokenUri;
  const kind = stringIn(file, "type");
  if (kind === "service_account") return await byServiceAccount(world, tell, path, file, uri);
  if (kind === "external_account") return await byExternalAccount(world, tell, file);
  if (kind === "impersonated_service_account") return await byImpersonation(world, tell, path, file, depth);
  if (kind !== "authorized_user") return tell("Google credentials file", `${path} is of type ${JSON.stringify(kind)}, which is not read`);
  const values = { grant_type: "refresh_token", ...pick(file, ["client_id", "client_secret", "refresh_token"]) };
  const answer = await call(world, tell, path, uri, form(values));
  return answer && stringIn(parseObject(answer.text), "access_token");
}

function pick(object: Readonly<Record<string, unknown>>, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, stringIn(object, key)]));
}

async function byServiceAccount(
  world: SignInWorld,
  tell: Tell,
  path: string,
  file: Readonly<Record<string, unknown>>,
  uri: string,
): Promise<string | undefined> {
  let assertion: string;
  try {
    assertion = serviceAccountAssertion(stringIn(file, "client_email"), stringIn(file, "private_key"), stringIn(file, "private_key_id"), uri, world.now());
  } catch {
    return tell("Google credentials file", `${path} holds no private key that can sign`);
  }
  const answer = await call(world, tell, path, uri, form({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion }));
  return answer && stringIn(parseObject(answer.text), "access_token");
}

async function fromMetadata(world: SignInWorld, tell: Tell): Promise<string | undefined> {
  const host = world.env["GCE_METADATA_HOST"] || "metadata.google.internal";
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
  const answer = await call(world, tell, "Google metadata server", url, { headers: { "metadata-flavor": "Google" }, metadata: true });
  return answer && stringIn(parseObject(answer.text), "access_token");
}

async function signInGoogle(_host: string, world: SignInWorld, tell: Tell): Promise<Credential | undefined> {
  const { env, home, files } = world;
  const given = env["GOOGLE_APPLICATION_CREDENTIALS"];
  const own = `${env["CLOUDSDK_CONFIG"] || `${env["XDG_CONFIG_HOME"] || `${home}/.config`}/gcloud`}/application_default_credentials.json`;
  if (!given) tell("environment", "GOOGLE_APPLICATION_CREDENTIALS is not set");
  const path = given || (files.readText(own) === undefined ? undefined : own);
  if (path === undefined) tell("Google credentials file", `${own} is not there`);
  const token = env["CLOUDSDK_AUTH_ACCESS_TOKEN"] || (path === undefined ? undefined : await fromFile(world, tell, path)) || (await fromMetadata(world, tell));
  return token ? { kind: "basic", username: "oauth2accesstoken", password: token } : undefined;
}

export const googleSignIn: SignIn = { matches: (host) => /(?:^|\.)gcr\.io$|\.pkg\.dev$/.test(host), signIn: signInGoogle };
