/** The distribution specification's cases, the same over every storage. @see distribution-spec v1.1, conformance */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, test } from "node:test";
import { startRegistry, type RegistryOptions } from "../../src/testing/index.ts";

const sha256 = (bytes: Uint8Array | string): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const blob = Buffer.from("0123456789");
const digest = sha256(blob);
const config = Buffer.from("{}");
const ociManifest = "application/vnd.oci.image.manifest.v1+json";
const ociIndex = "application/vnd.oci.image.index.v1+json";
const ociConfig = "application/vnd.oci.image.config.v1+json";
const layerType = "application/vnd.oci.image.layer.v1.tar";

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

interface Call {
  (method: string, where: string, options?: { readonly headers?: Record<string, string>; readonly body?: Uint8Array | string }): Promise<Answered>;
}

const codeOf = (answer: Answered): string => (JSON.parse(answer.text) as { readonly errors: readonly [{ readonly code: string }] }).errors[0].code;
const valueOf = (answer: Answered): unknown => JSON.parse(answer.text);

function manifestOf(more: object = {}): Buffer {
  const layers = [{ mediaType: layerType, digest, size: blob.length }];
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: ociManifest, config: { mediaType: ociConfig, digest: sha256(config), size: 2 }, layers, ...more }),
  );
}

async function upload(call: Call, repository: string, bytes: Uint8Array): Promise<void> {
  const answer = await call("POST", `/v2/${repository}/blobs/uploads/?digest=${sha256(bytes)}`, { body: bytes });
  assert.equal(answer.status, 201);
}

async function push(call: Call, repository: string, reference: string, manifest = manifestOf()): Promise<Answered> {
  await upload(call, repository, blob);
  await upload(call, repository, config);
  return call("PUT", `/v2/${repository}/manifests/${reference}`, { headers: { "content-type": ociManifest }, body: manifest });
}

async function begin(call: Call, repository = "a"): Promise<string> {
  const answer = await call("POST", `/v2/${repository}/blobs/uploads/`);
  assert.equal(answer.status, 202);
  return answer.headers.get("location") ?? "";
}

interface Case {
  readonly name: string;
  readonly options?: RegistryOptions;
  readonly run: (call: Call) => Promise<void>;
}

