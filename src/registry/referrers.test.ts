import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digestOf } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import type { Descriptor, Manifest } from "../oci/manifest.ts";
import { createRegistryClient } from "./client.ts";
import type { Document } from "./client.ts";
import { registryAbsent, startDockerRegistry } from "./fixtures/docker-registry.ts";
import { serve } from "./fixtures/loopback-server.ts";
import { attachReferrer, referrerDescriptor, referrersTag } from "./referrers.ts";

const subject: Descriptor = { mediaType: mediaTypes.ociManifest, digest: digestOf("subject"), size: 7 };
const empty: Descriptor = { mediaType: mediaTypes.ociEmpty, digest: digestOf("{}"), size: 2 };

function referrer(artifactType: string | undefined, name: string): Document {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: empty,
    layers: [empty],
    subject,
    annotations: { name },
  };
  return { mediaType: mediaTypes.ociManifest, bytes: Buffer.from(JSON.stringify(manifest)) };
}

const named = (descriptors: readonly Descriptor[]): readonly (string | undefined)[] => descriptors.map(({ annotations }) => annotations?.["name"]);

test("a list shows a manifest with its type, else its config's, and its annotations", () => {
  assert.deepEqual(referrerDescriptor(referrer("x/sbom", "a")).artifactType, "x/sbom");
  assert.deepEqual(referrerDescriptor(referrer(undefined, "a")).artifactType, mediaTypes.ociEmpty);
  assert.deepEqual(referrerDescriptor(referrer("x/sbom", "a")).annotations, { name: "a" });
});

describe("a registry that keeps no lists", { skip: registryAbsent }, () => {
  test("has them under a tag: entries are added, none twice, those of several writers at once all stay", async () => {
    await using registry = await startDockerRegistry();
    await using client = createRegistryClient();
    const repository = { domain: registry.host, path: "app" };
    await registry.pushBlob("app", Buffer.from("{}"), mediaTypes.ociEmpty);
    assert.deepEqual(await client.listReferrers(repository, subject.digest), []);
    await attachReferrer(client, repository, referrer("x/sbom", "first"));
    await attachReferrer(client, repository, referrer("x/sbom", "first"));
    await attachReferrer(client, repository, referrer("x/signature", "second"));
    assert.deepEqual(named(await client.listReferrers(repository, subject.digest)), ["first", "second"]);
    assert.deepEqual(named(await client.listReferrers(repository, subject.digest, { artifactType: "x/signature" })), ["second"]);
    const writers = ["a", "b", "c"];
    await Promise.all(writers.map(async (name) => await attachReferrer(client, repository, referrer("x/note", name))));
    assert.deepEqual(new Set(named(await client.listReferrers(repository, subject.digest, { artifactType: "x/note" }))), new Set(writers));
    assert.deepEqual((await client.listReferrers(repository, subject.digest)).length, 5);
    assert.ok((await client.listTags(repository)).includes(referrersTag(subject.digest)));
  });

  test("a manifest without a subject is refused before anything is sent", async () => {
    await using client = createRegistryClient();
    const document = { mediaType: mediaTypes.ociManifest, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, config: empty, layers: [] })) };
    await assert.rejects(attachReferrer(client, { domain: "127.0.0.1:1", path: "app" }, document), { code: "NO_SUBJECT" });
  });
});

describe("a registry that keeps lists", () => {
  const first = referrerDescriptor(referrer("x/sbom", "first"));
  const second = referrerDescriptor(referrer("x/signature", "second"));
  const page = (...manifests: readonly Descriptor[]): string => JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests });

  test("is asked page by page, and filters that it does not apply are applied here", async () => {
    await using server = await serve({
      [`/v2/app/referrers/${subject.digest}`]: (request, response) => {
        const last = request.url?.includes("last=1") === true;
        response.setHeader("content-type", mediaTypes.ociIndex);
        if (!last) response.setHeader("link", `</v2/app/referrers/${subject.digest}?last=1>; rel="next"`);
        response.end(last ? page(second) : page(first));
      },
    });
    await using client = createRegistryClient();
    const repository = { domain: server.host, path: "app" };
    assert.deepEqual(named(await client.listReferrers(repository, subject.digest)), ["first", "second"]);
    assert.deepEqual(named(await client.listReferrers(repository, subject.digest, { artifactType: "x/sbom" })), ["first"]);
    assert.ok(server.requests.some(({ line }) => line.endsWith("?artifactType=x%2Fsbom")));
  });

  test("keeps a referrer by itself: no tag is written", async () => {
    const document = referrer("x/sbom", "first");
    await using server = await serve({
      [`/v2/app/manifests/${digestOf(document.bytes)}`]: (request, response) => {
        request.resume().on("end", () => response.writeHead(201, { "oci-subject": subject.digest }).end());
      },
    });
    await using client = createRegistryClient();
    await attachReferrer(client, { domain: server.host, path: "app" }, document);
    assert.deepEqual(
      server.requests.map(({ line }) => line.split(" ")[0]),
      ["PUT"],
    );
  });
});
