import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SlipwayError } from "../base/errors.ts";
import { mediaTypes } from "../oci/manifest.ts";
import { parseReference } from "../oci/reference.ts";
import type { Credential, CredentialSource } from "./credentials.ts";
import { blobDescriptor, endless, quickClient, readAll, serve } from "./fixtures/loopback-server.ts";
import type { Handler, LoopbackServer } from "./fixtures/loopback-server.ts";

const content = Buffer.from("layer");
const blob = blobDescriptor(content);
const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blob, layers: [] }));
const user: Credential = { kind: "basic", username: "u", password: "p:ä" };
const basicHeader = `Basic ${Buffer.from("u:p:ä").toString("base64")}`;

const knows = (credential: Credential | undefined): CredentialSource => ({ lookup: () => Promise.resolve(credential) });

interface Shop {
  readonly registry: LoopbackServer;
  readonly tokens: LoopbackServer;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
}

/** A registry that takes one token at a time, and the server that gives it, on another port. */
async function openShop(token: Handler, accepted: () => string, challenge?: (realm: string) => string): Promise<Shop> {
  const tokens = await serve({ "/token": token });
  const realm = `http://${tokens.host}/token`;
  const header = challenge?.(realm) ?? `Bearer realm="${realm}",service="shop",scope="repository:a:pull"`;
  const guard =
    (body: Buffer): Handler =>
    (request, response) => {
      if (request.headers.authorization === accepted()) response.end(body);
      else response.writeHead(401, { "www-authenticate": header }).end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
    };
  const registry = await serve({ "/v2/a/manifests/*": guard(manifest), "/v2/a/blobs/*": guard(content) });
  return { registry, tokens, [Symbol.asyncDispose]: async () => void (await Promise.all([registry[Symbol.asyncDispose](), tokens[Symbol.asyncDispose]()])) };
}

const give =
  (fields: object): Handler =>
  (_, response) =>
    void response.end(JSON.stringify(fields));

test("an anonymous token is fetched once and used for everything in the repository", async () => {
  await using shop = await openShop(give({ token: "t1" }), () => "Bearer t1");
  const client = quickClient();
  const reference = parseReference(`${shop.registry.host}/a`);
  await client.resolve(reference);
  await Promise.all([1, 2, 3].map(() => readAll(client.openBlob(reference, blob))));
  assert.deepEqual(
    shop.tokens.requests.map((request) => [request.line, request.headers.authorization]),
    [["GET /token?service=shop&scope=repository%3Aa%3Apull", undefined]],
  );
});

test("many at once make one token", async () => {
  await using shop = await openShop(give({ access_token: "t1", expires_in: 300 }), () => "Bearer t1");
  const client = quickClient({ parallelDownloads: 8 });
  const reference = parseReference(`${shop.registry.host}/a`);
  await Promise.all(Array.from({ length: 8 }, () => readAll(client.openBlob(reference, blob))));
  assert.equal(shop.tokens.requests.length, 1);
});

test("credentials go to the token server, and the token to the registry", async () => {
  await using shop = await openShop(give({ token: "t1" }), () => "Bearer t1");
  await quickClient({ credentials: knows(user) }).resolve(parseReference(`${shop.registry.host}/a`));
  assert.equal(shop.tokens.requests[0]?.headers.authorization, basicHeader);
  assert.match(shop.tokens.requests[0]?.line ?? "", /&account=u$/);
  assert.deepEqual(
    shop.registry.requests.map((request) => request.headers.authorization),
    [undefined, "Bearer t1"],
  );
});

test("a token that is no longer accepted, or past its time, is fetched anew", async () => {
  let now = 1e12;
  let n = 1;
  await using shop = await openShop(
    (_, response) => void response.end(JSON.stringify({ token: `t${n}`, expires_in: 100 })),
    () => `Bearer t${n}`,
  );
  const client = quickClient({ now: () => now });
  const reference = parseReference(`${shop.registry.host}/a`);
  await client.resolve(reference);
  n = 2;
  await client.resolve(reference);
  now += 96_000;
  await client.resolve(reference);
  assert.equal(shop.tokens.requests.length, 3);
  assert.deepEqual(
    shop.registry.requests.map((request) => request.headers.authorization),
    [undefined, "Bearer t1", "Bearer t1", "Bearer t2", undefined, "Bearer t2"],
  );
});

test("an identity token is exchanged by POST and stays out of the address", async () => {
  let body = "";
  const token: Handler = (request, response) => {
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => response.end('{"access_token":"t1"}'));
  };
  await using shop = await openShop(token, () => "Bearer t1");
  await quickClient({ credentials: knows({ kind: "identity", token: "id" }) }).resolve(parseReference(`${shop.registry.host}/a`));
  assert.equal(shop.tokens.requests[0]?.line, "POST /token");
  assert.deepEqual(Object.fromEntries(new URLSearchParams(body)), {
    service: "shop",
    scope: "repository:a:pull",
    client_id: "slipway",
    grant_type: "refresh_token",
    refresh_token: "id",
  });
});

