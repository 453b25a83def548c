/** What startRegistry does on request, seen by our own client and by plain fetch. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { quickClient } from "../../src/registry/fixtures/loopback-server.ts";
import type { RegistryClient } from "../../src/registry/index.ts";
import { faults, startRegistry, type Fault, type TestRegistry } from "../../src/testing/index.ts";

const blob = Buffer.alloc(300_000, "slipway ");
const digest = digestOf(blob);
const descriptor = { mediaType: "application/octet-stream", digest, size: blob.length };
const users = { ann: "secret" };

async function upload(registry: TestRegistry, repository = "a"): Promise<void> {
  const id = await registry.storage.createUpload(repository);
  await registry.storage.appendUpload(
    repository,
    id,
    (async function* () {
      yield blob;
    })(),
  );
  assert.ok(await registry.storage.commitUpload(repository, id, digest));
}

async function download(client: RegistryClient, registry: TestRegistry): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of client.openBlob(parseReference(`${registry.host}/a`), descriptor)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}

describe("downloads that go wrong once end well", () => {
  const table: readonly (readonly [name: string, fault: Fault])[] = [
    ["unavailable", faults.unavailable],
    ["cut before the answer", { type: "cut" }],
    ["cut in the body", { type: "cut", afterBytes: 100_000 }],
    ["truncated", { type: "truncate", to: 200_000 }],
    ["later", { type: "delay", ms: 1 }],
  ];
  for (const [name, fault] of table) {
    test(name, async () => {
      await using registry = await startRegistry({ faults: [{ method: "GET", path: "/blobs/", times: 1, fault }] });
      await upload(registry);
      await using client = quickClient();
      assert.ok(await client.hasBlob(parseReference(`${registry.host}/a`), descriptor), "the client knows the scheme from here on");
      assert.equal(await download(client, registry), digest);
    });
  }
});

describe("bytes that are not the blob's are found", () => {
  const table: readonly (readonly [name: string, fault: Fault])[] = [
    ["flipped", { type: "flip", at: 250_000 }],
    ["endless", { type: "endless" }],
    ["another length", { type: "lie", contentLength: blob.length + 1 }],
  ];
  for (const [name, fault] of table) {
    test(name, async () => {
      await using registry = await startRegistry({ faults: [{ method: "GET", path: "/blobs/", fault }] });
      await upload(registry);
      await using client = quickClient();
      await assert.rejects(download(client, registry));
    });
  }
});

test("a redirect leads to another address, and the login does not go there", async () => {
  await using registry = await startRegistry({
    login: { type: "basic", users },
    faults: [{ method: "GET", path: "/blobs/", fault: { type: "redirect" } }],
  });
  await upload(registry);
  const answer = await fetch(`${registry.url}/v2/a/blobs/${digest}`, { headers: { authorization: `Basic ${btoa("ann:secret")}` } });
  assert.equal((await answer.arrayBuffer()).byteLength, blob.length);
  assert.deepEqual(
    registry.requests.map(({ host, status, headers }) => [host, status, headers["authorization"] !== undefined]),
    [
      ["registry", 307, true],
      ["storage", 200, false],
    ],
  );
});

test("an upload that is cut keeps what was received", async () => {
  await using registry = await startRegistry({ faults: [{ method: "PATCH", nth: 1, fault: { type: "cut-upload", afterBytes: 70_000 } }] });
  const begun = await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: "POST" });
  const location = registry.url + (begun.headers.get("location") ?? "");
  await assert.rejects(fetch(location, { method: "PATCH", body: blob }));
  assert.equal((await fetch(location)).headers.get("range"), "0-69999");
  assert.equal((await fetch(location, { method: "PATCH", body: blob.subarray(70_000), headers: { "content-range": `70000-${blob.length - 1}` } })).status, 202);
  assert.equal((await fetch(`${location}?digest=${digest}`, { method: "PUT" })).status, 201);
});

test("an upload that is forgotten, and one whose answer is lost", async () => {
  await using registry = await startRegistry();
  const begin = async (): Promise<string> =>
    registry.url + ((await fetch(`${registry.url}/v2/a/blobs/uploads/`, { method: "POST" })).headers.get("location") ?? "");
  registry.addFault({ method: "PATCH", times: 1, fault: { type: "forget-upload" } });
  assert.equal((await fetch(await begin(), { method: "PATCH", body: "x" })).status, 404);
  registry.addFault({ method: "PUT", times: 1, fault: { type: "lose-answer" } });
  await assert.rejects(fetch(`${await begin()}?digest=${digest}`, { method: "PUT", body: blob }));
  assert.equal((await fetch(`${registry.url}/v2/a/blobs/${digest}`, { method: "HEAD" })).status, 200);
});

test("a rate limit as Docker Hub tells it", async () => {
  await using registry = await startRegistry({ faults: [{ path: "/manifests/", fault: faults.rateLimited }] });
  const answer = await fetch(`${registry.url}/v2/a/manifests/1`);
  assert.deepEqual([answer.status, answer.headers.get("ratelimit-remaining"), answer.headers.get("retry-after")], [429, "0;w=21600", "1"]);
});

test("closing ends what stalls", async () => {
  const registry = await startRegistry({ faults: [{ fault: { type: "stall" } }] });
  const stalled = assert.rejects(fetch(`${registry.url}/v2/`));
  while (registry.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await registry.close();
  await stalled;
});

test("Basic: no password, a wrong one, the right one", async () => {
  await using registry = await startRegistry({ login: { type: "basic", users } });
  const status = async (word?: string): Promise<number> =>
    (await fetch(`${registry.url}/v2/`, word === undefined ? {} : { headers: { authorization: `Basic ${btoa(word)}` } })).status;
  assert.deepEqual([await status(), await status("ann:wrong"), await status("bob:secret"), await status("ann:secret")], [401, 401, 401, 200]);
});

describe("tokens", () => {
  const login = { type: "token", users } as const;
  const scope = "repository:a:pull,push";

  async function tokenBy(registry: TestRegistry, how: { readonly form?: Record<string, string>; readonly basic?: string }): Promise<Record<string, string>> {
    const answer =
      how.form === undefined
        ? await fetch(
            `${registry.url}/token?service=registry&offline_token=true&scope=${scope}`,
            how.basic === undefined ? {} : { headers: { authorization: `Basic ${btoa(how.basic)}` } },
          )
        : await fetch(`${registry.url}/token`, { method: "POST", body: new URLSearchParams({ service: "registry", scope, ...how.form }) });
    return { status: String(answer.status), ...((await answer.json()) as object) };
  }

  async function tags(registry: TestRegistry, token: string, repository = "a"): Promise<Response> {
    return fetch(`${registry.url}/v2/${repository}/tags/list`, { headers: { authorization: `Bearer ${token}` } });
  }

  test("the challenge names what is needed", async () => {
    await using registry = await startRegistry({ login });
    const answer = await fetch(`${registry.url}/v2/b/blobs/uploads/?mount=${digest}&from=a`, { method: "POST" });
    assert.equal(
      answer.headers.get("www-authenticate"),
      `Bearer realm="${registry.url}/token",service="registry",scope="repository:b:pull,push repository:a:pull"`,
    );
  });

  test("by GET, by password, by refresh token", async () => {
    await using registry = await startRegistry({ login });
    const got = await tokenBy(registry, { basic: "ann:secret" });
    const posted = await tokenBy(registry, { form: { grant_type: "password", username: "ann", password: "secret", access_type: "offline" } });
    const refreshed = await tokenBy(registry, { form: { grant_type: "refresh_token", refresh_token: posted["refresh_token"] ?? "" } });
    for (const { token = "" } of [got, posted, refreshed]) assert.equal((await tags(registry, token)).status, 404, "it may look, there is nothing");
    const foreign = await tags(registry, got["token"] ?? "", "b");
    assert.match(foreign.headers.get("www-authenticate") ?? "", /scope="repository:b:pull",error="insufficient_scope"/);
    assert.equal((await tokenBy(registry, { basic: "ann:wrong" }))["status"], "401");
    assert.equal((await tokenBy(registry, { form: { grant_type: "refresh_token", refresh_token: "x" } }))["status"], "401");
  });

  test("they expire", async () => {
    let nowMs = 0;
    await using registry = await startRegistry({ login: { ...login, expiresInSeconds: 60, now: () => nowMs } });
    const { token = "" } = await tokenBy(registry, { basic: "ann:secret" });
    assert.equal((await tags(registry, token)).status, 404);
    nowMs = 60_000;
    assert.match((await tags(registry, token)).headers.get("www-authenticate") ?? "", /error="invalid_token"/);
  });

  test("a mount needs the right to pull from there", async () => {
    const grant = (user: string | undefined, repository: string) => (user === "ann" && repository !== "hidden" ? (["pull", "push"] as const) : []);
    await using registry = await startRegistry({ login: { ...login, grant } });
    await upload(registry, "hidden");
    const { token = "" } = await tokenBy(registry, { basic: "ann:secret" });
    const answer = await fetch(`${registry.url}/v2/a/blobs/uploads/?mount=${digest}&from=hidden`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(answer.status, 202);
  });
});
