import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { networkInterfaces } from "node:os";
import { digestOf } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import { hostPlatform, parsePlatform } from "../oci/platform.ts";
import { parseReference } from "../oci/reference.ts";
import { createCredentialSource } from "./credentials.ts";
import { blobDescriptor, endless, quickClient, readAll, serve } from "./fixtures/loopback-server.ts";
import type { Handler } from "./fixtures/loopback-server.ts";
import { resolveImage } from "./image-source.ts";

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const config = json({ architecture: "amd64", os: "linux", config: { Cmd: ["sh"] }, rootfs: { type: "layers", diff_ids: [] } });
const manifest = json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blobDescriptor(config, mediaTypes.ociConfig), layers: [] });
const digest = digestOf(manifest);
const latest = "/v2/a/manifests/latest";

function send(body: Uint8Array, headers: Record<string, string> = {}): Handler {
  return (_, response) => void response.writeHead(200, { "content-type": mediaTypes.ociManifest, "content-length": body.length, ...headers }).end(body);
}

function status(code: number, body: unknown = "", headers: Record<string, string> = {}): Handler {
  return (_, response) => void response.writeHead(code, headers).end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Answers with each handler once, then with the last. */
function inTurn(...handlers: readonly Handler[]): Handler {
  let i = 0;
  return (request, response) => handlers[Math.min(i++, handlers.length - 1)]?.(request, response);
}

test("resolve and head agree; the default tag is latest", async () => {
  await using server = await serve({ [latest]: send(manifest, { "docker-content-digest": digest }), [`/v2/a/manifests/${digest}`]: send(manifest) });
  const client = quickClient({ userAgent: "slipway-test" });
  const reference = parseReference(`${server.host}/a`);
  const fetched = await client.resolve(reference);
  assert.deepEqual(fetched.descriptor, { mediaType: mediaTypes.ociManifest, digest, size: manifest.length });
  assert.deepEqual(Buffer.from(fetched.bytes), manifest);
  assert.deepEqual(await client.head(reference), fetched.descriptor);
  assert.deepEqual((await client.fetchManifest(reference, digest)).descriptor, fetched.descriptor);
  assert.equal(server.requests[0]?.headers["user-agent"], "slipway-test");
  assert.match(server.requests[0]?.headers.accept ?? "", /image\.index\.v1\+json.*manifest\.list\.v2\+json/);
});

test("head says nothing where the registry does not tell the digest", async () => {
  await using server = await serve({ [latest]: send(manifest) });
  assert.equal(await quickClient().head(parseReference(`${server.host}/a`)), undefined);
});

describe("manifests that are refused", () => {
  const table: readonly [name: string, handler: Handler, code: string][] = [
    ["not what the header's digest says", send(manifest, { "docker-content-digest": digestOf("else") }), "DIGEST_MISMATCH"],
    ["huge by its own word", (_, response) => void response.writeHead(200, { "content-length": 5e6 }).write("{"), "RESPONSE_TOO_LARGE"],
    ["endless", (_, response) => endless(response, Buffer.alloc(65536, " ")), "RESPONSE_TOO_LARGE"],
    ["not JSON", send(Buffer.from("<html>")), "INVALID_DOCUMENT"],
    ["schema 1", send(json({ schemaVersion: 1 })), "SCHEMA1_MANIFEST"],
  ];
  for (const [name, handler, code] of table) {
    test(name, async () => {
      await using server = await serve({ [latest]: handler });
      await assert.rejects(quickClient().resolve(parseReference(`${server.host}/a`)), { code });
    });
  }

  test("another than the digest that was asked for", async () => {
    await using server = await serve({ "/v2/a/manifests/*": send(config) });
    await assert.rejects(quickClient().fetchManifest(parseReference(`${server.host}/a`), digest), { kind: "data_loss", code: "DIGEST_MISMATCH" });
  });
});

describe("what registries answer, in Docker's words", () => {
  const error = (code: string, message: string) => ({ errors: [{ code, message }] });
  const table: readonly [name: string, handler: Handler, kind: string, code: string, message: RegExp, resolve: RegExp][] = [
    [
      "no such tag",
      status(404, error("MANIFEST_UNKNOWN", "manifest unknown")),
      "not_found",
      "MANIFEST_NOT_FOUND",
      /^manifest for \S+\/a:latest not found: manifest unknown: manifest unknown$/,
      /^\S+\/a:latest: not found$/,
    ],
    [
      "no access",
      status(403, error("DENIED", "requested access to the resource is denied")),
      "denied",
      "ACCESS_DENIED",
      /^pull access denied for \S+\/a, repository does not exist or may require 'docker login': denied: requested access/,
      /403 Forbidden$/,
    ],
    [
      "a 401 without a challenge",
      status(401),
      "unauthenticated",
      "UNAUTHORIZED",
      /^pull access denied for \S+\/a, repository does not exist or may require 'docker login': the registry asks for no kind/,
      /^pull access denied, repository does not exist or may require authorization/,
    ],
    [
      "too many requests, come back tomorrow",
      status(429, error("TOOMANYREQUESTS", "You have reached your pull rate limit."), { "retry-after": "86400" }),
      "resource_exhausted",
      "TOO_MANY_REQUESTS",
      /^toomanyrequests: You have reached your pull rate limit\.$/,
      /429 Too Many Requests - Server message: toomanyrequests/,
    ],
    [
      "down",
      status(503, "<html>"),
      "unavailable",
      "REGISTRY_UNAVAILABLE",
      /^unexpected status from GET request to http:\/\/\S+\/v2\/a\/manifests\/latest: 503 Service Unavailable$/,
      /503/,
    ],
    ["a teapot", status(418), "unavailable", "UNEXPECTED_STATUS", /418/, /418/],
    ["control characters in a message", status(403, error("DENIED", "\u001b[2Jno\u0007")), "denied", "ACCESS_DENIED", /: denied: \[2Jno$/, /403/],
    [
      "an endless error",
      (_, response) => (response.writeHead(403), endless(response, "x".repeat(10_000))),
      "denied",
      "ACCESS_DENIED",
      /^pull access denied/,
      /403/,
    ],
  ];
  for (const [name, handler, kind, code, message, resolve] of table) {
    test(name, async () => {
      await using server = await serve({ [latest]: handler });
      await assert.rejects(
        quickClient().resolve(parseReference(`${server.host}/a`)),
        (thrown: Error & { kind?: string; code?: string; details?: { resolveMessage?: string } }) => {
          assert.deepEqual([thrown.kind, thrown.code], [kind, code]);
          assert.match(thrown.message, message);
          assert.match(thrown.details?.resolveMessage ?? "", resolve);
          return true;
        },
      );
    });
  }
});

describe("trying again", () => {
  const failures: readonly [name: string, handler: Handler][] = [
    ["429 with a short Retry-After", status(429, "", { "retry-after": "0" })],
    ["503", status(503)],
    ["a connection closed before the answer", (request) => void request.socket.destroy()],
  ];
  for (const [name, handler] of failures) {
    test(`${name}: the second answer counts`, async () => {
      // plain http is known before, so that a broken connection is not taken for a missing TLS
      await using server = await serve({ [latest]: inTurn(send(manifest), handler, send(manifest)) });
      const client = quickClient();
      await client.resolve(parseReference(`${server.host}/a`));
      assert.equal((await client.resolve(parseReference(`${server.host}/a`))).descriptor.digest, digest);
      assert.equal(server.requests.length, 3);
    });
  }

  test("a refusal is not repeated", async () => {
    await using server = await serve({ [latest]: status(403) });
    await assert.rejects(quickClient().resolve(parseReference(`${server.host}/a`)), { code: "ACCESS_DENIED" });
    assert.equal(server.requests.length, 1);
  });
});

describe("deadlines", () => {
  test("no answer at all", async () => {
    await using server = await serve({ [latest]: () => {} });
    const client = quickClient({ timeouts: { headersMs: 40 }, retry: { maxAttempts: 1 } });
    await assert.rejects(client.resolve(parseReference(`${server.host}/a`)), { kind: "deadline_exceeded", code: "RESPONSE_TIMEOUT" });
  });

  test("a manifest that comes too slowly", async () => {
    await using server = await serve({ [latest]: (_, response) => void response.writeHead(200).write("{") });
    const client = quickClient({ timeouts: { documentMs: 60 } });
    await assert.rejects(client.resolve(parseReference(`${server.host}/a`)), { kind: "deadline_exceeded", code: "DEADLINE_EXCEEDED" });
  });
});

describe("tags", () => {
  test("all pages, whatever host the link names", async () => {
    await using server = await serve({
      "/v2/a/tags/list": (request, response) => {
        const last = (request.url ?? "").includes("last=1");
        response
          .writeHead(200, last ? {} : { link: '<http://other.example/elsewhere?n=1000&last=1>; rel="next"' })
          .end(JSON.stringify({ name: "a", tags: last ? ["2\u0007"] : ["0", "1"] }));
      },
    });
    assert.deepEqual(await quickClient().listTags(parseReference(`${server.host}/a:ignored`)), ["0", "1", "2"]);
  });

  test("null is an empty list; an unknown repository is an error", async () => {
    await using server = await serve({ "/v2/a/tags/list": status(200, { name: "a", tags: null }) });
    assert.deepEqual(await quickClient().listTags(parseReference(`${server.host}/a`)), []);
    await assert.rejects(quickClient().listTags(parseReference(`${server.host}/b`)), { kind: "not_found", code: "REPOSITORY_NOT_FOUND" });
  });

  test("pages without end", async () => {
    const page = json({ tags: Array.from({ length: 40_000 }, (_, i) => `t${i}`) });
    await using server = await serve({ "/v2/a/tags/list": send(page, { link: "</v2/a/tags/list?n=1>; rel=next" }) });
    await assert.rejects(quickClient().listTags(parseReference(`${server.host}/a`)), { kind: "resource_exhausted", code: "TOO_MANY_TAGS" });
  });
});

describe("resolveImage", () => {
  const entry = (bytes: Buffer, platform?: string) => ({
    ...blobDescriptor(bytes, mediaTypes.ociManifest),
    ...(platform && { platform: parsePlatform(platform) }),
  });
  const indexOf = (...manifests: object[]): Buffer => json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });
  const blobs = (...bodies: Buffer[]) =>
    Object.fromEntries(
      bodies.flatMap((body) => [
        [`/v2/a/manifests/${digestOf(body)}`, send(body, { "content-type": "application/octet-stream" })],
        [`/v2/a/blobs/${digestOf(body)}`, send(body)],
      ]),
    );

  test("a plain manifest", async () => {
    await using server = await serve({ [latest]: send(manifest), ...blobs(config) });
    const image = await resolveImage(quickClient(), parseReference(`${server.host}/a`), hostPlatform());
    assert.deepEqual(image.config.config.Cmd, ["sh"]);
    assert.deepEqual([image.manifestDescriptor.digest, image.indexes.length], [digest, 0]);
    assert.deepEqual(Buffer.from(image.configBytes), config);
  });

  test("through an index to the right platform", async () => {
    const other = json({ ...JSON.parse(manifest.toString()), annotations: { other: "1" } });
    const index = indexOf(entry(other, "linux/arm64"), entry(manifest, "linux/amd64"));
    await using server = await serve({ [latest]: send(index, { "content-type": mediaTypes.ociIndex }), ...blobs(config, manifest, other) });
    const client = quickClient();
    const reference = parseReference(`${server.host}/a`);
    assert.equal((await resolveImage(client, reference, parsePlatform("linux/amd64"))).manifestDescriptor.digest, digest);
    const arm = await resolveImage(client, reference, parsePlatform("linux/arm64"));
    assert.deepEqual([arm.manifestDescriptor.digest, arm.root.descriptor.digest], [digestOf(other), digestOf(index)]);
    await assert.rejects(resolveImage(client, reference, parsePlatform("linux/s390x")), {
      code: "NO_MATCHING_PLATFORM",
      message: /the image has linux\/arm64, linux\/amd64$/,
    });
  });

  test("indexes in indexes end somewhere", async () => {
    const chain = [manifest];
    for (let i = 0; i < 6; i++) chain.push(indexOf(entry(chain.at(-1) as Buffer)));
    const at = (depth: number) => send(chain[depth] as Buffer, { "content-type": mediaTypes.ociIndex });
    await using server = await serve({ "/v2/a/manifests/four": at(4), "/v2/a/manifests/six": at(6), ...blobs(config, ...chain) });
    assert.equal((await resolveImage(quickClient(), parseReference(`${server.host}/a:four`), hostPlatform())).indexes.length, 4);
    await assert.rejects(resolveImage(quickClient(), parseReference(`${server.host}/a:six`), hostPlatform()), {
      code: "INVALID_DOCUMENT",
      message: /nested deeper than 4/,
    });
  });

  test("a manifest of another size than the index says, a config beyond all bounds", async () => {
    const lying = indexOf({ ...entry(manifest), size: 3 });
    const fat = json({ schemaVersion: 2, config: { ...blobDescriptor(config, mediaTypes.ociConfig), size: 1e9 }, layers: [] });
    await using server = await serve({
      "/v2/a/manifests/lying": send(lying, { "content-type": mediaTypes.ociIndex }),
      "/v2/a/manifests/fat": send(fat),
      ...blobs(config, manifest),
    });
    await assert.rejects(resolveImage(quickClient(), parseReference(`${server.host}/a:lying`), hostPlatform()), {
      code: "INVALID_DOCUMENT",
      message: /the index says 3/,
    });
    await assert.rejects(resolveImage(quickClient(), parseReference(`${server.host}/a:fat`), hostPlatform()), { code: "DOCUMENT_TOO_LARGE" });
  });
});