test("an identity token that the server replaces is used from then on", async () => {
  const used: (string | null)[] = [];
  let now = 1e12;
  const token: Handler = (request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      used.push(new URLSearchParams(body).get("refresh_token"));
      response.end(JSON.stringify({ access_token: "t1", refresh_token: `id${used.length}` }));
    });
  };
  await using shop = await openShop(token, () => "Bearer t1");
  const client = quickClient({ credentials: knows({ kind: "identity", token: "id" }), now: () => now });
  for (let i = 0; i < 3; i++, now += 100_000) await client.resolve(parseReference(`${shop.registry.host}/a`));
  assert.deepEqual(used, ["id", "id1", "id2"]);
});

describe("a token server that knows one way only", () => {
  const table: readonly [name: string, credential: Credential, known: string, status: number, lines: readonly string[]][] = [
    ["a password by POST", user, "POST", 405, ["GET /token?service=shop&scope=repository%3Aa%3Apull&account=u", "POST /token"]],
    [
      "an identity token by GET",
      { kind: "identity", token: "id", username: "u" },
      "GET",
      404,
      ["POST /token", "GET /token?service=shop&scope=repository%3Aa%3Apull&account=u"],
    ],
  ];
  for (const [name, credential, known, status, lines] of table) {
    test(name, async () => {
      const token: Handler = (request, response) => void (request.method === known ? response.end('{"token":"t1"}') : response.writeHead(status).end());
      await using shop = await openShop(token, () => "Bearer t1");
      await quickClient({ credentials: knows(credential) }).resolve(parseReference(`${shop.registry.host}/a`));
      assert.deepEqual(
        shop.tokens.requests.map(({ line }) => line),
        lines,
      );
    });
  }
});

test("a registry token is sent as it is", async () => {
  await using shop = await openShop(give({}), () => "Bearer mine");
  await quickClient({ credentials: knows({ kind: "bearer", token: "mine" }) }).resolve(parseReference(`${shop.registry.host}/a`));
  assert.equal(shop.tokens.requests.length, 0);
});

test("Basic: with credentials, and in the words of Docker without", async () => {
  await using shop = await openShop(
    give({}),
    () => basicHeader,
    () => 'Basic realm="shop"',
  );
  const reference = parseReference(`${shop.registry.host}/a`);
  const client = quickClient({ credentials: knows(user) });
  await client.resolve(reference);
  await client.resolve(reference);
  assert.deepEqual(
    shop.registry.requests.map((request) => request.headers.authorization),
    [undefined, basicHeader, basicHeader],
  );
  await assert.rejects(quickClient().resolve(reference), {
    kind: "unauthenticated",
    code: "UNAUTHORIZED",
    message: /or may require 'docker login': no basic auth credentials$/,
  });
});

test("what a registry refuses in spite of a token is an error, not a loop", async () => {
  await using shop = await openShop(
    give({ token: "t1" }),
    () => "never",
    (realm) => `Bearer realm="${realm}",scope="repository:a:pull",error="insufficient_scope"`,
  );
  await assert.rejects(quickClient().resolve(parseReference(`${shop.registry.host}/a`)), (error: unknown) => {
    assert.ok(error instanceof SlipwayError);
    assert.equal(error.code, "UNAUTHORIZED");
    assert.equal(
      error.details["resolveMessage"],
      "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed",
    );
    return true;
  });
  assert.equal(shop.registry.requests.length, 2);
});

describe("token servers that are refused", () => {
  const table: readonly [name: string, token: Handler, challenge: ((realm: string) => string) | undefined, kind: string, code: string][] = [
    [
      "wrong password",
      (_, response) => void response.writeHead(401).end('{"details":"incorrect username or password"}'),
      undefined,
      "unauthenticated",
      "LOGIN_REFUSED",
    ],
    ["an endless token", (_, response) => endless(response, "x".repeat(65536)), undefined, "resource_exhausted", "RESPONSE_TOO_LARGE"],
    ["a token that never comes to its end", (_, response) => void response.write('{"token":"'), undefined, "deadline_exceeded", "DEADLINE_EXCEEDED"],
    ["no token", give({}), undefined, "invalid_argument", "INVALID_DOCUMENT"],
    ["a token that is a header of its own", give({ token: "t\r\nx-evil: 1" }), undefined, "invalid_argument", "INVALID_DOCUMENT"],
    ["not there", (_, response) => void response.writeHead(404).end(), undefined, "unavailable", "TOKEN_SERVER_FAILED"],
    ["busy", (_, response) => void response.writeHead(429, { "retry-after": "9999" }).end(), undefined, "resource_exhausted", "TOO_MANY_REQUESTS"],
    ["a realm that is a file", give({ token: "t1" }), () => 'Bearer realm="file:///etc/passwd"', "denied", "BAD_TOKEN_SERVER"],
    ["a realm with a name and password", give({ token: "t1" }), (realm) => `Bearer realm="${realm.replace("//", "//a:b@")}"`, "denied", "BAD_TOKEN_SERVER"],
    ["no realm", give({ token: "t1" }), () => "Bearer service=x", "denied", "BAD_TOKEN_SERVER"],
    ["nothing that we know", give({ token: "t1" }), () => "Negotiate", "unauthenticated", "UNAUTHORIZED"],
  ];
  for (const [name, token, challenge, kind, code] of table) {
    test(name, async () => {
      await using shop = await openShop(token, () => "Bearer t1", challenge);
      const client = quickClient({ credentials: knows(user), ...(code === "DEADLINE_EXCEEDED" ? { timeouts: { documentMs: 300 } } : {}) });
      await assert.rejects(client.resolve(parseReference(`${shop.registry.host}/a`)), (error: unknown) => {
        assert.ok(error instanceof SlipwayError);
        assert.deepEqual([error.kind, error.code], [kind, code]);
        assert.ok(!JSON.stringify([error.message, error.details]).includes("p:ä"), "no password in an error");
        return true;
      });
    });
  }
});

