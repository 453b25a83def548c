/** What the attributes of an image's outputs do: in a registry, in an archive, and to what is pushed afterwards. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { readTarMembers } from "../../src/tar/index.ts";
import { startRegistry } from "../../src/testing/index.ts";
import { createSandbox } from "./sandbox.ts";

interface Document {
  readonly mediaType: string;
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly mediaType: string; readonly digest: string }[];
  readonly manifests?: readonly { readonly digest: string; readonly annotations?: object }[];
  readonly annotations?: object;
}

const types = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];

describe("attributes of image outputs", async () => {
  const sandbox = await createSandbox();
  const registry = await startRegistry();
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const document = async (name: string): Promise<Document> => {
    const [, repository, tag] = /^[^/]+\/(.+?)[:@]([^/]+)$/.exec(name) ?? [];
    const response = await fetch(`${registry.url}/v2/${repository}/manifests/${tag}`, { headers: { accept: types.join(", ") } });
    assert.equal(response.status, 200, name);
    return (await response.json()) as Document;
  };
  const build = async (text: string, ...args: readonly string[]): Promise<string> => await sandbox.build("FROM busybox\nCOPY f /f\n", { f: text }, args);
  const members = async (path: string): Promise<ReadonlyMap<string, Buffer>> => {
    const found = new Map<string, Buffer>();
    for await (const { entry, content } of readTarMembers(one(readFileSync(path)))) found.set(entry.path, Buffer.concat(await Array.fromAsync(content)));
    return found;
  };
  const layersOf = (files: ReadonlyMap<string, Buffer>): { readonly manifest: Document; readonly last: Buffer } => {
    const blob = (digest: string): Buffer => files.get(`blobs/${digest.replace(":", "/")}`) ?? Buffer.alloc(0);
    const index = JSON.parse(String(files.get("index.json"))) as Document;
    const manifest = JSON.parse(String(blob(index.manifests?.[0]?.digest ?? ""))) as Document;
    return { manifest, last: blob(manifest.layers?.at(-1)?.digest ?? "") };
  };

  test("annotations stay with the image until it is built without them", async () => {
    const [first, second] = [`${registry.host}/annotated/app:1`, `${registry.host}/annotated/app:2`];
    await build("annotated", "-o", `type=image,name=${first},push=true,annotation.a=b`, "--annotation", "c=d");
    assert.deepEqual((await document(first)).annotations, { a: "b", c: "d" });
    await build("annotated", "-t", second, "--annotation", "later=1");
    await sandbox.ok(["push", second]);
    assert.deepEqual((await document(second)).annotations, { later: "1" });
    await build("annotated", "-t", second);
    await sandbox.ok(["push", second]);
    assert.equal((await document(second)).annotations, undefined);
  });

  test("what is said of an index makes one", async () => {
    const [name, again] = [`${registry.host}/annotated/index:1`, `${registry.host}/annotated/index:2`];
    await build("index", "-t", name, "--push", "--annotation", "index:a=b", "--annotation", "manifest-descriptor:c=d");
    const index = await document(name);
    assert.deepEqual([index.annotations, index.manifests?.map(({ annotations }) => annotations)], [{ a: "b" }, [{ c: "d" }]]);
    await sandbox.ok(["tag", name, again]);
    await sandbox.ok(["push", again]);
    assert.deepEqual(await document(again), index);
    assert.equal(await sandbox.ok(["run", "--rm", name, "cat", "/f"]), "index");
  });

  test("a push after one with zstd is gzip again", async () => {
    const name = `${registry.host}/compressed/app:1`;
    await build("compressed", "-t", name);
    const last = async (): Promise<string | undefined> => (await document(name)).layers?.at(-1)?.mediaType;
    await sandbox.ok(["push", "--compression", "zstd", name]);
    assert.equal(await last(), "application/vnd.oci.image.layer.v1.tar+zstd");
    await sandbox.ok(["push", name]);
    assert.equal(await last(), "application/vnd.oci.image.layer.v1.tar+gzip");
  });

  test("push-by-digest moves no tag, store=false keeps nothing", async () => {
    const name = `${registry.host}/bare/app`;
    const metadata = `${sandbox.directory}/bare.json`;
    await build("bare", "-o", `type=image,name=${name},push=true,push-by-digest=true,store=false`, "--metadata-file", metadata);
    const { "containerimage.digest": digest, "containerimage.descriptor": descriptor } = JSON.parse(readFileSync(metadata, "utf8")) as {
      readonly "containerimage.digest": string;
      readonly "containerimage.descriptor": { readonly platform: { readonly os: string } };
    };
    assert.equal(descriptor.platform.os, "linux");
    assert.equal((await document(`${name}@${digest}`)).mediaType, types[1]);
    assert.equal((await fetch(`${registry.url}/v2/bare/app/manifests/latest`)).status, 404);
    assert.equal(await sandbox.ok(["images", "-q", name]), "");
  });

  for (const type of ["oci", "docker"]) {
    test(`type=${type} compresses, annotates and names types as asked`, async () => {
      const dest = `${sandbox.directory}/${type}.tar`;
      await build("archive", "-o", `type=${type},dest=${dest},compression=zstd,force-compression=true,oci-mediatypes=false,annotation.a=b`);
      const { manifest, last } = layersOf(await members(dest));
      assert.deepEqual([manifest.mediaType, manifest.annotations], [types[2], { a: "b" }]);
      assert.deepEqual(
        manifest.layers?.map(({ mediaType }) => mediaType),
        ["application/vnd.docker.image.rootfs.diff.tar.zstd", "application/vnd.docker.image.rootfs.diff.tar.zstd"],
      );
      assert.ok(zstdDecompressSync(last).includes("archive"));
      const loaded = await sandbox.ok(["load", "-i", dest]);
      assert.equal(await sandbox.ok(["run", "--rm", loaded.split(" ").at(-1) ?? "", "cat", "/f"]), "archive");
    });
  }

  test("rewrite-timestamp: nothing of the build is newer than SOURCE_DATE_EPOCH, and the base stays", async () => {
    const dest = `${sandbox.directory}/times.tar`;
    const epoch = ["--build-arg", "SOURCE_DATE_EPOCH=1111111111"];
    await build("times", "-t", "times", ...epoch, "-o", `type=oci,dest=${dest},compression=gzip,rewrite-timestamp=true`);
    const { manifest, last } = layersOf(await members(dest));
    const times: [string, bigint][] = [];
    for await (const { entry } of readTarMembers(one(gunzipSync(last)))) times.push([entry.path, entry.mtimeNs]);
    assert.deepEqual(times, [["f", 1_111_111_111_000_000_000n]]);
    await build("times", "-t", "untouched", ...epoch);
    const base = JSON.parse(await sandbox.ok(["inspect", "-f", "{{json .RootFS.Layers}}", "busybox"])) as readonly string[];
    const loaded = await sandbox.ok(["load", "-i", dest]);
    const layers = JSON.parse(await sandbox.ok(["inspect", "-f", "{{json .RootFS.Layers}}", loaded.split(" ").at(-1) ?? ""])) as readonly string[];
    assert.deepEqual(layers.slice(0, base.length), base);
    assert.equal(manifest.layers?.length, base.length + 1);
  });
});

async function* one(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
