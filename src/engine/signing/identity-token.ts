/** The token that says who signs: given, in the environment, or from the service that runs the build. */
import { SlipwayError } from "../../base/errors.ts";
import { parseIdentityToken, type IdentityToken } from "../../trust/keyless/index.ts";
import type { KeylessOptions } from "../trust-api.ts";

const audience = "sigstore";
const timeoutMs = 30_000;
const maxAnswerBytes = 1 << 20;

/** Fails with IDENTITY_TOKEN_MISSING, IDENTITY_TOKEN_INVALID (unauthenticated), IDENTITY_TOKEN_REFUSED (denied). */
export async function identityToken({ token, issuer, env = process.env }: KeylessOptions, now: Date, signal?: AbortSignal): Promise<IdentityToken> {
  const given = token ?? (env["SIGSTORE_ID_TOKEN"] || undefined) ?? (await workflowToken(env, signal));
  if (given === undefined) {
    const remedy = "--identity-token, SIGSTORE_ID_TOKEN, or a GitHub workflow with `permissions: id-token: write`";
    throw new SlipwayError("unauthenticated", "IDENTITY_TOKEN_MISSING", "no identity token says who signs", { remedy, bare: true });
  }
  return parseIdentityToken(given, now, issuer);
}

/** Of a GitHub workflow that may ask for one. */
async function workflowToken(env: Readonly<Record<string, string | undefined>>, signal: AbortSignal | undefined): Promise<string | undefined> {
  const [address, credential] = [env["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? "", env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? ""];
  if (address === "" || credential === "" || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  url.searchParams.set("audience", audience);
  const stop = AbortSignal.timeout(timeoutMs);
  const headers = { accept: "application/json", authorization: `Bearer ${credential}` };
  const response = await fetch(url, { headers, redirect: "error", signal: signal === undefined ? stop : AbortSignal.any([signal, stop]) }).catch(
    (error: unknown) => {
      signal?.throwIfAborted();
      throw refused(url, error instanceof Error ? error.message : String(error));
    },
  );
  if (!response.ok) throw refused(url, `HTTP ${response.status}`);
  const text = await response.text();
  const { value } = (text.length > maxAnswerBytes ? {} : answerOf(text)) as { readonly value?: unknown };
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
