/**
 * An identity token without a browser on this machine: a code is shown, somebody types it elsewhere and signs in there, and the issuer is asked until that is done.
 * @see RFC 8628; openid.net, OpenID Connect Discovery 1.0; RFC 7636
 */
import { hash, randomBytes } from "node:crypto";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import { parseDeviceAnswer, secondsIn, textIn, type DeviceAnswer } from "../../registry/device-answer.ts";
import { sleep } from "../../registry/retry.ts";
import { exchange } from "./call-service.ts";

export interface DeviceSignIn {
  /** the OpenID provider's address */
  readonly issuer: string;
  /** as which program it knows us */
  readonly clientId: string;
  readonly clientSecret?: string | undefined;
  readonly onCode: (shown: ShownCode) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface ShownCode {
  /** what is typed there: "ABCD-EFGH" */
  readonly userCode: string;
  /** where; with the code in it where the issuer has such an address */
  readonly url: string;
  readonly validSeconds: number;
}

export const publicIssuer = "https://oauth2.sigstore.dev/auth";
export const publicClientId = "sigstore";

const grantType = "urn:ietf:params:oauth:grant-type:device_code";
const scope = "openid email";
const form = "application/x-www-form-urlencoded";
const maxIntervalS = 60;
/** nobody looks for a code for longer */
const maxValidS = 1800;

/** The token. Fails with SIGN_IN_UNAVAILABLE (unavailable) before anybody was asked anything, with SIGN_IN_FAILED (unauthenticated) after that. */
export async function signInByDevice(options: DeviceSignIn): Promise<string> {
  const endpoints = await discover(options);
  const verifier = randomBytes(32).toString("base64url");
  const started = await start(options, endpoints.device, verifier);
  const { userCode, url, validSeconds } = started;
  options.onCode({ userCode, url, validSeconds });
  return await untilSignedIn(options, endpoints.token, started, verifier);
}

function unavailable(issuer: string, why: string, cause?: unknown): SlipwayError {
  const remedy = "--identity-token takes a token that you have from elsewhere";
  return new SlipwayError("unavailable", "SIGN_IN_UNAVAILABLE", `${printable(issuer)} ${why}`, { issuer, remedy, bare: true }, cause);
}

function failed(issuer: string, why: string): SlipwayError {
  return new SlipwayError("unauthenticated", "SIGN_IN_FAILED", `signing in at ${printable(issuer)} failed: ${why}`, { issuer, bare: true });
}

function seconds(answer: DeviceAnswer, key: string, otherwise: number, most: number): number {
  return Math.min(most, secondsIn(answer, key, otherwise));
}

interface Endpoints {
  readonly device: string;
  readonly token: string;
}

async function discover({ issuer, signal }: DeviceSignIn): Promise<Endpoints> {
  const bare = (address: string): string => address.replace(/\/+$/u, "");
  const url = `${bare(issuer)}/.well-known/openid-configuration`;
  const { status, bytes } = await answered(issuer, () => exchange({ method: "GET", url, signal }));
  const answer = parseDeviceAnswer(bytes.toString());
  if (status !== 200) throw unavailable(issuer, `does not say how to sign in: HTTP ${status}`);
  if (bare(textIn(answer, "issuer")) !== bare(issuer)) throw unavailable(issuer, `calls itself ${JSON.stringify(textIn(answer, "issuer"))}`);
  const device = textIn(answer, "device_authorization_endpoint");
  if (device === "") throw unavailable(issuer, "has no sign-in by a code");
  for (const endpoint of [device, textIn(answer, "token_endpoint")]) {
    if (!isAsSafe(issuer, endpoint)) throw unavailable(issuer, `names an address that cannot be used: ${JSON.stringify(endpoint)}`);
  }
  return { device, token: textIn(answer, "token_endpoint") };
}

/** Who is asked under TLS sends nobody elsewhere. */
function isAsSafe(issuer: string, endpoint: string): boolean {
  const url = URL.parse(endpoint);
  return url !== null && (url.protocol === "https:" || (url.protocol === "http:" && issuer.startsWith("http:")));
}

async function answered<T>(issuer: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (isSlipwayError(error, "KEYLESS_UNAVAILABLE")) throw unavailable(issuer, `cannot be asked: ${error.message}`, error);
    throw error;
  }
}

