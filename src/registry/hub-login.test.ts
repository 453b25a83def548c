import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { quickClient, serve, type Handler } from "./fixtures/loopback-server.ts";
import type { DeviceCode } from "./hub-login.ts";

const jwt = (claims: object): string => `x.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
const access = jwt({ "https://hub.docker.com": { username: "me" } });

interface Scene {
  readonly code?: object;
  /** the answers of the token server, the last one again and again */
  readonly tokens?: readonly object[];
  readonly pat?: readonly [status: number, body: object];
}

async function play({ code = {}, tokens = [{ access_token: access, refresh_token: "R" }], pat = [201, { data: { token: "PAT" } }] }: Scene) {
  const forms: Record<string, string>[] = [];
  let asked = 0;
  const form =
    (answer: () => object): Handler =>
    (request, response) => {
      let body = "";
      request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
      request.on("end", () => {
        forms.push({ path: String(request.url), ...Object.fromEntries(new URLSearchParams(body)) });
        response.end(JSON.stringify(answer()));
      });
    };
  await using server = await serve({
    "/oauth/device/code": form(() => ({
      device_code: "D",
      user_code: "AB-CD",
      verification_uri_complete: "https://x.example/go?c=AB-CD",
      interval: 0.01,
      ...code,
    })),
    "/oauth/token": form(() => tokens[Math.min(asked++, tokens.length - 1)] ?? {}),
    "/oauth/revoke": form(() => ({})),
    "/v2/access-tokens/desktop-generate": (request, response) =>
      void response.writeHead(request.headers.authorization === `Bearer ${access}` ? pat[0] : 401).end(JSON.stringify(pat[1])),
  });
  const url = `http://${server.host}`;
  await using client = quickClient({ env: { SLIPWAY_HUB_CLIENT_ID: "us", SLIPWAY_HUB_LOGIN_URL: url, SLIPWAY_HUB_URL: url } });
  const codes: DeviceCode[] = [];
  try {
    return { credential: await client.loginByDevice({ onCode: (shown) => codes.push(shown) }), codes, forms };
  } catch (error) {
    return { error: error as { code?: string; message?: string }, codes, forms };
  }
}

test("a code, an answer, a token to keep; what else was granted is given back", async () => {
  const pending = { error: "authorization_pending" };
  const { credential, codes, forms } = await play({ tokens: [pending, pending, { access_token: access, refresh_token: "R" }] });
  assert.deepEqual(credential, { kind: "basic", username: "me", password: "PAT" });
  assert.deepEqual(codes, [{ userCode: "AB-CD", url: "https://x.example/go?c=AB-CD" }]);
  assert.deepEqual(
    forms.map(({ path }) => path),
    ["/oauth/device/code", "/oauth/token", "/oauth/token", "/oauth/token", "/oauth/revoke"],
  );
  assert.deepEqual([forms[0]?.["scope"], forms[1]?.["device_code"], forms.at(-1)?.["token"]], ["openid offline_access", "D", "R"]);
});

describe("no sign-in by the browser", () => {
  const table: readonly [name: string, scene: Scene, code: string, message: RegExp, codes: number][] = [
    ["without a code", { code: { user_code: "" } }, "HUB_LOGIN_UNAVAILABLE", /cannot be started/, 0],
    ["at an address that is none", { code: { verification_uri_complete: "file:///etc/passwd" } }, "HUB_LOGIN_UNAVAILABLE", /cannot be started/, 0],
    [
      "that is refused",
      { tokens: [{ error: "access_denied", error_description: "User said\u001b no" }] },
      "HUB_LOGIN_FAILED",
      /^failed waiting for authentication: User said no$/,
      1,
    ],
    ["that nobody answers", { code: { expires_in: 0.02 }, tokens: [{ error: "authorization_pending" }] }, "HUB_LOGIN_FAILED", /timed out/, 1],
    ["of nobody", { tokens: [{ access_token: jwt({}) }] }, "HUB_LOGIN_FAILED", /no user's name/, 1],
    ["that gives no token to keep", { pat: [403, {}] }, "HUB_LOGIN_FAILED", /unexpected response from Hub: 403$/, 1],
  ];
  for (const [name, scene, code, message, count] of table) {
    test(name, async () => {
      const { error, codes } = await play(scene);
      assert.equal(error?.code, code);
      assert.match(error?.message ?? "", message);
      assert.equal(codes.length, count);
    });
  }
});
