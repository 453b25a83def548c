/**
 * Registries that fail, lie and stall, against pull and push: each ends well after another try, or with a failure that has its code,
 * and leaves nothing that a later pull or push would stumble over.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { SlipwayError } from "../../src/base/errors.ts";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { configOf, openTestStore, tarOf, type TestStore } from "../../src/engine/images/test-images.ts";
import { pullTask } from "../../src/engine/pull-task.ts";
import { pushWithEvents } from "../../src/engine/push/push-task.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/manifest.ts";
import { quickClient } from "../../src/registry/fixtures/loopback-server.ts";
import type { Credential } from "../../src/registry/credentials.ts";
import { createSandbox } from "./sandbox.ts";
import { faults, startRegistry, type Fault, type FaultRule, type RegistryOptions, type TestRegistry } from "../../src/testing/index.ts";

/** One layer that does not compress, so that its quarters are far apart. */
const layer = tarOf({ f: randomBytes(256 * 1024) });
const config = configOf({ layers: [] })
  .toString()
  .replace('"diff_ids":[]', `"diff_ids":["${digestOf(layer)}"]`);
const descriptor = (bytes: Uint8Array | string, mediaType: string) => ({ mediaType, digest: digestOf(bytes), size: Buffer.byteLength(bytes) });
const manifest = JSON.stringify({
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config: descriptor(config, mediaTypes.ociConfig),
  layers: [descriptor(layer, "application/vnd.oci.image.layer.v1.tar")],
});
const layerPath = `/blobs/${digestOf(layer)}`;
const quarter = layer.length / 4;
const user: Credential = { kind: "basic", username: "ann", password: "secret" };
const users = { ann: "secret" };

/** "done", or the code of the failure; every failure ends the program with 1. */
async function outcomeOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "done";
  } catch (error) {
    assert.ok(error instanceof SlipwayError, String(error));
    assert.equal(exitCodeOf(error, "other"), 1);
    assert.doesNotMatch(JSON.stringify([error.message, error.details]), /secret/);
    return error.code;
  }
}

/** Patient with what answers: only of what keeps silent a test wants to see that somebody loses patience. */
const patient = { headersMs: 30_000, idleMs: 30_000, finishMs: 30_000, documentMs: 30_000 };
const hasty = { headersMs: 500, idleMs: 500, finishMs: 800, documentMs: 5000 };
const timeoutsFor = (rules: readonly FaultRule[]): typeof hasty => (rules.some(({ fault }) => fault.type === "stall") ? hasty : patient);

const clientOf = (credential: Credential | undefined, timeouts: typeof hasty) =>
  quickClient({
    credentials: { lookup: async () => credential },
    retry: { maxRetryAfterMs: 2000 },
    timeouts,
  });

const pull = (box: TestStore, name: string, credential?: Credential, rules: readonly FaultRule[] = []): Promise<string> =>
  outcomeOf(async () => {
    await using client = clientOf(credential, timeoutsFor(rules));
    const task = pullTask(box.store, async () => client, name, { platform: "linux/amd64" });
    for await (const _ of task);
    await task.result;
  });

const push = (box: TestStore, name: string, credential?: Credential, rules: readonly FaultRule[] = []): Promise<string> =>
  outcomeOf(async () => {
    await using client = clientOf(credential, timeoutsFor(rules));
    await pushWithEvents(
      box.store,
      async () => client,
      name,
      {},
      () => undefined,
    );
  });

/** What is in the store besides images: files of transfers and of work that nobody holds any more. */
function remains(box: TestStore): readonly string[] {
  box.reopen();
  const root = join(box.root, "store");
  return ["work", "layers", "indexes"].flatMap((folder) => {
    const directory = join(root, folder);
    return existsSync(directory) ? readdirSync(directory, { recursive: true, encoding: "utf8" }).map((path) => `${folder}/${path}`) : [];
  });
}

async function seed(registry: TestRegistry): Promise<void> {
  const authorization = `Basic ${Buffer.from("ann:secret").toString("base64")}`;
  const send = async (path: string, method: string, body: Uint8Array | string, type: string): Promise<void> => {
    const response = await fetch(`${registry.url}/v2/team/app/${path}`, { method, body, headers: { "content-type": type, authorization } });
    assert.equal(response.status, 201, await response.text());
  };
  for (const bytes of [layer, config]) await send(`blobs/uploads/?digest=${digestOf(bytes)}`, "POST", bytes, "application/octet-stream");
  await send("manifests/1", "PUT", manifest, mediaTypes.ociManifest);
}