const uploads: readonly Case[] = [
  {
    name: "the base says its version",
    run: async (call) => {
      const answer = await call("GET", "/v2/");
      assert.deepEqual([answer.status, answer.headers.get("docker-distribution-api-version")], [200, "registry/2.0"]);
    },
  },
  {
    name: "one POST",
    run: async (call) => {
      const answer = await call("POST", `/v2/a/b/blobs/uploads/?digest=${digest}`, { body: blob });
      assert.deepEqual([answer.status, answer.headers.get("location"), answer.headers.get("docker-content-digest")], [201, `/v2/a/b/blobs/${digest}`, digest]);
      assert.equal((await call("GET", `/v2/a/b/blobs/${digest}`)).text, blob.toString());
    },
  },
  {
    name: "POST, then PUT",
    run: async (call) => {
      const location = await begin(call);
      assert.equal((await call("PUT", `${location}?digest=${digest}`, { body: blob })).status, 201);
      assert.equal((await call("HEAD", `/v2/a/blobs/${digest}`)).headers.get("content-length"), "10");
      assert.equal((await call("GET", location)).status, 404, "the upload has ended");
    },
  },
  {
    name: "chunks in order, with their state",
    run: async (call) => {
      const location = await begin(call);
      const first = await call("PATCH", location, { headers: { "content-range": "0-3" }, body: blob.subarray(0, 4) });
      assert.deepEqual([first.status, first.headers.get("range")], [202, "0-3"]);
      const wrong = await call("PATCH", location, { headers: { "content-range": "6-9" }, body: blob.subarray(6) });
      assert.deepEqual([wrong.status, wrong.headers.get("range"), codeOf(wrong)], [416, "0-3", "BLOB_UPLOAD_INVALID"]);
      const state = await call("GET", location);
      assert.deepEqual([state.status, state.headers.get("range")], [204, "0-3"]);
      assert.equal((await call("PATCH", location, { headers: { "content-range": "4-7" }, body: blob.subarray(4, 8) })).status, 202);
      assert.equal((await call("PUT", `${location}?digest=${digest}`, { headers: { "content-range": "8-9" }, body: blob.subarray(8) })).status, 201);
      assert.equal((await call("GET", `/v2/a/blobs/${digest}`)).text, "0123456789");
    },
  },
  {
    name: "a chunk that is not as long as its range",
    run: async (call) => {
      const answer = await call("PATCH", await begin(call), { headers: { "content-range": "0-5" }, body: blob });
      assert.deepEqual([answer.status, codeOf(answer)], [400, "SIZE_INVALID"]);
    },
  },
  {
    name: "cancelled",
    run: async (call) => {
      const location = await begin(call);
      assert.equal((await call("DELETE", location)).status, 204);
      assert.equal(codeOf(await call("PATCH", location, { body: blob })), "BLOB_UPLOAD_UNKNOWN");
      assert.equal((await call("DELETE", location)).status, 404);
    },
  },
  {
    name: "another content than the digest says is not kept",
    run: async (call) => {
      const wrong = sha256("else");
      const put = await call("PUT", `${await begin(call)}?digest=${wrong}`, { body: blob });
      assert.deepEqual([put.status, codeOf(put)], [400, "DIGEST_INVALID"]);
      for (const one of [wrong, digest]) assert.equal((await call("HEAD", `/v2/a/blobs/${one}`)).status, 404);
    },
  },
  {
    name: "sha512",
    run: async (call) => {
      const long = `sha512:${createHash("sha512").update(blob).digest("hex")}`;
      assert.equal((await call("POST", `/v2/a/blobs/uploads/?digest=${long}`, { body: blob })).status, 201);
      assert.equal((await call("GET", `/v2/a/blobs/${long}`)).text, blob.toString());
    },
  },
  {
    name: "mounted from another repository, or uploaded where there is nothing to mount",
    run: async (call) => {
      await upload(call, "a", blob);
      assert.equal((await call("HEAD", `/v2/b/blobs/${digest}`)).status, 404, "repositories do not see each other's blobs");
      assert.equal((await call("POST", `/v2/b/blobs/uploads/?mount=${digest}&from=none`)).status, 202);
      assert.equal((await call("POST", `/v2/b/blobs/uploads/?mount=${digest}`)).status, 202);
      assert.equal((await call("POST", `/v2/b/blobs/uploads/?mount=${digest}&from=a`)).status, 201);
      assert.equal((await call("GET", `/v2/b/blobs/${digest}`)).text, blob.toString());
    },
  },
  {
    name: "no mounts",
    options: { mount: false },
    run: async (call) => {
      await upload(call, "a", blob);
      assert.equal((await call("POST", `/v2/b/blobs/uploads/?mount=${digest}&from=a`)).status, 202);
    },
  },
  {
    name: "bounded in size",
    options: { maxBlobBytes: 9, chunkMinBytes: 4 },
    run: async (call) => {
      const begun = await call("POST", "/v2/a/blobs/uploads/");
      assert.equal(begun.headers.get("oci-chunk-min-length"), "4");
      const answer = await call("PUT", `${begun.headers.get("location") ?? ""}?digest=${digest}`, { body: blob });
      assert.deepEqual([answer.status, codeOf(answer)], [413, "SIZE_INVALID"]);
    },
  },
  {
    name: "the same blob twenty times at once",
    run: async (call) => {
      await Promise.all(Array.from({ length: 20 }, () => upload(call, "a", blob)));
      assert.equal((await call("GET", `/v2/a/blobs/${digest}`)).text, blob.toString());
    },
  },
];

