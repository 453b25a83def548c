import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, test } from "node:test";
import { digestOf } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import { parseReference } from "../oci/reference.ts";
import type { PushBlobOptions, UploadMemory } from "./client.ts";
import { registryAbsent, startDockerRegistry } from "./fixtures/docker-registry.ts";
import { blobDescriptor, quickClient, serve, type Handler } from "./fixtures/loopback-server.ts";

const chunkBytes = 32 * 1024 * 1024;
const small = Buffer.from("a blob of a few bytes");
const large = randomBytes(2 * chunkBytes + 4711);

function sourceOf(bytes: Buffer, opened: number[] = []): PushBlobOptions["open"] {
  return async function* (offset) {
    opened.push(offset);
    for (let at = offset; at < bytes.length; at += 65536) yield bytes.subarray(at, at + 65536);
  };
}

function createMemory(): UploadMemory & { readonly saved: Map<string, string> } {
  const saved = new Map<string, string>();
  return { saved, load: (key) => saved.get(key), save: (key, url) => void saved.set(key, url), forget: (key) => void saved.delete(key) };
}

/** A registry of one repository "a" that can be made to fail; uploads live in `sessions`. */
interface FakeRegistry {
  readonly blobs: Map<string, Buffer>;
  readonly sessions: Map<string, Buffer>;
  /** bytes that came in bodies, all in all */
  received: number;
  /** called before an upload's bytes are kept; true: it answered */
  fault: (request: IncomingMessage, response: ServerResponse, body: Buffer, session: string) => boolean;
  readonly handlers: Readonly<Record<string, Handler>>;
}

function createFake(): FakeRegistry {
  let next = 0;
  const range = (bytes: Buffer): Record<string, string> => (bytes.length === 0 ? {} : { range: `0-${bytes.length - 1}` });
  const fake: FakeRegistry = {
    blobs: new Map(),
    sessions: new Map(),
    received: 0,
    fault: () => false,
    handlers: {
      "/v2/a/blobs/uploads/*": (request, response) => void takeUpload(request, response),
      "/v2/a/blobs/*": (request, response) => {
        const bytes = fake.blobs.get((request.url ?? "").split("/").at(-1) ?? "");
        response.writeHead(bytes === undefined ? 404 : 200, bytes === undefined ? {} : { "content-length": bytes.length }).end();
      },
    },
  };
  async function takeUpload(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", "http://x");
    if (request.method === "POST") {
      const name = `s${next++}`;
      fake.sessions.set(name, Buffer.alloc(0));
      return void response.writeHead(202, { location: `/v2/a/blobs/uploads/${name}?state=kept` }).end();
    }
    const name = url.pathname.split("/").at(-1) ?? "";
    const kept = fake.sessions.get(name);
    if (kept === undefined) return void response.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
    if (request.method === "GET") return void response.writeHead(204, { location: request.url, ...range(kept) }).end();
    assert.equal(url.searchParams.get("state"), "kept");
    const body = Buffer.concat(await Array.fromAsync(request).catch(() => []));
    fake.received += body.length;
    if (fake.fault(request, response, body, name)) return;
    const bytes = Buffer.concat([kept, body]);
    fake.sessions.set(name, bytes);
    if (request.method === "PATCH") return void response.writeHead(202, { location: request.url, ...range(bytes) }).end();
    const digest = url.searchParams.get("digest") ?? "";
    if (digestOf(bytes) !== digest) return void response.writeHead(400).end('{"errors":[{"code":"DIGEST_INVALID"}]}');
    fake.blobs.set(digest, bytes);
    fake.sessions.delete(name);
    response.writeHead(201).end();
  }
  return fake;
}

async function push(fake: FakeRegistry, bytes: Buffer, call: Partial<PushBlobOptions> = {}) {
  await using server = await serve(fake.handlers);
  await using client = quickClient();
  const pushed = await client.pushBlob(parseReference(`${server.host}/a`), blobDescriptor(bytes), { open: sourceOf(bytes), ...call });
  return { pushed, requests: server.requests.map(({ line }) => line.replace(/\?.*/, "").replace(/sha256:\w+/, "DIGEST")) };
}

