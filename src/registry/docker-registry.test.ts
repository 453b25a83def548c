/** The client against the distribution project's own registry. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { describe, test } from "node:test";
import { digestOf } from "../oci/digest.ts";
import { mediaTypes } from "../oci/manifest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { parsePlatform } from "../oci/platform.ts";
import { parseReference, withDigest } from "../oci/reference.ts";
import { registryAbsent, startDockerRegistry } from "./fixtures/docker-registry.ts";
import type { DockerRegistry } from "./fixtures/docker-registry.ts";
import { quickClient, readAll } from "./fixtures/loopback-server.ts";
import { resolveImage } from "./image-source.ts";

const layer = randomBytes(200_000);
const platforms = ["linux/amd64", "linux/arm64"] as const;

interface Pushed {
  readonly index: Descriptor;
  readonly manifests: readonly Descriptor[];
}

async function pushImage(registry: DockerRegistry, repository: string, tag: string): Promise<Pushed> {
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const layers = [await registry.pushBlob(repository, layer, mediaTypes.ociLayer)];
  const manifests: Descriptor[] = [];
  for (const text of platforms) {
    const platform = parsePlatform(text);
    const config = await registry.pushBlob(
      repository,
      json({ ...platform, config: { Cmd: [text] }, rootfs: { type: "layers", diff_ids: [digestOf(layer)] } }),
      mediaTypes.ociConfig,
    );
    const bytes = json({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers });
    manifests.push({ ...(await registry.pushManifest(repository, digestOf(bytes), bytes, mediaTypes.ociManifest)), platform });
  }
  const index = await registry.pushManifest(repository, tag, json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }), mediaTypes.ociIndex);
  return { index, manifests };
}

describe("docker-registry", { skip: registryAbsent }, () => {
  test("a multi-platform image, by tag and by digest, whole and from an offset", async () => {
    await using registry = await startDockerRegistry();
    const pushed = await pushImage(registry, "team/app", "v1");
    await using client = quickClient();
    const reference = parseReference(`${registry.host}/team/app:v1`);
    assert.deepEqual(await client.head(reference), pushed.index);
    for (const [i, platform] of platforms.entries()) {
      const image = await resolveImage(client, reference, parsePlatform(platform));
      assert.equal(image.root.descriptor.digest, pushed.index.digest);
      assert.equal(image.manifestDescriptor.digest, pushed.manifests[i]?.digest);
      assert.deepEqual(image.config.config.Cmd, [platform]);
      const [blob] = image.manifest.layers as [Descriptor];
      assert.deepEqual(await readAll(client.openBlob(reference, blob)), layer);
      const hash = createHash("sha256").update(layer.subarray(0, 150_000));
      assert.deepEqual(await readAll(client.openBlob(reference, blob, { offset: 150_000, hash })), layer.subarray(150_000));
    }
    const byDigest = withDigest(parseReference(`${registry.host}/team/app`), pushed.index.digest);
    assert.deepEqual((await client.resolve(byDigest)).descriptor, pushed.index);
    assert.deepEqual(await client.listTags(reference), ["v1"]);

    await assert.rejects(client.resolve(parseReference(`${registry.host}/team/app:v2`)), {
      code: "MANIFEST_NOT_FOUND",
      message: `manifest for ${registry.host}/team/app:v2 not found: manifest unknown: manifest unknown`,
    });
    await assert.rejects(client.resolve(parseReference(`${registry.host}/nobody`)), { code: "MANIFEST_NOT_FOUND" });
    await assert.rejects(client.listTags(parseReference(`${registry.host}/nobody`)), {
      code: "REPOSITORY_NOT_FOUND",
      message: /^repository \S+\/nobody not found: name unknown: repository name not known to registry$/,
    });
    const absent = { mediaType: mediaTypes.ociLayer, digest: digestOf("absent"), size: 6 };
    await assert.rejects(readAll(client.openBlob(reference, absent)), { code: "BLOB_NOT_FOUND", message: /blob unknown to registry$/ });
  });

  test("behind a password, and as a mirror of Docker Hub", async () => {
    await using registry = await startDockerRegistry({
      login: "someone:pass:word",
      htpasswd: "someone:$2y$04$telPbfsbWA.87TLrBkrxne4h78AJysG/oI9ZqNDHKiYqdyTFc77Hu",
    });
    await pushImage(registry, "library/app", "latest");
    const reference = parseReference(`${registry.host}/library/app`);
    const login = { lookup: () => Promise.resolve({ kind: "basic", username: "someone", password: "pass:word" } as const) };
    await using client = quickClient({ credentials: login });
    await client.resolve(reference);

    await using stranger = quickClient();
    await assert.rejects(stranger.resolve(reference), { kind: "unauthenticated", code: "UNAUTHORIZED", message: /no basic auth credentials$/ });
    await using impostor = quickClient({ credentials: { lookup: () => Promise.resolve({ kind: "basic", username: "someone", password: "else" } as const) } });
    await assert.rejects(impostor.resolve(reference), { kind: "unauthenticated", code: "UNAUTHORIZED", message: /unauthorized: authentication required$/ });

    const mirrors = [{ location: registry.host, insecure: true, pullFromMirror: "all" as const }];
    const registries = [{ prefix: "docker.io", location: "docker.io", insecure: false, blocked: false, source: "test", mirrors }];
    await using mirrored = quickClient({ credentials: login, registries });
    assert.equal((await mirrored.resolve(parseReference("app"))).host, registry.host);
  });
});