const reads: readonly Case[] = [
  {
    name: "parts of a blob",
    run: async (call) => {
      await upload(call, "a", blob);
      const table = [
        ["bytes=2-4", 206, "234", "bytes 2-4/10"],
        ["bytes=7-", 206, "789", "bytes 7-9/10"],
        ["bytes=-2", 206, "89", "bytes 8-9/10"],
        ["bytes=8-99", 206, "89", "bytes 8-9/10"],
        ["bytes=5-4", 200, "0123456789", null],
        ["bytes=0-1,3-4", 200, "0123456789", null],
        ["lines=1-2", 200, "0123456789", null],
      ] as const;
      for (const [range, status, text, contentRange] of table) {
        const answer = await call("GET", `/v2/a/blobs/${digest}`, { headers: { range } });
        assert.deepEqual([answer.status, answer.text, answer.headers.get("content-range")], [status, text, contentRange], range);
      }
      const none = await call("GET", `/v2/a/blobs/${digest}`, { headers: { range: "bytes=10-" } });
      assert.deepEqual([none.status, none.headers.get("content-range")], [416, "bytes */10"]);
    },
  },
  {
    name: "what the client has already",
    run: async (call) => {
      const manifest = sha256(manifestOf());
      assert.equal((await push(call, "a", "1")).status, 201);
      for (const where of [`/v2/a/blobs/${digest}`, "/v2/a/manifests/1"]) {
        const etag = (await call("GET", where)).headers.get("etag") ?? "";
        assert.ok([`"${digest}"`, `"${manifest}"`].includes(etag));
        assert.equal((await call("GET", where, { headers: { "if-none-match": etag } })).status, 304);
        assert.equal((await call("GET", where, { headers: { "if-none-match": '"other"' } })).status, 200);
      }
    },
  },
  {
    name: "a manifest by its tag and by its digest",
    run: async (call) => {
      const put = await push(call, "a", "1");
      const named = sha256(manifestOf());
      assert.deepEqual([put.status, put.headers.get("docker-content-digest"), put.headers.get("location")], [201, named, `/v2/a/manifests/${named}`]);
      for (const reference of ["1", named]) {
        const answer = await call("GET", `/v2/a/manifests/${reference}`, { headers: { accept: ociManifest } });
        assert.deepEqual([answer.status, answer.text, answer.headers.get("content-type")], [200, manifestOf().toString(), ociManifest]);
        const head = await call("HEAD", `/v2/a/manifests/${reference}`);
        assert.deepEqual([head.status, head.headers.get("docker-content-digest"), head.text], [200, named, ""]);
      }
      assert.equal((await call("GET", "/v2/a/manifests/1", { headers: { accept: ociIndex } })).status, 404, "only what is accepted");
      assert.equal(codeOf(await call("GET", "/v2/a/manifests/2")), "MANIFEST_UNKNOWN");
    },
  },
  {
    name: "tags in pages",
    run: async (call) => {
      assert.equal(codeOf(await call("GET", "/v2/a/tags/list")), "NAME_UNKNOWN");
      for (const tag of ["c", "a", "B", "b"]) await push(call, "a", tag);
      assert.deepEqual(valueOf(await call("GET", "/v2/a/tags/list")), { name: "a", tags: ["B", "a", "b", "c"] });
      const page = await call("GET", "/v2/a/tags/list?n=2");
      assert.deepEqual(valueOf(page), { name: "a", tags: ["B", "a"] });
      assert.equal(page.headers.get("link"), '</v2/a/tags/list?last=a&n=2>; rel="next"');
      const last = await call("GET", "/v2/a/tags/list?n=2&last=a");
      assert.deepEqual([valueOf(last), last.headers.get("link")], [{ name: "a", tags: ["b", "c"] }, null]);
      assert.deepEqual(valueOf(await call("GET", "/v2/a/tags/list?n=0")), { name: "a", tags: [] });
      assert.equal(codeOf(await call("GET", "/v2/a/tags/list?n=-1")), "PAGINATION_NUMBER_INVALID");
    },
  },
  {
    name: "the catalog",
    run: async (call) => {
      for (const repository of ["b/c", "a", "b"]) await push(call, repository, "1");
      assert.deepEqual(valueOf(await call("GET", "/v2/_catalog")), { repositories: ["a", "b", "b/c"] });
      assert.equal((await call("GET", "/v2/_catalog?n=1")).headers.get("link"), '</v2/_catalog?last=a&n=1>; rel="next"');
    },
  },
];