test("a small blob goes in one request, a large one in chunks, one that is there not at all", async () => {
  const fake = createFake();
  const { pushed, requests } = await push(fake, small);
  assert.deepEqual(pushed, { outcome: "uploaded", sentFrom: 0, size: small.length });
  assert.deepEqual(requests, ["HEAD /v2/a/blobs/DIGEST", "POST /v2/a/blobs/uploads/", "PUT /v2/a/blobs/uploads/s0"]);
  const again = await push(fake, small);
  assert.deepEqual([again.pushed, again.requests], [{ outcome: "exists" }, ["HEAD /v2/a/blobs/DIGEST"]]);
  const sent: number[] = [];
  const chunked = await push(fake, large, { onProgress: (bytes) => sent.push(bytes) });
  assert.deepEqual(
    chunked.requests.map((line) => line.split(" ")[0]),
    ["HEAD", "POST", "PATCH", "PATCH", "PUT"],
  );
  assert.equal(sent.at(-1), large.length);
  assert.ok(fake.blobs.get(digestOf(large))?.equals(large));
  assert.equal((await push(fake, Buffer.alloc(0))).pushed.outcome, "uploaded");
});

test("a source may use its memory again, as long as its chunks are longer than a socket's buffer", async () => {
  const fake = createFake();
  const memory = Buffer.alloc(128 * 1024);
  await push(fake, large, {
    open: async function* (offset) {
      for (let at = offset; at < large.length; at += memory.length) {
        const length = large.copy(memory, 0, at);
        yield length === memory.length ? memory : Buffer.from(memory.subarray(0, length));
      }
    },
  });
  assert.ok(fake.blobs.get(digestOf(large))?.equals(large));
});

