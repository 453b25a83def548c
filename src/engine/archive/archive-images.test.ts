import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { parseIndex, parseManifest } from "../../oci/parse-manifest.ts";
import type { Store } from "../../store/index.ts";
import { readTarMembers } from "../../tar/index.ts";
import { addImage, addLayer, configOf, openTestStore, readAll, streamOf, testLayer } from "../images/test-images.ts";
import { archiveImages, writeOciLayout, type ArchivedImage } from "./archive-images.ts";
import { saveImages } from "./save.ts";

async function filesOf(source: AsyncIterable<Uint8Array>): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const { entry, content } of readTarMembers(source)) if (entry.type === "file") files.set(entry.path, await readAll(content));
  return files;
}

function json<T>(files: ReadonlyMap<string, Buffer>, name: string): T {
  return JSON.parse(String(files.get(name))) as T;
}

describe("save", () => {
  test("manifest.json, index.json and blobs say the same", async () => {
    using box = openTestStore();
    const { store } = box;
    const id = addImage(store, { names: ["docker.io/library/a:1", "docker.io/x/b:2"], layers: ["base", "top"], form: "gzip" });
    const files = await filesOf(saveImages(store, ["a:1", "x/b:2"]));
    const [entry, ...others] = json<readonly { Config: string; RepoTags: readonly string[]; Layers: readonly string[] }[]>(files, "manifest.json");
    assert.deepEqual(others, []);
    assert.equal(entry?.Config, `blobs/sha256/${id.slice(7)}`);
    assert.deepEqual(entry?.RepoTags, ["a:1", "x/b:2"]);
    const index = parseIndex(files.get("index.json")!);
    assert.deepEqual(
      index.manifests.map(({ annotations }) => annotations),
      [
        { "io.containerd.image.name": "docker.io/library/a:1", "org.opencontainers.image.ref.name": "1" },
        { "io.containerd.image.name": "docker.io/x/b:2", "org.opencontainers.image.ref.name": "2" },
      ],
    );
    const manifest = parseManifest(files.get(`blobs/sha256/${index.manifests[0]?.digest.slice(7)}`)!);
    assert.deepEqual(
      manifest.layers.map(({ mediaType, digest }) => [mediaType, `blobs/sha256/${digest.slice(7)}`]),
      entry?.Layers.map((path) => [mediaTypes.ociLayerGzip, path]),
    );
    for (const [path, bytes] of files) if (path.startsWith("blobs/")) assert.equal(`blobs/sha256/${digestOf(bytes).slice(7)}`, path);
    assert.equal(String(files.get("oci-layout")), '{"imageLayoutVersion":"1.0.0"}');
  });

  test("by id without a name, a repository with all its tags", async () => {
    using box = openTestStore();
    const id = addImage(box.store, { names: ["docker.io/library/a:1", "docker.io/library/a:2", "docker.io/library/ab:3"] });
    const byId = await filesOf(saveImages(box.store, [id]));
    assert.equal(json<readonly { RepoTags: unknown }[]>(byId, "manifest.json")[0]?.RepoTags, null);
    assert.equal(parseIndex(byId.get("index.json")!).manifests[0]?.annotations, undefined);
    const all = await filesOf(saveImages(box.store, ["a"]));
    assert.deepEqual(json<readonly { RepoTags: unknown }[]>(all, "manifest.json")[0]?.RepoTags, ["a:1", "a:2"]);
  });

  test("equal bytes every time, and an archive that GNU tar reads", async () => {
    using box = openTestStore();
    addImage(box.store, { names: ["docker.io/library/a:1"], layers: ["x", "y".repeat(5000)] });
    const first = await readAll(saveImages(box.store, ["a:1"]));
    assert.deepEqual(await readAll(saveImages(box.store, ["a:1"])), first);
    const listed = execFileSync("tar", ["-t"], { input: first, encoding: "utf8" }).trim().split("\n");
    assert.deepEqual(listed.slice(0, 2), ["blobs/", "blobs/sha256/"]);
    assert.deepEqual(listed.slice(-3), ["index.json", "manifest.json", "oci-layout"]);
    assert.deepEqual(listed.slice(2, -3), listed.slice(2, -3).toSorted());
  });

  test("a layer that lies here as a directory is packed", async () => {
    using box = openTestStore();
    const directory = box.store.layers.workDirectory("upper");
    writeFileSync(join(directory, "f"), "content");
    const { hashDirectory } = await import("../../store/pack.ts");
    const { diffId } = hashDirectory({ directory, overlay: true, wholeSeconds: true, owners: box.store.ownership.owners });
    box.store.layers.adoptDirectory(diffId, directory, 7);
    const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [diffId] } }));
    box.store.images.commit({ config, chain: [diffId] }, ["docker.io/library/d:1"]);
    const files = await filesOf(saveImages(box.store, ["d:1"]));
    assert.equal(digestOf(files.get(`blobs/sha256/${diffId.slice(7)}`)!), diffId);
  });

  test("what is not there, and another platform", async () => {
    using box = openTestStore();
    addImage(box.store, { names: ["docker.io/library/a:1"] });
    await assert.rejects(readAll(saveImages(box.store, ["a:1", "nope"])), { code: "NO_SUCH_IMAGE", message: "No such image: nope:latest" });
    await assert.rejects(readAll(saveImages(box.store, ["a:1"], { platform: "linux/arm64" })), {
      code: "NO_MATCHING_PLATFORM",
      message:
        "no suitable export target found: image with reference a:1 was found but does not provide the specified platform (linux/arm64): it has linux/amd64",
    });
  });

  test("the manifest that an image came with stays, while its blobs do", async () => {
    using box = openTestStore();
    const { store } = box;
    const image = pulledImage(store);
    assert.deepEqual(
      [...(await filesOf(archiveImages(store, [image], { format: "docker" }))).keys()].filter((path) => path.includes(image.manifest.slice(7))).length,
      1,
    );
    const lost = { ...image, config: Buffer.from(`${String(image.config)} `) };
    assert.deepEqual(
      [...(await filesOf(archiveImages(store, [lost], { format: "docker" }))).keys()].filter((path) => path.includes(image.manifest.slice(7))).length,
      0,
    );
  });
});

