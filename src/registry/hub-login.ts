/**
 * Docker Hub's sign-in by the browser: a code on the terminal, an answer in the browser, an access token to keep. What the browser grants
 * is given back as soon as that token is there. @see RFC 8628; docker docs, "docker login", "Authenticate to Docker Hub with web-based login"
 */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";
import type { Env } from "./config-files.ts";
import type { Credential } from "./credentials.ts";
import { parseDeviceAnswer, secondsIn, textIn, type DeviceAnswer } from "./device-answer.ts";
import { readBeginning } from "./read-body.ts";
import { sleep } from "./retry.ts";
import type { Transport } from "./transport.ts";

export interface DeviceCode {
  /** what the user compares or types: "ABCD-EFGH" */
  readonly userCode: string;
  /** where, with the code in it */
  readonly url: string;
}

export interface DeviceLoginOptions {
  readonly onCode: (code: DeviceCode) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface DeviceLoginWorld {
  readonly transport: Transport;
  readonly userAgent: string;
  /** SLIPWAY_HUB_CLIENT_ID: as which program the Hub knows us; SLIPWAY_HUB_LOGIN_URL and SLIPWAY_HUB_URL name other servers than Docker's */
  readonly env: Env;
  /** milliseconds since the epoch */
  readonly now: () => number;
}

const maxAnswerBytes = 256 * 1024;
const maxIntervalS = 60;

function failed(why: string): SlipwayError {
  return new SlipwayError("unauthenticated", "HUB_LOGIN_FAILED", `failed waiting for authentication: ${why}`, { bare: true });
}

/** The user's name, which the token says of itself. */
function usernameIn(token: string): string {
  const claims = parseDeviceAnswer(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  const domain = claims["https://hub.docker.com"];
  return typeof domain === "object" && domain !== null ? textIn(domain as DeviceAnswer, "username") : "";
}

/**
 * Fails with HUB_LOGIN_UNAVAILABLE (unavailable) before anybody was asked anything, with HUB_LOGIN_FAILED (unauthenticated) after that, and
 * with the network's codes.
 */
export async function loginByDevice({ transport, userAgent, env, now }: DeviceLoginWorld, { onCode, signal }: DeviceLoginOptions): Promise<Credential> {
  const tenant = env["SLIPWAY_HUB_LOGIN_URL"] || "https://login.docker.com";
  const clientId = env["SLIPWAY_HUB_CLIENT_ID"] ?? "";
  const hub = env["SLIPWAY_HUB_URL"] || "https://hub.docker.com";

  async function post(
    url: string,
    body: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly answer: DeviceAnswer }> {
    const response = await transport.request({
      method: "POST",
      url: new URL(url),
      headers: { "user-agent": userAgent, accept: "application/json", ...headers },
      body,
      verifyTls: true,
      plainRedirect: false,
      signal,
    });
    return { status: response.status, answer: parseDeviceAnswer(Buffer.from(await readBeginning(response.body, maxAnswerBytes)).toString()) };
  }
  const postForm = (path: string, values: Readonly<Record<string, string>>) =>
    post(`${tenant}${path}`, new URLSearchParams({ client_id: clientId, ...values }).toString(), { "content-type": "application/x-www-form-urlencoded" });

  async function start(): Promise<DeviceAnswer> {
    try {
      const { status, answer } = await postForm("/oauth/device/code", { audience: "https://hub.docker.com", scope: "openid offline_access" });
      const url = URL.parse(textIn(answer, "verification_uri_complete") || textIn(answer, "verification_uri"));
      if (status === 200 && textIn(answer, "user_code") !== "" && url !== null && /^https?:$/.test(url.protocol)) return { ...answer, url: url.href };
      throw new SlipwayError("unavailable", "HUB_LOGIN_UNAVAILABLE", `the server of web-based login answered ${status}`);
    } catch (error) {
      if (error instanceof SlipwayError && error.kind === "canceled") throw error;
      throw new SlipwayError("unavailable", "HUB_LOGIN_UNAVAILABLE", "web-based login cannot be started", {}, error);
    }
  }

  async function untilAnswered(state: DeviceAnswer): Promise<DeviceAnswer> {
    const untilMs = now() + secondsIn(state, "expires_in", 900) * 1000;
    let intervalS = Math.min(maxIntervalS, secondsIn(state, "interval", 5));
    for (;;) {
      await sleep(intervalS * 1000, signal);
      if (now() > untilMs) throw failed("timed out waiting for device token");
      const grant = "urn:ietf:params:oauth:grant-type:device_code";
      const { answer } = await postForm("/oauth/token", { grant_type: grant, device_code: textIn(state, "device_code") });
      if (textIn(answer, "access_token") !== "") return answer;
      const error = textIn(answer, "error");
      if (error === "slow_down") intervalS = Math.min(maxIntervalS, intervalS + 5);
      else if (error !== "authorization_pending")
        throw failed(printable(textIn(answer, "error_description") || error || "no token in the answer").slice(0, 300));
    }
  }

  const state = await start();
  onCode({ userCode: printable(textIn(state, "user_code")).slice(0, 100), url: textIn(state, "url") });
  const tokens = await untilAnswered(state);
  const access = textIn(tokens, "access_token");
  const username = usernameIn(access);
  if (!/^[\x21-\x7e]+$/.test(access) || username === "") throw failed("the token says no user's name");
  const { status, answer } = await post(`${hub}/v2/access-tokens/desktop-generate`, "", {
    "content-type": "application/json",
    authorization: `Bearer ${access}`,
  });
  const refresh = textIn(tokens, "refresh_token");
  // what is not kept needs no revocation later; that it failed changes nothing for the user
  if (refresh !== "") await postForm("/oauth/revoke", { token: refresh }).catch(() => undefined);
  const data = answer["data"];
  const password = typeof data === "object" && data !== null ? textIn(data as DeviceAnswer, "token") : "";
  if (status !== 201 || password === "") throw failed(`unexpected response from Hub: ${status}`);
  return { kind: "basic", username, password };
}