async function post(
  { signal, clientId, clientSecret }: DeviceSignIn,
  url: string,
  values: Readonly<Record<string, string>>,
): Promise<{ status: number; answer: DeviceAnswer }> {
  const secret = clientSecret === undefined ? {} : { client_secret: clientSecret };
  const body = new URLSearchParams({ client_id: clientId, ...secret, scope, ...values }).toString();
  const { status, bytes } = await exchange({ method: "POST", url, contentType: form, body, signal });
  return { status, answer: parseDeviceAnswer(bytes.toString()) };
}

interface Started extends ShownCode {
  readonly deviceCode: string;
  readonly intervalS: number;
}

async function start(options: DeviceSignIn, url: string, verifier: string): Promise<Started> {
  const { issuer } = options;
  const challenge = { code_challenge: hash("sha256", verifier, "base64url"), code_challenge_method: "S256" };
  const { status, answer } = await answered(issuer, () => post(options, url, challenge));
  const [userCode, deviceCode] = [textIn(answer, "user_code"), textIn(answer, "device_code")];
  const shown = URL.parse(textIn(answer, "verification_uri_complete") || textIn(answer, "verification_uri") || textIn(answer, "verification_url"));
  if (status !== 200 || userCode === "" || deviceCode === "" || shown === null || !/^https?:$/u.test(shown.protocol)) {
    throw unavailable(issuer, `gave no code: ${saidIn(answer) || `HTTP ${status}`}`);
  }
  return {
    userCode: printable(userCode).slice(0, 100),
    url: shown.href,
    validSeconds: seconds(answer, "expires_in", 300, maxValidS),
    deviceCode,
    intervalS: seconds(answer, "interval", 5, maxIntervalS),
  };
}

function saidIn(answer: DeviceAnswer): string {
  return printable(textIn(answer, "error_description") || textIn(answer, "error")).slice(0, 300);
}

async function untilSignedIn(options: DeviceSignIn, url: string, { deviceCode, validSeconds, intervalS }: Started, verifier: string): Promise<string> {
  const { issuer, signal } = options;
  const end = performance.now() + validSeconds * 1000;
  let waitS = intervalS;
  for (;;) {
    const left = end - performance.now();
    await sleep(Math.max(0, Math.min(waitS * 1000, left)), signal);
    if (left <= waitS * 1000) throw failed(issuer, "nobody signed in while the code was valid");
    const answer = await polled(options, url, { grant_type: grantType, device_code: deviceCode, code_verifier: verifier });
    const token = textIn(answer, "id_token");
    if (token !== "") return token;
    const error = textIn(answer, "error");
    if (error === "slow_down") waitS = Math.min(maxIntervalS, waitS + 5);
    else if (error === "unanswered") waitS = Math.min(maxIntervalS, waitS * 2);
    else if (error !== "authorization_pending") throw failed(issuer, reasons[error] ?? (saidIn(answer) || "the answer has no identity token"));
  }
}

const reasons: Readonly<Record<string, string>> = {
  access_denied: "it was refused in the browser",
  expired_token: "nobody signed in while the code was valid",
};

/** A network that fails for a moment ends nothing: the code is valid still. */
async function polled(options: DeviceSignIn, url: string, values: Readonly<Record<string, string>>): Promise<DeviceAnswer> {
  try {
    const { status, answer } = await post(options, url, values);
    return status >= 500 ? { error: "unanswered" } : answer;
  } catch (error) {
    if (isSlipwayError(error, "KEYLESS_UNAVAILABLE")) return { error: "unanswered" };
    throw error;
  }
}