test("a broken credential helper does not keep from a public image, and is named where it matters", async () => {
  const credentials: CredentialSource = {
    lookup: () => Promise.reject(new SlipwayError("failed_precondition", "CREDENTIAL_HELPER_FAILED", "error getting credentials - err: no helper")),
  };
  await using shop = await openShop(give({ token: "t1" }), () => "Bearer t1");
  await quickClient({ credentials }).resolve(parseReference(`${shop.registry.host}/a`));
  await using closed = await openShop(
    give({}),
    () => basicHeader,
    () => "Basic",
  );
  await assert.rejects(quickClient({ credentials }).resolve(parseReference(`${closed.registry.host}/a`)), {
    code: "UNAUTHORIZED",
    message: /\(error getting credentials - err: no helper\)$/,
  });
});

describe("redirects", () => {
  const redirect =
    (location: string, status = 307): Handler =>
    (_, response) =>
      void response.writeHead(status, { location }).end();

  test("credentials stay with the origin they belong to", async () => {
    await using store = await serve({ "/blob": (_, response) => void response.end(content) });
    await using registry = await serve({
      [`/v2/a/blobs/${blob.digest}`]: (request, response) => {
        if (request.headers.authorization === undefined) response.writeHead(401, { "www-authenticate": "Basic" }).end();
        else response.writeHead(307, { location: "/here" }).end();
      },
      "/here": redirect(`http://${store.host}/blob?signature=secret`, 302),
    });
    assert.deepEqual(await readAll(quickClient({ credentials: knows(user) }).openBlob(parseReference(`${registry.host}/a`), blob)), content);
    assert.deepEqual(
      registry.requests.map((request) => request.headers.authorization),
      [undefined, basicHeader, basicHeader],
    );
    assert.deepEqual(
      store.requests.map((request) => request.headers.authorization),
      [undefined],
    );
  });

  test("a 401 from where a redirect led gets no credentials", async () => {
    await using store = await serve({ "/blob": (_, response) => void response.writeHead(401, { "www-authenticate": "Basic" }).end() });
    await using registry = await serve({ [`/v2/a/blobs/${blob.digest}`]: redirect(`http://${store.host}/blob`) });
    await assert.rejects(readAll(quickClient({ credentials: knows(user) }).openBlob(parseReference(`${registry.host}/a`), blob)), { code: "UNAUTHORIZED" });
    assert.deepEqual(
      store.requests.map((request) => request.headers.authorization),
      [undefined],
    );
  });

  const refused: readonly [name: string, location: string, message: RegExp][] = [
    ["in a circle", "/v2/a/manifests/latest", /stopped after 5 redirects/],
    ["to a file", "file:///etc/passwd", /not http or https/],
    ["to nothing", "http://", /not http or https/],
  ];
  for (const [name, location, message] of refused) {
    test(name, async () => {
      await using registry = await serve({ "/v2/a/manifests/latest": redirect(location) });
      await assert.rejects(quickClient().resolve(parseReference(`${registry.host}/a`)), { kind: "denied", code: "BAD_REDIRECT", message });
    });
  }

  test("an error tells where it led, without what is secret in the address", async () => {
    await using store = await serve({ "/blob": (_, response) => void response.writeHead(500).end() });
    await using registry = await serve({ [`/v2/a/blobs/${blob.digest}`]: redirect(`http://${store.host}/blob?signature=secret`) });
    await assert.rejects(readAll(quickClient().openBlob(parseReference(`${registry.host}/a`), blob)), (error: unknown) => {
      return (
        error instanceof SlipwayError && error.message.includes(`${store.host}/blob`) && !JSON.stringify([error.message, error.details]).includes("secret")
      );
    });
  });
});