/** An image in the store that a push can send. */
function imageIn(box: TestStore, name: string): void {
  const { store } = box;
  store.blobs.put(layer);
  store.layers.addTar(digestOf(layer), layer.length);
  store.images.commit({ config: Buffer.from(config), chain: [digestOf(layer)] }, [name]);
}

type Case = readonly [name: string, want: string, rules: readonly FaultRule[], options?: RegistryOptions & { readonly credential?: Credential }];

const status = (code: number, headers: Readonly<Record<string, string>> = {}, body = ""): Fault => ({ type: "status", status: code, headers, body });
const answers = (type: string, body: string): Fault => status(200, { "content-type": type, "content-length": String(Buffer.byteLength(body)) }, body);
const quarters = [0, 1, 2, 3, 4];
const oci = mediaTypes.ociManifest;

/** Five indexes, each of which has the next one in it. */
function nested(): readonly FaultRule[] {
  const rules: FaultRule[] = [];
  let inner = descriptor(manifest, oci);
  for (let depth = 0; depth < 5; depth++) {
    const body = JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [inner] });
    inner = descriptor(body, mediaTypes.ociIndex);
    rules.push({ path: `/manifests/${depth === 4 ? "1" : inner.digest}`, fault: answers(mediaTypes.ociIndex, body) });
  }
  return rules;
}

const pulls: readonly Case[] = [
  ["500 twice for the manifest", "done", [{ path: "/manifests/", times: 2, fault: status(500) }]],
  ["500 twice for the layer", "done", [{ path: layerPath, times: 2, fault: status(500) }]],
  ["500 for ever", "REGISTRY_UNAVAILABLE", [{ path: "/manifests/", fault: status(500) }]],
  ["503 for the layer for ever", "REGISTRY_UNAVAILABLE", [{ path: layerPath, fault: status(503) }]],
  ["429 that is over at once", "done", [{ path: "/blobs/", times: 1, fault: status(429, { "retry-after": "0" }) }]],
  ["429 for longer than anybody waits", "TOO_MANY_REQUESTS", [{ path: "/manifests/", fault: status(429, { "retry-after": "9999" }) }]],
  ...quarters.map((n): Case => [`a reset after ${n} quarters`, "done", [{ path: layerPath, times: 1, fault: { type: "cut", afterBytes: n * quarter } }]]),
  ["a reset of every answer", "CONNECTION_LOST", [{ path: "/manifests/", fault: { type: "cut" } }]],
  ["a reset in the middle of every answer", "CONNECTION_LOST", [{ path: layerPath, fault: { type: "cut", afterBytes: 0 } }]],
  ["silence instead of the manifest, once", "done", [{ path: "/manifests/", times: 1, fault: { type: "stall" } }]],
  ["silence in the middle of the layer, once", "done", [{ path: layerPath, times: 1, fault: { type: "stall", afterBytes: quarter } }]],
  ["silence for ever", "RESPONSE_TIMEOUT", [{ path: layerPath, fault: { type: "stall" } }]],
  ["a body that ends early, once", "done", [{ path: layerPath, times: 1, fault: { type: "truncate", to: quarter } }]],
  ["another manifest than its digest says", "DIGEST_MISMATCH", [{ path: "/manifests/", fault: { type: "flip", at: 20 } }]],
  ["another layer than its digest says", "DIGEST_MISMATCH", [{ path: layerPath, fault: { type: "flip", at: 5000 } }]],
  ["another config than its digest says", "DIGEST_MISMATCH", [{ path: digestOf(config), fault: { type: "flip", at: 5 } }]],
  ["an endless manifest", "RESPONSE_TOO_LARGE", [{ path: "/manifests/", fault: { type: "endless" } }]],
  ["an endless layer", "SIZE_MISMATCH", [{ path: layerPath, fault: { type: "endless" } }]],
  ["a layer that says to be longer", "SIZE_MISMATCH", [{ path: layerPath, fault: { type: "lie", contentLength: layer.length + 1 } }]],
  ["a layer that says to be shorter", "SIZE_MISMATCH", [{ path: layerPath, fault: { type: "lie", contentLength: layer.length - 1 } }]],
  ["an oversized manifest", "RESPONSE_TOO_LARGE", [{ path: "/manifests/", fault: answers(oci, `{"x":"${"x".repeat(5 << 20)}"}`) }]],
  ["a page instead of a manifest", "INVALID_DOCUMENT", [{ path: "/manifests/", fault: answers("text/html", "<html>Sign in</html>") }]],
  ["schema 1", "SCHEMA1_MANIFEST", [{ path: "/manifests/", fault: answers("application/vnd.docker.distribution.manifest.v1+json", '{"schemaVersion":1}') }]],
  ["indexes in indexes without end", "INVALID_DOCUMENT", nested()],
  ["a deleted blob", "BLOB_NOT_FOUND", [{ path: layerPath, fault: status(404) }]],
  [
    "layers elsewhere, which get no password",
    "done",
    [{ path: "/blobs/", fault: { type: "redirect" } }],
    { login: { type: "basic", users }, credential: user },
  ],
  ["a circle of redirects", "BAD_REDIRECT", [{ path: "/manifests/", fault: { type: "redirect", to: "/v2/team/app/manifests/1" } }]],
  ["a wrong password", "UNAUTHORIZED", [], { login: { type: "basic", users }, credential: { ...user, password: "secret!" } as Credential }],
  ["no permission", "ACCESS_DENIED", [{ path: "/manifests/", fault: faults.denied }]],
];