describe("uploads that break", () => {
  const faults: readonly [name: string, fault: FakeRegistry["fault"], atMost: number][] = [
    ["the connection is cut", (request) => request.socket.destroy() !== undefined, large.length + chunkBytes],
    ["the registry is not available", (_, response) => response.writeHead(503).end() !== undefined, large.length + chunkBytes],
    ["too many requests", (_, response) => response.writeHead(429, { "retry-after": "0" }).end() !== undefined, large.length + chunkBytes],
  ];
  for (const [name, fault, atMost] of faults) {
    test(`${name}: at most one chunk goes twice`, async () => {
      const fake = createFake();
      let requests = 0;
      fake.fault = (...call) => ++requests === 2 && fault(...call);
      const { pushed } = await push(fake, large);
      assert.equal(pushed.outcome, "uploaded");
      assert.ok(fake.received <= atMost, `${fake.received} bytes`);
      assert.ok(fake.blobs.get(digestOf(large))?.equals(large));
    });
  }

  test("a chunk that arrived without an answer does not go twice", async () => {
    const fake = createFake();
    let requests = 0;
    fake.fault = (request, _, body, session) => {
      if (++requests !== 1) return false;
      fake.sessions.set(session, body);
      request.socket.destroy();
      return true;
    };
    await push(fake, large);
    assert.equal(fake.received, large.length);
  });

  test("a registry that forgets the session gets a new one", async () => {
    const fake = createFake();
    let requests = 0;
    fake.fault = (_, response, _body, session) => {
      if (++requests !== 2) return false;
      fake.sessions.delete(session);
      response.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
      return true;
    };
    const { requests: lines } = await push(fake, large);
    assert.equal(lines.filter((line) => line.startsWith("POST")).length, 2);
    assert.ok(fake.blobs.get(digestOf(large))?.equals(large));
  });

  test("a registry that forgets every session is given up", async () => {
    const fake = createFake();
    fake.fault = (_, response, _body, session) => {
      fake.sessions.delete(session);
      response.writeHead(404).end('{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}');
      return true;
    };
    await assert.rejects(push(fake, small), { code: "UPLOAD_UNKNOWN" });
  });

  test("a later process goes on with the session", async () => {
    const fake = createFake();
    const memory = createMemory();
    await using server = await serve(fake.handlers);
    const reference = parseReference(`${server.host}/a`);
    const stop = new AbortController();
    const first = quickClient();
    const interrupted = first.pushBlob(reference, blobDescriptor(large), {
      open: sourceOf(large),
      memory,
      signal: stop.signal,
      onProgress: (sent) => sent > chunkBytes + 65536 && stop.abort(),
    });
    await assert.rejects(interrupted);
    await first.close();
    assert.equal(memory.saved.size, 1);
    await using second = quickClient();
    const opened: number[] = [];
    const pushed = await second.pushBlob(reference, blobDescriptor(large), { open: sourceOf(large, opened), memory });
    assert.deepEqual(pushed, { outcome: "uploaded", sentFrom: chunkBytes, size: large.length });
    assert.equal(memory.saved.size, 0);
    assert.ok(fake.blobs.get(digestOf(large))?.equals(large));
  });

  test("what was verified before is left to the registry", async () => {
    const fake = createFake();
    await using server = await serve(fake.handlers);
    await using client = quickClient();
    const other = { ...blobDescriptor(small), digest: digestOf("other") };
    const pushed = client.pushBlob(parseReference(`${server.host}/a`), other, { open: sourceOf(small), verified: true });
    await assert.rejects(pushed, { code: "UNEXPECTED_STATUS" });
    assert.deepEqual([fake.blobs.size, fake.received], [0, small.length]);
  });

  const unread: readonly [name: string, answer: (response: ServerResponse, cancel: () => void) => void, code: string][] = [
    ["the call is canceled", (_, cancel) => cancel(), "CANCELED"],
    ["the registry refuses", (response) => void response.writeHead(400, { "content-length": 0 }).end(), "UNEXPECTED_STATUS"],
  ];
  for (const [name, answer, code] of unread) {
    test(`a source is ended when ${name} before the body is read`, async () => {
      const fake = createFake();
      const upload = fake.handlers["/v2/a/blobs/uploads/*"] as Handler;
      const controller = new AbortController();
      await using server = await serve({
        ...fake.handlers,
        "/v2/a/blobs/uploads/*": (request, response) =>
          request.method === "PATCH" ? answer(response, () => controller.abort(new Error("enough"))) : upload(request, response),
      });
      await using client = quickClient();
      const ended = Promise.withResolvers<void>();
      const pushed = client.pushBlob(parseReference(`${server.host}/a`), blobDescriptor(large), {
        signal: controller.signal,
        open: async function* (offset) {
          try {
            yield* sourceOf(large)(offset);
          } finally {
            ended.resolve();
          }
        },
      });
      await assert.rejects(pushed, { code });
      await ended.promise;
    });
  }

  test("bytes that are not the blob's are found before the last of them goes", async () => {
    const fake = createFake();
    await using server = await serve(fake.handlers);
    await using client = quickClient();
    const other = { ...blobDescriptor(small), digest: digestOf("other") };
    await assert.rejects(client.pushBlob(parseReference(`${server.host}/a`), other, { open: sourceOf(small) }), { code: "DIGEST_MISMATCH" });
    assert.equal(fake.blobs.size, 0);
  });
});

describe("where an upload may go on", () => {
  const table: readonly [name: string, location: string | undefined, code: string | undefined][] = [
    ["nowhere", undefined, "BAD_UPLOAD_LOCATION"],
    ["another scheme", "ftp://x/y", "BAD_UPLOAD_LOCATION"],
    ["a path", "/elsewhere?a=b", undefined],
  ];
  for (const [name, location, code] of table) {
    test(name, async () => {
      await using server = await serve({
        "/v2/a/blobs/uploads/": (_, response) => void response.writeHead(202, location === undefined ? {} : { location }).end(),
        "/v2/a/blobs/*": (_, response) => void response.writeHead(404).end(),
        "/elsewhere": (request, response) => void request.resume().on("end", () => response.writeHead(201).end()),
      });
      await using client = quickClient();
      const pushed = client.pushBlob(parseReference(`${server.host}/a`), blobDescriptor(small), { open: sourceOf(small) });
      if (code === undefined) {
        assert.equal((await pushed).outcome, "uploaded");
        assert.match(server.requests.at(-1)?.line ?? "", /^PUT \/elsewhere\?a=b&digest=sha256%3A/);
      } else await assert.rejects(pushed, { code });
    });
  }

  test("another host gets the bytes and no credentials", async () => {
    await using storage = await serve({ "/put": (request, response) => void request.resume().on("end", () => response.writeHead(201).end()) });
    await using server = await serve({
      "/v2/a/blobs/uploads/": (request, response) => {
        if (request.headers.authorization === undefined) return void response.writeHead(401, { "www-authenticate": 'Basic realm="x"' }).end();
        response.writeHead(202, { location: `http://${storage.host}/put` }).end();
      },
      "/v2/a/blobs/*": (_, response) => void response.writeHead(404).end(),
    });
    await using client = quickClient({ credentials: { lookup: async () => ({ kind: "basic", username: "me", password: "secret" }) } });
    await client.pushBlob(parseReference(`${server.host}/a`), blobDescriptor(small), { open: sourceOf(small) });
    assert.deepEqual(
      storage.requests.map(({ line, headers }) => [line.split("?")[0], headers.authorization]),
      [["PUT /put", undefined]],
    );
  });
});

