/** The token that says who signs: given, in the environment, from the service that runs the build, or from an issuer where somebody signs in for it. */
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import {
  exchange,
  parseIdentityToken,
  publicClientId,
  publicIssuer,
  readSigningConfig,
  signInByDevice,
  type IdentityToken,
} from "../../trust/keyless/index.ts";
import type { KeylessOptions, SignInOptions } from "../trust-api.ts";

const audience = "sigstore";

/** Fails with IDENTITY_TOKEN_MISSING, IDENTITY_TOKEN_INVALID (unauthenticated), IDENTITY_TOKEN_REFUSED (denied). */
export async function identityToken(options: KeylessOptions, signal?: AbortSignal): Promise<IdentityToken> {
  const { issuer, signIn, env = process.env } = options;
  const given = tokenAtHand(options) ?? (await workflowToken(env, signal)) ?? (await signIn?.());
  if (given === undefined) throw missing();
  return parseIdentityToken(given, new Date(), issuer);
}

/** Fails as identityToken() would, as far as that can be told without asking anybody. */
export function checkIdentityToken(options: KeylessOptions): void {
  const { issuer, signIn, env = process.env } = options;
  const given = tokenAtHand(options);
  if (given !== undefined) parseIdentityToken(given, new Date(), issuer);
  else if (signIn === undefined && workflowAddress(env) === undefined) throw missing();
}

/** By a code that somebody types into a browser anywhere. Fails with SIGN_IN_UNAVAILABLE (unavailable), SIGN_IN_FAILED (unauthenticated). */
export async function signIn({ issuer, signingConfig, clientId = publicClientId, ...options }: SignInOptions): Promise<string> {
  const configured =
    signingConfig === undefined ? undefined : readSigningConfig(signingConfig.json, signingConfig.name ?? "the signing config", new Date()).issuer;
  return await signInByDevice({ issuer: issuer ?? configured ?? publicIssuer, clientId, ...options });
}

function tokenAtHand({ token, env = process.env }: KeylessOptions): string | undefined {
  return token ?? (env["SIGSTORE_ID_TOKEN"] || undefined);
}

function missing(): SlipwayError {
  const remedy =
    "--identity-token, SIGSTORE_ID_TOKEN, a GitHub workflow with `permissions: id-token: write`, or --fulcio-auth-flow device to sign in by a code";
  return new SlipwayError("unauthenticated", "IDENTITY_TOKEN_MISSING", "no identity token says who signs", { remedy, bare: true });
}

function workflowAddress(env: Readonly<Record<string, string | undefined>>): { readonly address: string; readonly credential: string } | undefined {
  const [address, credential] = [env["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? "", env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? ""];
  return address === "" || credential === "" || !URL.canParse(address) ? undefined : { address, credential };
}

/** Of a GitHub workflow that may ask for one. */
async function workflowToken(env: Readonly<Record<string, string | undefined>>, signal: AbortSignal | undefined): Promise<string | undefined> {
  const known = workflowAddress(env);
  if (known === undefined) return undefined;
  const { address, credential } = known;
  const url = new URL(address);
  url.searchParams.set("audience", audience);
  const { status, bytes } = await exchange({ method: "GET", url: url.href, authorization: `Bearer ${credential}`, signal }).catch((error: unknown) => {
    throw isSlipwayError(error, "KEYLESS_UNAVAILABLE") ? refused(url, error.message.replaceAll(url.search, "")) : error;
  });
  if (status !== 200) throw refused(url, `HTTP ${status}`);
  const { value } = answerOf(bytes.toString()) as { readonly value?: unknown };
  if (typeof value !== "string") throw refused(url, "the answer has no token");
  return value;
}

function answerOf(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function refused(url: URL, why: string): SlipwayError {
  return new SlipwayError("denied", "IDENTITY_TOKEN_REFUSED", `${url.origin} gave no identity token: ${why}`, { bare: true });
}
