/** `slipway registry serve --mirror-of` as users run it, before a registry that fails, moves its tags and goes away. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { blobDescriptor, quickClient, readAll } from "../../src/registry/fixtures/loopback-server.ts";
import { startRegistry, type RegistryOptions, type TestRegistry } from "../../src/testing/index.ts";
import { serve, type Server } from "./serve-program.ts";

const layer = Buffer.alloc(3 << 20, "layer ");
const config = Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}');

/** Under the tag, and with `more` in its manifest. */
async function put(registry: TestRegistry, tag: string, more = ""): Promise<string> {
  await using client = quickClient({ credentials: { lookup: () => Promise.resolve({ kind: "basic", username: "ann", password: "secret" }) } });
  const reference = parseReference(`${registry.host}/app:${tag}`);
  const blobs = [blobDescriptor(config, "application/vnd.oci.image.config.v1+json"), blobDescriptor(layer, "application/vnd.oci.image.layer.v1.tar")];
  for (const [at, bytes] of [config, layer].entries()) {
    await client.pushBlob(reference, blobs[at] as (typeof blobs)[0], {
      open: async function* (offset) {
        yield bytes.subarray(offset);
      },
    });
  }
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const document = { schemaVersion: 2, mediaType, config: blobs[0], layers: [blobs[1]], annotations: { more } };
  const bytes = Buffer.from(JSON.stringify(document));
  await client.pushManifest(reference, { mediaType, bytes });
  return digestOf(bytes);
}

interface Around {
  readonly upstream: TestRegistry;
  readonly mirror: Server;
  readonly manifest: (name: string) => Promise<{ readonly status: number; readonly digest: string | null; readonly text: string }>;
  readonly layer: () => Promise<Buffer>;
  /** of the upstream's requests, those for blobs */
  readonly blobRequests: () => number;
}

interface Given extends RegistryOptions {
  /** what the machine's Docker config knows */
  readonly auths?: boolean;
}

async function around(given: Given, work: (around: Around) => Promise<void>): Promise<void> {
  const { auths = false, ...options } = given;
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-mirror-"));
  await using upstream = await startRegistry(options);
  try {
    mkdirSync(path.join(directory, ".docker"));
    const auth = Buffer.from("ann:secret").toString("base64");
    writeFileSync(path.join(directory, ".docker/config.json"), JSON.stringify(auths ? { auths: { [upstream.host]: { auth } } } : {}));
    await using mirror = await serve(directory, "--mirror-of", upstream.host);
    await work({
      upstream,
      mirror,
      manifest: async (name) => {
        const answer = await fetch(`${mirror.url}/v2/app/manifests/${name}`);
        return { status: answer.status, digest: answer.headers.get("docker-content-digest"), text: await answer.text() };
      },
      layer: async () => {
        await using client = quickClient();
        return await readAll(client.openBlob(parseReference(`${mirror.url.replace("http://", "")}/app`), blobDescriptor(layer)));
      },
      blobRequests: () => upstream.requests.filter(({ url, method }) => url.includes("/blobs/") && method === "GET").length,
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe("a mirror of another registry", () => {
  test("fetches a blob once, also for two at the same time, and serves it when the registry is gone", async () => {
    await around({}, async ({ upstream, mirror, manifest, layer: get, blobRequests }) => {
      const digest = await put(upstream, "1");
      upstream.clearRequests();
      assert.equal((await manifest("1")).digest, digest);
      for (const bytes of await Promise.all([get(), get()])) assert.ok(bytes.equals(layer));
      assert.equal(blobRequests(), 1);
      const part = await fetch(`${mirror.url}/v2/app/blobs/${digestOf(layer)}`, { headers: { range: "bytes=6-10" } });
      assert.deepEqual([part.status, await part.text()], [206, "layer"]);
      assert.equal(blobRequests(), 1);
      await upstream.close();
      assert.equal((await manifest("1")).digest, digest);
      assert.ok((await get()).equals(layer));
      const unknown = await manifest("2");
      assert.equal(unknown.status, 502);
      assert.ok(unknown.text.includes(upstream.host), unknown.text);
      assert.deepEqual(await (await fetch(`${mirror.url}/v2/app/tags/list`)).json(), { name: "app", tags: ["1"] });
    });
  });

  test("asks for tags each time: one that moved is another image, one that is gone is unknown, digests stay", async () => {
    await around({}, async ({ upstream, manifest }) => {
      const first = await put(upstream, "1");
      assert.equal((await manifest("1")).digest, first);
      const second = await put(upstream, "1", "second");
      assert.equal((await manifest("1")).digest, second);
      await upstream.storage.deleteTag("app", "1");
      assert.equal((await manifest("1")).status, 404);
      assert.equal((await manifest(first)).status, 200);
    });
  });

  test("goes on where the registry's connection breaks", async () => {
    await around({}, async ({ upstream, manifest, layer: get }) => {
      await put(upstream, "1");
      await manifest("1");
      upstream.addFault({ method: "GET", path: "/blobs/", nth: 1, fault: { type: "cut", afterBytes: 1 << 20 } });
      assert.ok((await get()).equals(layer));
    });
  });

  test("takes the machine's login, and without one says what the registry said", async () => {
    const login = { type: "basic", users: { ann: "secret" } } as const;
    for (const [auths, status] of [
      [true, 200],
      [false, 403],
    ] as const) {
      await around({ login, auths }, async ({ upstream, manifest }) => {
        await put(upstream, "1");
        const answer = await manifest("1");
        assert.equal(answer.status, status, answer.text);
        assert.equal(/"DENIED"/.test(answer.text), status === 403);
      });
    }
  });

  test("refuses pushes", async () => {
    await around({}, async ({ mirror }) => {
      assert.equal((await fetch(`${mirror.url}/v2/app/blobs/uploads/`, { method: "POST" })).status, 405);
    });
  });

  test("notices that it is asked by itself", async () => {
    await around({}, async ({ upstream, mirror, manifest }) => {
      await put(upstream, "1");
      await manifest("1");
      const via = upstream.requests.at(-1)?.headers["via"] ?? "";
      const answer = await fetch(`${mirror.url}/v2/app/manifests/1`, { headers: { via: `1.1 proxy, ${via}` } });
      assert.equal(answer.status, 508);
    });
  });
});