describe("what registries refuse", () => {
  const error = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });
  const table: readonly [name: string, status: number, body: string, kind: string, code: string, message: RegExp][] = [
    [
      "no right",
      403,
      error("DENIED", "requested access to the resource is denied"),
      "denied",
      "ACCESS_DENIED",
      /^denied: requested access to the resource is denied$/,
    ],
    ["nobody signed in", 401, "", "unauthenticated", "UNAUTHORIZED", /push access denied/],
    [
      "an immutable tag",
      400,
      error("TAG_INVALID", "The image tag '1' already exists in the 'a' repository and cannot be overwritten because the tag is immutable."),
      "denied",
      "TAG_IMMUTABLE",
      /immutable/,
    ],
    ["no room", 412, error("DENIED", "adding 1 GiB of storage resource exceeds the quota"), "resource_exhausted", "QUOTA_EXCEEDED", /quota/],
    ["a name", 400, error("NAME_INVALID", "invalid repository name"), "denied", "NAME_REFUSED", /name invalid/],
    ["a proxy's limit", 413, "<html>", "resource_exhausted", "TOO_LARGE_FOR_REGISTRY", /413/],
    ["an unknown repository", 404, error("NAME_UNKNOWN", "The repository does not exist"), "not_found", "REPOSITORY_NOT_FOUND", /repository \S+\/a not found/],
  ];
  for (const [name, status, body, kind, code, message] of table) {
    test(name, async () => {
      await using server = await serve({
        "/v2/a/manifests/*": (request, response) => void request.resume().on("end", () => response.writeHead(status).end(body)),
      });
      await using client = quickClient();
      const document = { mediaType: mediaTypes.ociManifest, bytes: Buffer.from("{}") };
      await assert.rejects(client.pushManifest(parseReference(`${server.host}/a:1`), document), { kind, code, message });
    });
  }

  test("a registry that says that it keeps other bytes", async () => {
    await using server = await serve({
      "/v2/a/manifests/*": (request, response) =>
        void request.resume().on("end", () => response.writeHead(201, { "docker-content-digest": digestOf("x") }).end()),
    });
    const document = { mediaType: mediaTypes.ociManifest, bytes: Buffer.from("{}") };
    await assert.rejects(quickClient().pushManifest(parseReference(`${server.host}/a:1`), document), { code: "DIGEST_MISMATCH" });
  });
});

test("a real registry: upload in chunks, mount, manifest, delete refused", { skip: registryAbsent }, async () => {
  await using registry = await startDockerRegistry();
  await using client = quickClient();
  const [first, second] = [parseReference(`${registry.host}/first:1`), parseReference(`${registry.host}/second:1`)];
  const layer = blobDescriptor(large);
  assert.equal((await client.pushBlob(first, layer, { open: sourceOf(large) })).outcome, "uploaded");
  assert.deepEqual(await client.pushBlob(second, layer, { open: sourceOf(large), mountFrom: ["none", "first"] }), { outcome: "mounted", from: "first" });
  const config = Buffer.from("{}");
  await client.pushBlob(second, blobDescriptor(config), { open: sourceOf(config) });
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: blobDescriptor(config, mediaTypes.ociConfig), layers: [layer] }),
  );
  const { descriptor } = await client.pushManifest(second, { mediaType: mediaTypes.ociManifest, bytes });
  assert.deepEqual((await client.resolve(second)).descriptor, descriptor);
  await assert.rejects(client.deleteManifest({ ...second, digest: descriptor.digest }), { code: "UNSUPPORTED" });
});
