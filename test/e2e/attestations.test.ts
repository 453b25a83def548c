/** Attestations that BuildKit puts into an image's index: kept where the image has them, told where it has not. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { startRegistry } from "../../src/testing/index.ts";
import { createSandbox } from "./sandbox.ts";

const indexType = "application/vnd.oci.image.index.v1+json";
const manifestType = "application/vnd.oci.image.manifest.v1+json";

describe("an image with attestations", async () => {
  const sandbox = await createSandbox();
  const other = await createSandbox({ base: false });
  const registry = await startRegistry();
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const source = `${registry.host}/attested/app:1`;
  let whole = "";
  let image = "";

  const put = async (path: string, bytes: string, type: string): Promise<{ readonly mediaType: string; readonly digest: string; readonly size: number }> => {
    const digest = digestOf(bytes);
    const blob = path === "";
    const url = blob ? `${registry.url}/v2/attested/app/blobs/uploads/?digest=${digest}` : `${registry.url}/v2/attested/app/manifests/${path}`;
    const response = await fetch(url, { method: blob ? "POST" : "PUT", body: bytes, headers: { "content-type": blob ? "application/octet-stream" : type } });
    assert.equal(response.status, 201, await response.text());
    return { mediaType: type, digest, size: Buffer.byteLength(bytes) };
  };
  const digestAt = async (name: string): Promise<string> => {
    const [, repository, tag] = /^[^/]+\/(.+):([^:]+)$/.exec(name) ?? [];
    const response = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, { method: "HEAD", headers: { accept: `${indexType}, ${manifestType}` } });
    return response.headers.get("docker-content-digest") ?? "";
  };

  before(async () => {
    await sandbox.build("FROM busybox\nCOPY f /\n", { f: "attested" }, ["-t", source, "--push"]);
    const accept = { headers: { accept: manifestType } };
    const bytes = await (await fetch(`${registry.url}/v2/attested/app/manifests/1`, accept)).text();
    image = digestOf(bytes);
    const config = await put("", "{}", "application/vnd.oci.image.config.v1+json");
    const layers = [await put("", '{"predicateType":"https://slsa.dev/provenance/v0.2"}', "application/vnd.in-toto+json")];
    const attestation = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers });
    const about = { "vnd.docker.reference.digest": image, "vnd.docker.reference.type": "attestation-manifest" };
    const unknown = { os: "unknown", architecture: "unknown" };
    const manifests = [
      { mediaType: manifestType, digest: image, size: bytes.length, platform: { os: "linux", architecture: "amd64" } },
      { ...(await put(digestOf(attestation), attestation, manifestType)), annotations: about, platform: unknown },
    ];
    whole = (await put("1", JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }), indexType)).digest;
  });

  test("copied into the store, it is pushed, saved and loaded whole", async () => {
    await sandbox.ok(["copy", "-q", `docker://${source}`, "store:attested:1"]);
    const [pushed, loaded] = [`${registry.host}/attested/pushed:1`, `${registry.host}/attested/loaded:1`];
    await sandbox.ok(["tag", "attested:1", pushed]);
    assert.doesNotMatch(await sandbox.ok(["push", pushed]), /Info/);
    assert.equal(await digestAt(pushed), whole);
    const part = `${registry.host}/attested/part:1`;
    await sandbox.ok(["tag", "attested:1", part]);
    assert.doesNotMatch(await sandbox.ok(["push", "--platform", "linux/amd64", part]), /Not all/);
    assert.equal(await digestAt(part), image);
    const archive = `${sandbox.directory}/attested.tar`;
    await sandbox.ok(["save", "-o", archive, "attested:1"]);
    assert.equal(await other.ok(["load", "-i", archive]), "Loaded image: attested:1");
    assert.equal(await other.ok(["run", "--rm", "attested:1", "cat", "/f"]), "attested");
    await other.ok(["tag", "attested:1", loaded]);
    await other.ok(["push", loaded]);
    assert.equal(await digestAt(loaded), whole);
    await other.ok(["image", "prune", "-f"]);
    assert.equal(await other.ok(["copy", "-q", "store:attested:1", `oci:${other.directory}/layout`]), whole);
  });

  test("pulled with all platforms, it comes whole and goes on whole", async () => {
    const [fresh, name] = [await createSandbox({ base: false }), `${registry.host}/attested/all:1`];
    await using box = fresh;
    await box.ok(["pull", "-q", "--all-platforms", source]);
    await box.ok(["image", "prune", "-f"]);
    await box.ok(["tag", source, name]);
    assert.doesNotMatch(await box.ok(["push", name]), /Info/);
    assert.equal(await digestAt(name), whole);
    assert.equal(await box.ok(["copy", "-q", `store:${name}`, `oci:${box.directory}/layout`]), whole);
  });

  test("its attestations become referrers, or are left out: the image stands for itself then", async () => {
    const [loose, bare] = [`${registry.host}/attested/loose:1`, `${registry.host}/attested/bare:1`];
    assert.equal(await sandbox.ok(["copy", "-q", "--attestations", "referrers", `docker://${source}`, loose]), image);
    assert.equal(await digestAt(loose), image);
    const found = (await (await fetch(`${registry.url}/v2/attested/loose/referrers/${image}`)).json()) as {
      readonly manifests: readonly { readonly digest: string; readonly artifactType: string }[];
    };
    assert.deepEqual(
      found.manifests.map(({ artifactType }) => artifactType),
      ["application/vnd.docker.attestation.manifest.v1+json"],
    );
    const [referrer] = found.manifests;
    const { layers, subject } = (await (
      await fetch(`${registry.url}/v2/attested/loose/manifests/${referrer?.digest}`, { headers: { accept: manifestType } })
    ).json()) as { readonly layers: readonly { readonly digest: string }[]; readonly subject: { readonly digest: string } };
    assert.equal(subject.digest, image);
    assert.equal((await fetch(`${registry.url}/v2/attested/loose/blobs/${layers[0]?.digest}`)).status, 200);
    assert.equal(await sandbox.ok(["copy", "-q", "--attestations", "none", `docker://${source}`, bare]), image);
    const none = (await (await fetch(`${registry.url}/v2/attested/bare/referrers/${image}`)).json()) as { readonly manifests: readonly object[] };
    assert.deepEqual(none.manifests, []);
    const nowhere = await sandbox.call(["copy", "--attestations", "referrers", `docker://${source}`, `oci:${sandbox.directory}/nowhere`]);
    assert.deepEqual([nowhere.code, nowhere.stderr], [1, `oci:${sandbox.directory}/nowhere: attestations can be referrers in a registry only\n`]);
    assert.equal((await sandbox.call(["copy", "--attestations", "some", `docker://${source}`, bare])).code, 1);
  });

  test("pulled, it comes alone, and the push says so", async () => {
    const [fresh, name] = [await createSandbox({ base: false }), `${registry.host}/attested/alone:1`];
    await using box = fresh;
    await box.ok(["pull", "-q", source]);
    await box.ok(["tag", source, name]);
    const what = "Not all multiplatform-content is present and only the available single-platform image was pushed";
    assert.ok((await box.ok(["push", name])).endsWith(`\n\n Info -> ${what}\n         ${whole} -> ${image}`));
    assert.equal(await digestAt(name), image);
    assert.equal(await box.ok(["push", "-q", name]), name);
  });
});
