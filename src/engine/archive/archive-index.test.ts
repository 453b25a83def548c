import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { digestOf, type Digest } from "../../oci/digest.ts";
import { mediaTypes, type Descriptor } from "../../oci/manifest.ts";
import { parseIndex } from "../../oci/parse-manifest.ts";
import { hostPlatform } from "../../oci/platform.ts";
import type { Store } from "../../store/index.ts";
import { readTarMembers } from "../../tar/index.ts";
import { listImages } from "../images/list.ts";
import { addIndex, openTestStore, readAll, streamOf, tarOf } from "../images/test-images.ts";
import { loadImages, type LoadOptions } from "./load.ts";
import { saveImages, type SaveOptions } from "./save.ts";

const host = hostPlatform().architecture;
const foreign = host === "s390x" ? "riscv64" : "s390x";
const names = ["docker.io/library/a:1", "docker.io/x/b:2"];

type Files = ReadonlyMap<string, Buffer>;

async function saved(store: Store, refs: readonly string[], options: SaveOptions = {}): Promise<Files> {
  const files = new Map<string, Buffer>();
  for await (const { entry, content } of readTarMembers(saveImages(store, refs, options)))
    if (entry.type === "file") files.set(entry.path, await readAll(content));
  return files;
}

function blob(files: Files, digest: Digest): Buffer {
  return files.get(`blobs/sha256/${digest.slice(7)}`) ?? Buffer.alloc(0);
}

function top(files: Files): readonly Descriptor[] {
  return parseIndex(files.get("index.json") ?? Buffer.alloc(0)).manifests;
}

function load(store: Store, files: Files, options: LoadOptions = {}): ReturnType<typeof loadImages> {
  return loadImages(store, streamOf(tarOf(Object.fromEntries(files))), options);
}

function platformsOf(store: Store): readonly string[] {
  return listImages(store)[0]?.variants.map(({ platform }) => platform) ?? [];
}

describe("save of an index", () => {
  test("one entry for each name, an index with a manifest for each platform", async () => {
    using box = openTestStore();
    addIndex(box.store, [host, foreign], names, { note: "x" });
    const files = await saved(box.store, ["a:1", "x/b:2"]);
    const entries = top(files);
    assert.deepEqual(
      entries.map(({ mediaType, platform, annotations }) => [mediaType, platform, annotations?.["io.containerd.image.name"]]),
      names.map((name) => [mediaTypes.ociIndex, undefined, name]),
    );
    const index = parseIndex(blob(files, entries[0]?.digest as Digest));
    assert.deepEqual(index.annotations, { note: "x" });
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform),
      [host, foreign].map((architecture) => ({ os: "linux", architecture })),
    );
    for (const { digest, size } of index.manifests) assert.equal(blob(files, digest).length, size);
    const [shown, ...others] = JSON.parse(String(files.get("manifest.json"))) as readonly { Config: string; RepoTags: readonly string[] }[];
    assert.deepEqual([others, shown?.RepoTags], [[], ["a:1", "x/b:2"]]);
    assert.equal((JSON.parse(String(files.get(shown?.Config ?? ""))) as { architecture: string }).architecture, host);
  });

  test("of one platform it is a lone image", async () => {
    using box = openTestStore();
    addIndex(box.store, [host, foreign], names);
    const files = await saved(box.store, ["a:1"], { platform: foreign });
    assert.deepEqual(
      top(files).map(({ mediaType, platform }) => [mediaType, platform?.architecture]),
      [[mediaTypes.ociManifest, foreign]],
    );
    await assert.rejects(saved(box.store, ["a:1"], { platform: "linux/mips" }), {
      code: "NO_MATCHING_PLATFORM",
      message: `no suitable export target found: image with reference a:1 was found but does not provide the specified platform (linux/mips): it has linux/${host}, linux/${foreign}`,
    });
  });
});

describe("load of an index", () => {
  test("brings every platform back under the same id; saved again it is the same archive", async () => {
    using from = openTestStore();
    using to = openTestStore();
    const id = addIndex(from.store, [host, foreign], names, { note: "x" });
    const files = await saved(from.store, ["a:1", "x/b:2"]);
    assert.deepEqual((await load(to.store, files)).loaded, [{ name: "a:1" }, { name: "x/b:2" }]);
    assert.deepEqual([to.store.images.byName(names[0] ?? ""), to.store.images.byName(names[1] ?? "")], [id, id]);
    assert.deepEqual(await saved(to.store, ["a:1", "x/b:2"]), files);
  });

  test("one platform of it", async () => {
    using from = openTestStore();
    using to = openTestStore();
    addIndex(from.store, [host, foreign], names);
    const files = await saved(from.store, ["a:1"]);
    await assert.rejects(load(to.store, files, { platform: "linux/mips" }), {
      code: "NO_MATCHING_PLATFORM",
      message: `image a:1 doesn't provide the requested platform (linux/mips): it has linux/${host}, linux/${foreign}`,
    });
    assert.deepEqual(to.store.images.all(), []);
    await load(to.store, files, { platform: `linux/${foreign}` });
    assert.deepEqual(platformsOf(to.store), [`linux/${foreign}`]);
  });

  test("without the layers of one platform brings the others, and keeps the index's digest", async () => {
    using from = openTestStore();
    using to = openTestStore();
    addIndex(from.store, [host, foreign, "mips"], names);
    const files = await saved(from.store, ["a:1"]);
    const lost = digestOf(Buffer.from(await layerOf(files, foreign)));
    const partial = new Map([...files].filter(([path]) => path !== `blobs/sha256/${lost.slice(7)}`));
    await load(to.store, partial);
    assert.deepEqual(platformsOf(to.store), [`linux/${host}`, "linux/mips"]);
    assert.equal(top(await saved(to.store, ["a:1"]))[0]?.digest, top(files)[0]?.digest);
  });
});

/** The last layer of the image for an architecture. */
async function layerOf(files: Files, architecture: string): Promise<Buffer> {
  const index = parseIndex(blob(files, top(files)[0]?.digest as Digest));
  const manifest = index.manifests.find(({ platform }) => platform?.architecture === architecture);
  const { layers } = JSON.parse(String(blob(files, manifest?.digest as Digest))) as { layers: readonly { digest: Digest }[] };
  return blob(files, layers.at(-1)?.digest as Digest);
}
