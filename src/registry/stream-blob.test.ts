import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import { parseReference } from "../oci/reference.ts";
import { blobDescriptor, endless, quickClient, readAll, serve } from "./fixtures/loopback-server.ts";
import type { Handler } from "./fixtures/loopback-server.ts";

const content = randomBytes(300_000);
const blob = blobDescriptor(content);
const path = `/v2/a/blobs/${blob.digest}`;

/** The offset that a request's Range header asks for. */
function offsetOf(range: string | undefined): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
}

function sendRange(response: ServerResponse, start: number, body: Uint8Array = content): void {
  response
    .writeHead(206, { "content-range": `bytes ${start}-${body.length - 1}/${body.length}`, "content-length": body.length - start })
    .end(body.subarray(start));
}

/** Sends `count` bytes from where it is asked, under the length of all that is left, and breaks the connection. */
function breaking(count: number): Handler {
  return (request, response) => {
    const start = offsetOf(request.headers.range);
    const rest = content.subarray(start);
    response.writeHead(start === 0 ? 200 : 206, {
      "content-length": rest.length,
      ...(start === 0 ? {} : { "content-range": `bytes ${start}-${content.length - 1}/${content.length}` }),
    });
    if (rest.length <= count) response.end(rest);
    else response.write(rest.subarray(0, count), () => response.destroy());
  };
}

async function openAt(handler: Handler, retry?: { maxAttempts: number }) {
  const server = await serve({ [path]: handler });
  const client = quickClient(retry === undefined ? {} : { retry });
  const reference = parseReference(`${server.host}/a`);
  return { server, client, open: (options = {}) => client.openBlob(reference, blob, options), [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

test("an honest blob comes whole, from any offset", async () => {
  await using peer = await openAt((request, response) => {
    const start = offsetOf(request.headers.range);
    if (start > 0) sendRange(response, start);
    else response.end(content);
  });
  assert.deepEqual(await readAll(peer.open()), content);
  const hash = createHash("sha256").update(content.subarray(0, 1000));
  assert.deepEqual(await readAll(peer.open({ offset: 1000, hash })), content.subarray(1000));
  await assert.rejects(readAll(peer.open({ offset: 1000, hash: createHash("sha256").update("else") })), { code: "DIGEST_MISMATCH" });
});

test("a connection that breaks again and again is taken up where it broke", async () => {
  await using peer = await openAt(breaking(120_000));
  assert.deepEqual(await readAll(peer.open()), content);
  const ranges = peer.server.requests.map((request) => request.headers.range);
  assert.equal(ranges.length, 3);
  assert.ok(offsetOf(ranges[1]) > 0 && offsetOf(ranges[2]) > offsetOf(ranges[1]));
});

test("a server that ignores the range is read again from its start, nothing twice", async () => {
  let first = true;
  await using peer = await openAt((request, response) => {
    if (first) breaking(100_000)(request, response);
    else response.end(content);
    first = false;
  });
  assert.deepEqual(await readAll(peer.open()), content);
});

test("no more tries than allowed: then the failure of the network is told", async () => {
  await using peer = await openAt(breaking(10));
  await assert.rejects(readAll(peer.open()), { kind: "unavailable", code: "CONNECTION_LOST" });
  assert.equal(peer.server.requests.length, 3);
});

describe("a lying registry yields never more than the declared size, and its end is an error", () => {
  const wrong = Buffer.from(content);
  wrong[5] = (wrong[5] ?? 0) ^ 1;
  const table: readonly [name: string, handler: Handler, code: string, requests: number][] = [
    ["another content of the same size", (_, response) => void response.end(wrong), "DIGEST_MISMATCH", 1],
    [
      "Content-Length too large",
      (_, response) => void response.writeHead(200, { "content-length": content.length + 1 }).end(Buffer.concat([content, content.subarray(0, 1)])),
      "SIZE_MISMATCH",
      1,
    ],
    ["Content-Length too small", (_, response) => void response.writeHead(200, { "content-length": 10 }).end(content.subarray(0, 10)), "SIZE_MISMATCH", 1],
    ["a body that ends early without saying its length", (_, response) => void (response.write(content.subarray(0, 10)), response.end()), "SIZE_MISMATCH", 3],
    ["an endless body", (_, response) => endless(response, content), "SIZE_MISMATCH", 1],
    ["an empty body", (_, response) => void response.end(), "SIZE_MISMATCH", 1],
    ["a range that starts later than asked", (_, response) => sendRange(response, 5), "BAD_RANGE", 1],
    ["a range of a larger whole", (_, response) => sendRange(response, 0, Buffer.concat([content, content])), "SIZE_MISMATCH", 1],
    ["a range that says nothing", (_, response) => void response.writeHead(206).end(content), "BAD_RANGE", 1],
    ["broken HTTP", (_, response) => void response.socket?.end("HTTP/1.1 OK\r\n\r\n"), "PROTOCOL_ERROR", 1],
  ];
  for (const [name, handler, code, requests] of table) {
    test(name, async () => {
      await using peer = await openAt(handler);
      let size = 0;
      const reading = (async () => {
        for await (const chunk of peer.open()) size += chunk.length;
      })();
      await assert.rejects(reading, { code });
      assert.ok(size <= blob.size);
      assert.equal(peer.server.requests.length, requests);
    });
  }
});

test("silence in the middle of a body has a deadline", async () => {
  await using server = await serve({
    [path]: (_, response) => void response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 10)),
  });
  const client = quickClient({ retry: { maxAttempts: 1 }, timeouts: { idleMs: 40 } });
  await assert.rejects(readAll(client.openBlob(parseReference(`${server.host}/a`), blob)), { kind: "deadline_exceeded", code: "RESPONSE_TIMEOUT" });
});

test("a canceled download fails with the reason and closes the connection", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  await using peer = await openAt((_, response) => {
    response.on("close", () => resolve());
    response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 10));
  });
  const controller = new AbortController();
  const reading = (async () => {
    for await (const _ of peer.open({ signal: controller.signal })) controller.abort();
  })();
  await assert.rejects(reading, { kind: "canceled", code: "CANCELED" });
  await closed;
  await assert.rejects(readAll(peer.open({ signal: controller.signal })), { kind: "canceled" });
});