function pulledImage(store: Store): ArchivedImage & { readonly manifest: Digest } {
  const diffId = addLayer(store, "one", "gzip");
  const config = configOf({});
  const [layer] = store.layers.blobForms(diffId);
  const document = {
    schemaVersion: 2,
    mediaType: mediaTypes.dockerManifest,
    config: { mediaType: mediaTypes.dockerConfig, digest: digestOf(config), size: config.length },
    layers: [layer],
  };
  const manifest = store.blobs.put(JSON.stringify(document, undefined, 3)).digest;
  return { config, chain: [diffId], names: ["docker.io/library/p:1"], manifest };
}

describe("oci", () => {
  const image: ArchivedImage = {
    config: configOf({}),
    chain: [digestOf(testLayer("one"))],
    names: ["docker.io/library/o:1"],
    annotations: { manifest: { a: "b" }, index: { i: "j" }, manifestDescriptor: { d: "e" }, indexDescriptor: {} },
  };

  test("a tar without manifest.json, annotations at their levels", async () => {
    using box = openTestStore();
    addLayer(box.store, "one");
    const files = await filesOf(archiveImages(box.store, [image], { format: "oci" }));
    assert.equal(files.has("manifest.json"), false);
    const index = parseIndex(files.get("index.json")!);
    assert.deepEqual(index.annotations, { i: "j" });
    assert.deepEqual(Object.keys(index.manifests[0]?.annotations ?? {}), ["d", "io.containerd.image.name", "org.opencontainers.image.ref.name"]);
    assert.deepEqual(index.manifests[0]?.platform, { architecture: "amd64", os: "linux" });
    assert.deepEqual(parseManifest(files.get(`blobs/sha256/${index.manifests[0]?.digest.slice(7)}`)!).annotations, { a: "b" });
  });

  test("a directory: entries of the same name are replaced, others stay", async () => {
    using box = openTestStore();
    addLayer(box.store, "one");
    addLayer(box.store, "two");
    const directory = join(box.root, "layout");
    const other: ArchivedImage = { ...image, config: configOf({ layers: ["two"] }), chain: [digestOf(testLayer("two"))] };
    await writeOciLayout(box.store, [image, { ...other, names: ["docker.io/library/kept:1"] }], directory);
    await writeOciLayout(box.store, [other], directory);
    const index = parseIndex(readFileSync(join(directory, "index.json")));
    assert.deepEqual(
      index.manifests.map(({ annotations }) => annotations?.["io.containerd.image.name"]),
      ["docker.io/library/kept:1", "docker.io/library/o:1"],
    );
    for (const name of readdirSync(join(directory, "blobs/sha256")))
      assert.equal(digestOf(readFileSync(join(directory, "blobs/sha256", name))), `sha256:${name}`);
  });

  test("cancelled in the middle, the index is as it was", async () => {
    using box = openTestStore();
    addLayer(box.store, "one");
    const directory = join(box.root, "layout");
    mkdirSync(directory);
    writeFileSync(join(directory, "index.json"), '{"schemaVersion":2,"manifests":[]}');
    await assert.rejects(writeOciLayout(box.store, [image], directory, { signal: AbortSignal.abort() }));
    assert.deepEqual(readdirSync(directory), ["index.json"]);
  });

  test("an archive of a missing layer fails before its first byte", async () => {
    using box = openTestStore();
    await assert.rejects(readAll(archiveImages(box.store, [image], { format: "oci" })), { code: "LAYER_MISSING" });
    await assert.rejects(filesOf(streamOf(Buffer.from("x"))), { code: "TAR_TRUNCATED" });
  });
});