const pushes: readonly Case[] = [
  ["500 twice for the question", "done", [{ method: "HEAD", times: 2, fault: status(500) }]],
  ["500 twice for the upload", "done", [{ method: "POST", times: 2, fault: status(500) }]],
  ["500 twice for the manifest", "done", [{ method: "PUT", path: "/manifests/", times: 2, fault: status(500) }]],
  ["503 for ever", "REGISTRY_UNAVAILABLE", [{ method: "POST", fault: status(503) }]],
  ["429 that is over at once", "done", [{ method: "POST", times: 1, fault: status(429, { "retry-after": "0" }) }]],
  ["429 for longer than anybody waits", "TOO_MANY_REQUESTS", [{ method: "POST", fault: status(429, { "retry-after": "9999" }) }]],
  ...quarters.map((n): Case => [
    `a reset after ${n} quarters`,
    "done",
    [{ method: ["PATCH", "PUT"], path: "/uploads/", times: 1, fault: { type: "cut-upload", afterBytes: n * quarter } }],
  ]),
  ["an answer that is lost", "done", [{ method: ["PATCH", "PUT"], path: "/uploads/", times: 1, fault: { type: "lose-answer" } }]],
  ["a manifest's answer that is lost", "done", [{ method: "PUT", path: "/manifests/", times: 1, fault: { type: "lose-answer" } }]],
  ["an upload that is forgotten", "done", [{ method: ["PATCH", "PUT"], path: "/uploads/", times: 1, fault: { type: "forget-upload" } }]],
  ["silence instead of a session, once", "done", [{ method: "POST", times: 1, fault: { type: "stall" } }]],
  ["silence for ever", "RESPONSE_TIMEOUT", [{ method: "POST", fault: { type: "stall" } }]],
  ["silence in the place of an answer to the bytes, once", "done", [{ method: ["PATCH", "PUT"], path: "/uploads/", times: 1, fault: { type: "stall" } }]],
  ["silence in the place of an answer to the manifest, once", "done", [{ method: "PUT", path: "/manifests/", times: 1, fault: { type: "stall" } }]],
  ["an upload that is sent in a circle", "BAD_REDIRECT", [{ method: "POST", fault: { type: "redirect", to: "/v2/team/app/blobs/uploads/" } }]],
  ["an endless answer", "REGISTRY_UNAVAILABLE", [{ method: "POST", fault: status(500, {}, "x".repeat(1 << 20)) }]],
  ["every question refused", "done", [{ method: "HEAD", fault: status(405) }]],
  ["a wrong password", "UNAUTHORIZED", [], { login: { type: "basic", users }, credential: { ...user, password: "secret!" } as Credential }],
  ["no permission", "ACCESS_DENIED", [{ method: "POST", fault: faults.denied }]],
  ["no more room", "QUOTA_EXCEEDED", [{ method: "PUT", path: "/manifests/", fault: faults.quotaExceeded }]],
  ["no more room, said by 413", "QUOTA_EXCEEDED", [{ method: "POST", fault: { type: "status", status: 413, code: "DENIED", message: "quota exceeded" } }]],
  ["a body that a proxy finds too large", "TOO_LARGE_FOR_REGISTRY", [{ method: ["PATCH", "PUT"], fault: status(413, {}, "<html>") }]],
  [
    "a name that is not allowed",
    "NAME_REFUSED",
    [{ method: "POST", fault: { type: "status", status: 400, code: "NAME_INVALID", message: "invalid repository name" } }],
  ],
  ["a registry that is read only", "UNSUPPORTED", [], { readOnly: true }],
  [
    "a manifest that is kept as another",
    "DIGEST_MISMATCH",
    [{ method: "PUT", path: "/manifests/", fault: { type: "headers", headers: { "docker-content-digest": digestOf("x") } } }],
  ],
];