test("a closed client fails, and closing twice is no error", async () => {
  await using server = await serve({ [latest]: (_, response) => void response.writeHead(200).write("{") });
  const client = quickClient();
  const resolving = client.resolve(parseReference(`${server.host}/a`));
  const failing = assert.rejects(resolving, { kind: "unavailable" });
  await new Promise((resolve) => setImmediate(resolve));
  await client.close();
  await client.close();
  await failing;
  await assert.rejects(readAll(client.openBlob(parseReference("[::1]:1/a"), blobDescriptor(config))));
});

test("a connection that breaks at the very first request is tried again, over plain http where that is what the host speaks", async () => {
  let requests = 0;
  const flaky: Handler = (request, response) => (++requests === 1 ? void request.socket.destroy() : send(manifest)(request, response));
  await using server = await serve({ [latest]: flaky });
  assert.equal((await quickClient().resolve(parseReference(`${server.host}/a`))).descriptor.digest, digest);
});

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1") === true);

test("a registry that is an address of IPv6", { skip: hasIpv6 ? false : "needs ::1" }, async () => {
  const token = Buffer.from("u:p").toString("base64");
  await using server = await serve(
    {
      "/v2/a/manifests/latest": (request, response) => {
        if (request.headers.authorization === `Basic ${token}`) response.end(manifest);
        else response.writeHead(401, { "www-authenticate": "Basic" }).end();
      },
    },
    { address: "::1" },
  );
  const reference = parseReference(`${server.host}/a`);
  assert.deepEqual([reference.domain, reference.path], [server.host, "a"]);
  const readText = (path: string) => (path === "/h/.docker/config.json" ? JSON.stringify({ auths: { [server.host]: { auth: token } } }) : undefined);
  const credentials = createCredentialSource({}, "/h", { readText, list: () => [] }, async () => undefined);
  await using client = quickClient({ credentials, env: { HTTP_PROXY: "http://127.0.0.1:1" } });
  assert.deepEqual(Buffer.from((await client.resolve(reference)).bytes), manifest);
});

test("requests one after the other share connections, with answers that are read and answers that are not", async () => {
  const ports = new Set<number | undefined>();
  const noted =
    (handler: Handler): Handler =>
    (request, response) => {
      ports.add(request.socket.remotePort);
      handler(request, response);
    };
  await using server = await serve({
    [latest]: noted(send(manifest)),
    "/v2/a/blobs/*": noted(send(config)),
    "/v2/a/manifests/none": noted(status(404, "x".repeat(1000))),
  });
  await using client = quickClient();
  const reference = parseReference(`${server.host}/a`);
  await client.resolve(reference);
  for (let i = 0; i < 5; i++) {
    await client.head(reference);
    await assert.rejects(client.resolve(parseReference(`${server.host}/a:none`)), { code: "MANIFEST_NOT_FOUND" });
    await readAll(client.openBlob(reference, blobDescriptor(config)));
  }
  // one may not be free yet when the next request is made
  assert.ok(ports.size <= 2, `${ports.size} connections`);
});
