import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Credential } from "./credentials.ts";
import { quickClient, serve, type Handler } from "./fixtures/loopback-server.ts";
import { registryAbsent, startDockerRegistry } from "./fixtures/docker-registry.ts";

const me: Credential = { kind: "basic", username: "me", password: "right" };
const basic = `Basic ${Buffer.from("me:right").toString("base64")}`;

/** Says yes to one Authorization header, and what it wants to the others. */
function asking(challenge: string, accepted: string, body = ""): Handler {
  return (request, response) => {
    const ok = request.headers.authorization === accepted;
    response.writeHead(ok ? 200 : 401, ok ? {} : { "www-authenticate": challenge }).end(ok ? "{}" : body);
  };
}

describe("a registry is asked", () => {
  test("with the password itself", async () => {
    await using server = await serve({ "/v2/": asking('Basic realm="x"', basic) });
    assert.deepEqual(await quickClient().login(server.host, me), me);
  });

  test("one that wants nobody's name", async () => {
    await using server = await serve({ "/v2/": (_, response) => void response.writeHead(200).end() });
    assert.deepEqual(await quickClient().login(server.host, me), me);
  });

  const tokens: readonly [name: string, answer: object, kept: Credential][] = [
    ["through a token server", { token: "T" }, me],
    ["through one that gives an identity", { access_token: "T", refresh_token: "R" }, { kind: "identity", token: "R", username: "me" }],
  ];
  for (const [name, answer, kept] of tokens) {
    test(name, async () => {
      await using tokenServer = await serve({
        "/token": (request, response) => {
          if (request.headers.authorization !== basic) return void response.writeHead(401).end('{"details":"incorrect username or password"}');
          response.end(JSON.stringify(answer));
        },
      });
      await using server = await serve({ "/v2/": asking(`Bearer realm="http://${tokenServer.host}/token",service="s"`, "Bearer T") });
      assert.deepEqual(await quickClient().login(server.host, me), kept);
      assert.equal(tokenServer.requests[0]?.line, "GET /token?service=s&account=me&client_id=slipway&offline_token=true");
      await assert.rejects(quickClient().login(server.host, { ...me, password: "wrong" } as Credential), {
        kind: "unauthenticated",
        code: "LOGIN_REFUSED",
        message: `Get "http://${server.host}/v2/": unauthorized: incorrect username or password`,
      });
    });
  }

  const ways: readonly [name: string, known: "GET" | "POST", credential: Credential, form: Record<string, string>][] = [
    [
      "by a password, where only POST is known",
      "POST",
      me,
      { service: "s", client_id: "slipway", access_type: "offline", grant_type: "password", username: "me", password: "right" },
    ],
    [
      "by an identity token",
      "POST",
      { kind: "identity", token: "R0", username: "me" },
      { service: "s", client_id: "slipway", access_type: "offline", grant_type: "refresh_token", refresh_token: "R0" },
    ],
    ["by an identity token, where only GET is known", "GET", { kind: "identity", token: "R0", username: "me" }, {}],
  ];
  for (const [name, known, credential, form] of ways) {
    test(name, async () => {
      let sent = "";
      const authorizations: unknown[] = [];
      await using tokenServer = await serve({
        "/token": (request, response) => {
          if (request.method !== known) return void response.writeHead(405).end();
          authorizations.push(request.headers.authorization);
          request.setEncoding("utf8").on("data", (chunk: string) => (sent += chunk));
          request.on("end", () => response.end('{"access_token":"T","refresh_token":"R"}'));
        },
      });
      await using server = await serve({ "/v2/": asking(`Bearer realm="http://${tokenServer.host}/token",service="s"`, "Bearer T") });
      assert.deepEqual(await quickClient().login(server.host, credential), { kind: "identity", token: "R", username: "me" });
      assert.deepEqual(Object.fromEntries(new URLSearchParams(sent)), form);
      assert.deepEqual(authorizations, [known === "GET" ? `Basic ${Buffer.from("me:R0").toString("base64")}` : undefined]);
    });
  }

  test("an identity token that is no longer good is refused", async () => {
    await using tokenServer = await serve({ "/token": (_, response) => void response.writeHead(401).end('{"details":"token expired"}') });
    await using server = await serve({ "/v2/": asking(`Bearer realm="http://${tokenServer.host}/token",service="s"`, "Bearer T") });
    await assert.rejects(quickClient().login(server.host, { kind: "identity", token: "old" }), {
      code: "LOGIN_REFUSED",
      message: /unauthorized: token expired$/,
    });
  });

  const refusals: readonly [name: string, body: string, message: RegExp][] = [
    [
      "with a reason",
      '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}',
      /^Get "http:\/\/\S+\/v2\/": unauthorized: authentication required$/,
    ],
    ["without one", "", /^login attempt to http:\/\/\S+\/v2\/ failed with status: 401 Unauthorized$/],
  ];
  for (const [name, body, message] of refusals) {
    test(`and refuses ${name}`, async () => {
      await using server = await serve({ "/v2/": asking('Basic realm="x"', "nobody", body) });
      await assert.rejects(quickClient().login(server.host, me), { code: "LOGIN_REFUSED", message });
    });
  }

  test("that is not there", async () => {
    await assert.rejects(quickClient().login("127.0.0.1:1", me), {
      code: "CONNECTION_REFUSED",
      message: 'Get "https://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    });
  });

  test("whose token server is not safe gets no password", async () => {
    await using server = await serve({ "/v2/": asking('Bearer realm="ftp://evil/token"', "never") });
    await assert.rejects(quickClient().login(server.host, me), { code: "BAD_TOKEN_SERVER" });
  });
});

test("a real registry with htpasswd", { skip: registryAbsent }, async () => {
  // "lab:lab"
  const htpasswd = "lab:$2y$05$0gZ7Tb1bYMBxTWQ0u0jGFuYrZ0xYpB5rKc2rQq4tQxO4Yw8f0m3Hy";
  await using registry = await startDockerRegistry({ login: "lab:lab", htpasswd });
  await assert.rejects(quickClient().login(registry.host, me), { code: "LOGIN_REFUSED" });
});