test("leaving the loop early closes the connection", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  await using peer = await openAt((_, response) => {
    response.on("close", () => resolve());
    response.writeHead(200, { "content-length": content.length }).write(content.subarray(0, 10));
  });
  for await (const _ of peer.open()) break;
  await closed;
});

describe("a layer that must not be distributed", () => {
  const foreign = { ...blob, mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" };
  const give: Handler = (_, response) => void response.end(content);
  const table: readonly [name: string, elsewhere: Readonly<Record<string, Handler>>, registry: Handler, want: string | undefined][] = [
    ["comes from where its descriptor says", { "/layer": give }, (_, response) => void response.writeHead(404).end(), undefined],
    ["or from the registry, which may have it after all", {}, give, undefined],
    [
      "is checked like every other",
      { "/layer": (_, response) => void response.end(Buffer.alloc(content.length)) },
      (_, response) => void response.writeHead(404).end(),
      "DIGEST_MISMATCH",
    ],
    ["is nowhere", {}, (_, response) => void response.writeHead(404).end(), "BLOB_NOT_FOUND"],
  ];
  for (const [name, elsewhere, registry, want] of table) {
    test(name, async () => {
      await using other = await serve(elsewhere);
      await using server = await serve({ [path]: registry });
      const urls = ["file:///etc/passwd", `http://u:p@${other.host}/layer`, `http://${other.host}/layer`];
      await using client = quickClient({
        credentials: { lookup: async () => ({ kind: "basic", username: "u", password: "p" }) },
        headers: { "x-meta-a": "b" },
      });
      const reading = readAll(client.openBlob(parseReference(`${server.host}/a`), { ...foreign, urls }));
      if (want === undefined) assert.deepEqual(await reading, content);
      else await assert.rejects(reading, { code: want });
      assert.deepEqual(
        other.requests.map(({ line, headers }) => [line, headers.authorization, headers["x-meta-a"]]),
        [["GET /layer", undefined, undefined]],
      );
    });
  }
});

test("no more downloads at once than allowed", async () => {
  let open = 0;
  let most = 0;
  await using server = await serve({
    [path]: (_, response) => {
      most = Math.max(most, ++open);
      setImmediate(() => {
        open--;
        response.end(content);
      });
    },
  });
  const client = quickClient({ parallelDownloads: 2 });
  const reference = parseReference(`${server.host}/a`);
  await Promise.all(Array.from({ length: 8 }, () => readAll(client.openBlob(reference, blob))));
  assert.ok(most <= 2);
});

describe("mirrors", () => {
  const registries = (mirror: string, origin: string) => [
    {
      prefix: "reg.example",
      location: origin,
      insecure: true,
      blocked: false,
      source: "test",
      mirrors: [{ location: mirror, insecure: true, pullFromMirror: "all" as const }],
    },
  ];
  const origin: Handler = (request, response) => {
    const start = offsetOf(request.headers.range);
    if (start > 0) sendRange(response, start);
    else response.end(content);
  };

  test("what breaks at the mirror for good goes on at the origin", async () => {
    let asked = 0;
    await using mirror = await serve({
      [path]: (request, response) => (asked++ === 0 ? breaking(50_000)(request, response) : void response.writeHead(410).end()),
    });
    await using registry = await serve({ [path]: origin });
    const client = quickClient({ registries: registries(mirror.host, registry.host) });
    assert.deepEqual(await readAll(client.openBlob(parseReference("reg.example/a"), blob)), content);
    assert.ok(offsetOf(registry.requests[0]?.headers.range) > 0);
  });

  test("a blob that came wrong from the mirror comes from the origin the next time", async () => {
    await using mirror = await serve({ [path]: (_, response) => void response.end(Buffer.alloc(content.length)) });
    await using registry = await serve({ [path]: origin });
    const client = quickClient({ registries: registries(mirror.host, registry.host) });
    const reference = parseReference("reg.example/a");
    await assert.rejects(readAll(client.openBlob(reference, blob)), { code: "DIGEST_MISMATCH" });
    assert.deepEqual(await readAll(client.openBlob(reference, blob)), content);
    assert.equal(mirror.requests.length, 1);
  });

  test("a mirror that nobody serves is asked once a minute, not for every blob", async () => {
    const gone = await serve({});
    await gone[Symbol.asyncDispose]();
    await using registry = await serve({ [path]: origin, "/v2/a/manifests/latest": (_, response) => void response.writeHead(404).end() });
    const client = quickClient({ registries: registries(gone.host, registry.host) });
    const reference = parseReference("reg.example/a");
    await assert.rejects(client.resolve(reference), (error: { details?: { mirrors?: unknown } }) => {
      assert.deepEqual(error.details?.mirrors, [
        {
          host: gone.host,
          code: "CONNECTION_REFUSED",
          message: `failed to do request: Get "https://${gone.host}/v2/a/manifests/latest": dial tcp ${gone.host}: connect: connection refused`,
        },
      ]);
      return true;
    });
    assert.deepEqual(await readAll(client.openBlob(reference, blob)), content);
    await assert.rejects(client.resolve(reference), (error: { details?: { mirrors?: unknown } }) => error.details?.mirrors === undefined);
  });

  test("where only the mirror was reached, its word counts", async () => {
    const gone = await serve({});
    await gone[Symbol.asyncDispose]();
    await using mirror = await serve({});
    const client = quickClient({ registries: registries(mirror.host, gone.host) });
    await assert.rejects(client.resolve(parseReference("reg.example/a")), {
      kind: "not_found",
      code: "MANIFEST_NOT_FOUND",
      message: /^manifest for reg\.example\/a:latest not found: manifest unknown \(asked only a mirror: .*connection refused\)$/,
    });
  });
});