const subject = { mediaType: ociManifest, digest: sha256(manifestOf()), size: manifestOf().length };
const signature = manifestOf({ artifactType: "application/x.signature", subject, annotations: { by: "ann" } });

const writes: readonly Case[] = [
  {
    name: "manifests that are refused",
    run: async (call) => {
      await push(call, "a", "1");
      const put = (body: Uint8Array | string, reference = "2", type = ociManifest): Promise<Answered> =>
        call("PUT", `/v2/a/manifests/${reference}`, { headers: { "content-type": type }, body });
      const absent = { mediaType: layerType, digest: sha256("absent"), size: 6 };
      const table: readonly (readonly [string, Answered, number, string])[] = [
        ["not JSON", await put("{"), 400, "MANIFEST_INVALID"],
        ["of another type than its header", await put(manifestOf(), "2", ociIndex), 400, "MANIFEST_INVALID"],
        ["with a layer that is not here", await put(manifestOf({ layers: [absent] })), 400, "MANIFEST_BLOB_UNKNOWN"],
        ["with a layer of another size", await put(manifestOf({ layers: [{ mediaType: layerType, digest, size: 9 }] })), 400, "MANIFEST_BLOB_UNKNOWN"],
        ["under another digest", await put(manifestOf(), sha256("else")), 400, "DIGEST_INVALID"],
        [
          "an index of what is not here",
          await put(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [absent] }), "2", ociIndex),
          400,
          "MANIFEST_BLOB_UNKNOWN",
        ],
        ["too large", await put(Buffer.alloc(4 * 1024 * 1024 + 1, " ")), 413, "SIZE_INVALID"],
      ];
      for (const [name, answer, status, code] of table) assert.deepEqual([answer.status, codeOf(answer)], [status, code], name);
      const foreign = {
        mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        digest: sha256("far"),
        size: 3,
        urls: ["https://example.com/far"],
      };
      assert.equal((await put(manifestOf({ layers: [foreign] }))).status, 201, "foreign layers lie elsewhere");
      assert.deepEqual(valueOf(await call("GET", "/v2/a/tags/list")), { name: "a", tags: ["1", "2"] });
    },
  },
  {
    name: "an index and the platforms in it",
    run: async (call) => {
      await push(call, "a", sha256(manifestOf()));
      const index = JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [subject] });
      assert.equal((await call("PUT", "/v2/a/manifests/all", { headers: { "content-type": ociIndex }, body: index })).status, 201);
      assert.equal((await call("GET", "/v2/a/manifests/all")).headers.get("content-type"), ociIndex);
    },
  },
  {
    name: "who refers to a manifest",
    run: async (call) => {
      const where = `/v2/a/referrers/${subject.digest}`;
      assert.deepEqual(valueOf(await call("GET", where)), { schemaVersion: 2, mediaType: ociIndex, manifests: [] });
      // the subject may come later
      const put = await push(call, "a", sha256(signature), signature);
      assert.deepEqual([put.status, put.headers.get("oci-subject")], [201, subject.digest]);
      const plain = manifestOf({ subject });
      await push(call, "a", sha256(plain), plain);
      const one = {
        mediaType: ociManifest,
        digest: sha256(signature),
        size: signature.length,
        artifactType: "application/x.signature",
        annotations: { by: "ann" },
      };
      const other = { mediaType: ociManifest, digest: sha256(plain), size: plain.length, artifactType: ociConfig };
      const all = await call("GET", where);
      assert.equal(all.headers.get("content-type"), ociIndex);
      const listed = (valueOf(all) as { readonly manifests: readonly { readonly digest: string }[] }).manifests;
      assert.deepEqual(new Set(listed.map((entry) => JSON.stringify(entry))).size, 2);
      assert.deepEqual(
        listed.toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
        [one, other].toSorted((a, b) => (a.digest < b.digest ? -1 : 1)),
      );
      const filtered = await call("GET", `${where}?artifactType=application/x.signature`);
      assert.equal(filtered.headers.get("oci-filters-applied"), "artifactType");
      assert.deepEqual((valueOf(filtered) as { readonly manifests: unknown }).manifests, [one]);
      assert.equal((await call("DELETE", `/v2/a/manifests/${sha256(signature)}`)).status, 202);
      assert.deepEqual((valueOf(await call("GET", where)) as { readonly manifests: unknown }).manifests, [other]);
    },
  },
  {
    name: "no referrers API",
    options: { referrers: false },
    run: async (call) => {
      const put = await push(call, "a", sha256(signature), signature);
      assert.deepEqual([put.status, put.headers.get("oci-subject")], [201, null]);
      assert.equal((await call("GET", `/v2/a/referrers/${subject.digest}`)).status, 404);
    },
  },
  {
    name: "deleted: a tag, a manifest with its tags, a blob",
    run: async (call) => {
      await push(call, "a", "1");
      await push(call, "a", "2");
      await push(call, "a", "3");
      assert.equal((await call("DELETE", "/v2/a/manifests/1")).status, 202);
      assert.deepEqual(valueOf(await call("GET", "/v2/a/tags/list")), { name: "a", tags: ["2", "3"] });
      assert.equal((await call("DELETE", `/v2/a/manifests/${subject.digest}`)).status, 202);
      for (const reference of ["2", "3", subject.digest]) assert.equal((await call("GET", `/v2/a/manifests/${reference}`)).status, 404);
      await upload(call, "a", blob);
      assert.equal((await call("DELETE", `/v2/a/blobs/${digest}`)).status, 202);
      assert.equal(codeOf(await call("GET", `/v2/a/blobs/${digest}`)), "BLOB_UNKNOWN");
      assert.equal((await call("DELETE", `/v2/a/blobs/${digest}`)).status, 404);
    },
  },
  {
    name: "what only a deleted manifest named goes with it",
    run: async (call) => {
      const other = Buffer.from("other layer");
      const otherManifest = manifestOf({ layers: [{ mediaType: layerType, digest: sha256(other), size: other.length }] });
      await push(call, "a", "kept");
      await push(call, "b", "1");
      await upload(call, "a", other);
      await push(call, "a", sha256(otherManifest), otherManifest);
      const referrer = manifestOf({ subject: { mediaType: ociManifest, digest: sha256(otherManifest), size: otherManifest.length } });
      await push(call, "a", sha256(referrer), referrer);
      const manifests = [manifestOf(), otherManifest].map((bytes) => ({ mediaType: ociManifest, digest: sha256(bytes), size: bytes.length }));
      const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests }));
      await call("PUT", "/v2/a/manifests/index", { headers: { "content-type": ociIndex }, body: index });
      const there = async (where: string): Promise<boolean> => (await call("GET", where)).status === 200;
      const all = [`/v2/a/manifests/${sha256(otherManifest)}`, `/v2/a/manifests/${sha256(referrer)}`, `/v2/a/blobs/${sha256(other)}`];
      assert.deepEqual(await Promise.all(all.map(there)), [true, true, true]);
      assert.equal((await call("DELETE", `/v2/a/manifests/${sha256(index)}`)).status, 202);
      assert.deepEqual(await Promise.all(all.map(there)), [false, false, false]);
      assert.ok(await there("/v2/a/manifests/kept"));
      assert.ok(await there(`/v2/a/blobs/${digest}`));
      assert.equal((await call("DELETE", `/v2/a/manifests/${sha256(manifestOf())}`)).status, 202);
      assert.equal(await there(`/v2/a/blobs/${digest}`), false);
      assert.ok(await there(`/v2/b/blobs/${digest}`));
    },
  },
  {
    name: "deletion off",
    options: { delete: false },
    run: async (call) => {
      await push(call, "a", "1");
      for (const where of ["/v2/a/manifests/1", `/v2/a/blobs/${digest}`]) {
        const answer = await call("DELETE", where);
        assert.deepEqual([answer.status, codeOf(answer)], [405, "UNSUPPORTED"]);
      }
    },
  },
  {
    name: "read only",
    options: { readOnly: true },
    run: async (call) => {
      assert.equal((await call("POST", "/v2/a/blobs/uploads/")).status, 405);
      assert.equal((await call("PUT", "/v2/a/manifests/1", { body: manifestOf() })).status, 405);
      assert.equal((await call("GET", "/v2/")).status, 200);
    },
  },
  {
    name: "immutable tags",
    options: { immutableTags: true },
    run: async (call) => {
      assert.equal((await push(call, "a", "1")).status, 201);
      assert.equal((await push(call, "a", "1")).status, 201, "the same again");
      assert.equal((await push(call, "a", "1", signature)).status, 409);
    },
  },
  {
    name: "names that lead nowhere",
    run: async (call) => {
      const table: readonly (readonly [string, number, string])[] = [
        ["/v2/..%2F..%2Fetc/blobs/uploads/", 400, "NAME_INVALID"],
        ["/v2/a%2F..%2Fb/tags/list", 400, "NAME_INVALID"],
        ["/v2/A/tags/list", 400, "NAME_INVALID"],
        ["/v2/_blobs/tags/list", 400, "NAME_INVALID"],
        [`/v2/${"a".repeat(256)}/tags/list`, 400, "NAME_INVALID"],
        ["/v2/a/blobs/sha256:..%2F..%2Fx", 400, "DIGEST_INVALID"],
        ["/v2/a/blobs/md5:d41d8cd98f00b204e9800998ecf8427e", 400, "DIGEST_INVALID"],
        ["/v2/a/manifests/-x", 400, "TAG_INVALID"],
        [`/v2/a/manifests/${"a".repeat(129)}`, 400, "TAG_INVALID"],
        ["/v2/a/blobs/uploads/..%2F..%2Fx", 404, "BLOB_UPLOAD_UNKNOWN"],
        ["/v2/a/else", 404, "UNSUPPORTED"],
        ["/", 404, "UNSUPPORTED"],
      ];
      for (const [where, status, code] of table) {
        const answer = await call(where.endsWith("uploads/") ? "POST" : "GET", where);
        assert.deepEqual([answer.status, codeOf(answer)], [status, code], where);
      }
    },
  },
];

const storages = [
  { storage: "memory", inDirectory: false },
  { storage: "disk", inDirectory: true },
] as const;

for (const { storage, inDirectory } of storages) {
  describe(`a registry in ${storage}`, () => {
    for (const { name, options = {}, run } of [...uploads, ...reads, ...writes]) {
      test(name, async () => {
        const directory = mkdtempSync(path.join(tmpdir(), "slipway-registry-"));
        try {
          await using registry = await startRegistry({ ...options, ...(inDirectory ? { directory } : {}) });
          await run(async (method, where, { headers = {}, body } = {}) => {
            const answer = await fetch(registry.url + where, {
              method,
              headers,
              ...(body === undefined ? {} : { body: typeof body === "string" ? body : new Uint8Array(body) }),
            });
            return { status: answer.status, headers: answer.headers, text: await answer.text() };
          });
        } finally {
          rmSync(directory, { recursive: true, force: true });
        }
      });
    }
  });
}