describe("a hostile registry", { concurrency: 4 }, () => {
  let stores: TestStore[] = [];
  const open = (): TestStore => {
    const box = openTestStore();
    stores.push(box);
    return box;
  };
  before(() => void (stores = []));
  after(() => {
    for (const box of stores) box[Symbol.dispose]();
  });

  for (const [name, want, rules, { credential, ...options } = {}] of pulls) {
    test(`pull: ${name}: ${want}`, async () => {
      await using registry = await startRegistry(options);
      await seed(registry);
      registry.clearRequests();
      for (const rule of rules) registry.addFault(rule);
      const box = open();
      const ref = `${registry.host}/team/app:1`;
      assert.equal(await pull(box, ref, credential, rules), want);
      assert.deepEqual(
        box.store.images.allNames().map(({ name: tag }) => tag),
        want === "done" ? [ref] : [],
      );
      for (const request of registry.requests.filter(({ host }) => host === "storage")) assert.equal(request.headers["authorization"], undefined);
      if (want !== "done") assert.deepEqual(remains(box), []);
      registry.clearFaults();
      assert.equal(await pull(box, ref, options.login === undefined ? undefined : user), "done", "once the registry is well");
    });
  }

  for (const [name, want, rules, { credential, ...options } = {}] of pushes) {
    test(`push: ${name}: ${want}`, async () => {
      await using registry = await startRegistry({ ...options, faults: rules });
      const box = open();
      const ref = `${registry.host}/team/app:1`;
      imageIn(box, ref);
      assert.equal(await push(box, ref, credential, rules), want);
      assert.deepEqual(remains(box), []);
      registry.clearFaults();
      if (options.readOnly === true) return;
      assert.equal(await push(box, ref, options.login === undefined ? undefined : user), "done", "once the registry is well");
      assert.equal(await pull(open(), ref, options.login === undefined ? undefined : user), "done");
    });
  }

  test("push: a tag that may not move", async () => {
    await using registry = await startRegistry({ immutableTags: true });
    await seed(registry);
    const box = open();
    imageIn(box, `${registry.host}/team/app:1`);
    box.store.images.commit({ config: configOf({ layers: [], created: "2020-01-01T00:00:00Z" }), chain: [] }, [`${registry.host}/team/app:1`]);
    assert.equal(await push(box, `${registry.host}/team/app:1`), "TAG_IMMUTABLE");
  });

  for (const [name, want, rules] of [
    ["an endless token", "RESPONSE_TOO_LARGE", [{ path: "/token", fault: { type: "endless" } }]],
    ["a token server that is not there", "TOKEN_SERVER_FAILED", [{ path: "/token", fault: status(404) }]],
    ["a token that comes at the second try", "done", [{ path: "/token", times: 1, fault: status(503) }]],
    ["a token server that sends elsewhere, without the password", "TOKEN_SERVER_FAILED", [{ path: "/token", fault: { type: "redirect" } }]],
  ] as const satisfies readonly (readonly [string, string, readonly FaultRule[]])[]) {
    test(`both: ${name}: ${want}`, async () => {
      await using registry = await startRegistry({ login: { type: "token", users } });
      for (const work of [push, pull]) {
        registry.clearFaults();
        for (const rule of rules) registry.addFault(rule);
        const box = open();
        const ref = `${registry.host}/team/app:1`;
        if (work === push) imageIn(box, ref);
        const got = await work(box, ref, user);
        // nothing was pushed where the first one failed
        assert.equal(got, want);
      }
      for (const request of registry.requests.filter(({ host }) => host === "storage")) assert.equal(request.headers["authorization"], undefined);
    });
  }
});

test("a build's base: a wait is told in its step, and a tag that is missing with those that are near", async () => {
  await using registry = await startRegistry();
  await seed(registry);
  registry.addFault({ path: layerPath, times: 1, fault: status(429, { "retry-after": "1" }) });
  await using sandbox = await createSandbox({ base: false });
  const base = `${registry.host}/team/app`;
  const built = await sandbox.buildPlain(`FROM --platform=linux/amd64 ${base}:1\nCOPY f /\n`, { f: "f" });
  assert.equal(built.code, 0, built.stderr);
  assert.match(built.stderr, new RegExp(`^#\\d+ [\\d.]+ Waiting for ${registry.host}: too many requests; again in 1 s$`, "m"));
  const missing = await sandbox.buildPlain(`FROM ${base}:2\n`);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, new RegExp(`failed to resolve source metadata for ${base}:2: ${base}:2: not found\nHint: tags that are near: 1$`, "m"));
});
