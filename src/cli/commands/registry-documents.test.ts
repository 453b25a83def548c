/** `manifest`, `buildx imagetools` and copies against a real registry; the texts are those that Docker and buildx print. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Slipway } from "../../engine/index.ts";
import {
  LayoutDraft,
  chunksOf,
  tarOf,
  tarOfBuffers,
  TestDirectory,
  registryAbsent,
  startDockerRegistry,
  type DockerRegistry,
} from "../../engine/transports/test-layout.ts";
import { digestOf } from "../../oci/digest.ts";
import { mediaTypes } from "../../oci/manifest.ts";
import { runInMemory, type Outcome } from "../memory-cli.ts";

describe("documents of a registry", { skip: registryAbsent }, () => {
  const directory = new TestDirectory();
  let engine: Slipway;
  let registry: DockerRegistry;
  let host = "";
  const draft = new LayoutDraft();
  const amd64 = draft.image([[{ path: "a", content: "amd64" }]], { os: "linux", architecture: "amd64" });
  const arm64 = draft.image([[{ path: "a", content: "arm64" }]], { os: "linux", architecture: "arm64" });
  draft.name(amd64, "amd64").name(arm64, "arm64").write(directory.at("images"));

  const plain = tarOf([{ path: "a", content: "plain" }]);
  const config = Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [digestOf(plain)] } }));
  const manifest = Buffer.from(JSON.stringify([{ Config: "c.json", RepoTags: ["plain:1"], Layers: ["l.tar"] }]));
  const layered = tarOfBuffers(
    new Map([
      ["c.json", config],
      ["manifest.json", manifest],
      ["l.tar", plain],
    ]),
  );

  const run = (...words: readonly string[]): Promise<Outcome> => runInMemory(words, { open: async () => engine, cwd: directory.path });
  const ok = async (...words: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...words);
    assert.equal(code, 0, stderr);
    return stdout;
  };

  before(async () => {
    engine = await Slipway.open({ root: directory.at("store") });
    registry = await startDockerRegistry();
    host = registry.host;
    await ok("copy", "oci:images:amd64", `${host}/one/amd64:1`);
    await ok("copy", "oci:images:arm64", `${host}/one/arm64:1`);
  });
  after(async () => {
    await engine.close();
    await registry[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  test("tags in the registry's order, filtered and limited", async () => {
    for (const tag of ["1.0", "1.1-alpine", "1.2-alpine", "latest"]) await ok("copy", "oci:images:amd64", `${host}/many/app:${tag}`);
    const all = (await ok("tags", `${host}/many/app`)).trimEnd().split("\n");
    assert.deepEqual(new Set(all), new Set(["1.0", "1.1-alpine", "1.2-alpine", "latest"]));
    const matching = all.filter((tag) => tag !== "1.0");
    assert.equal(await ok("tags", `${host}/many/app`, "--filter", "*-alpine", "--filter", "l*", "--limit", "2"), `${matching.slice(0, 2).join("\n")}\n`);
    assert.equal(await ok("tags", "--format", "json", `docker://${host}/many/app`, "--limit", "1"), `${JSON.stringify(all.slice(0, 1))}\n`);
    assert.equal(await ok("ls", `${host}/many/app:1.0`), "a\n");
    assert.match((await run("tags", `${host}/none/app`)).stderr, /repository .*none\/app not found/);
  });

  test("layers of the store that have no compressed form go to a registry compressed", async () => {
    const { result } = engine.images.load(chunksOf(layered));
    await result;
    await ok("copy", "-q", "plain:1", `${host}/plain/app:1`);
    assert.match(await ok("manifest", "inspect", `${host}/plain/app:1`), /tar\+gzip/);
    assert.equal(await ok("cat", `docker://${host}/plain/app:1:/a`), "plain");
  });

  test("a list is created, annotated, inspected, pushed and removed", async () => {
    const [list, first, second] = [`${host}/lists/app:1`, `${host}/one/amd64:1`, `${host}/one/arm64:1`];
    assert.equal(await ok("manifest", "create", list, first), `Created manifest list ${list}\n`);
    assert.deepEqual(await run("manifest", "create", list, second), {
      code: 1,
      stdout: "",
      stderr: "refusing to amend an existing manifest list with no --amend flag\n",
    });
    await ok("manifest", "create", "--amend", list, second);
    await ok("manifest", "annotate", list, second, "--variant", "v8", "--os-features", "a,b");
    const entry = (digest: string, size: number, platform: string): string =>
      `      {\n         "mediaType": "${mediaTypes.ociManifest}",\n         "size": ${size},\n         "digest": "${digest}",\n         "platform": {\n${platform}         }\n      }`;
    const head = `{\n   "schemaVersion": 2,\n   "mediaType": "${mediaTypes.ociIndex}",\n   "manifests": [\n`;
    const one = entry(amd64.digest, amd64.size, '            "architecture": "amd64",\n            "os": "linux"\n');
    const features = '            "os.features": [\n               "a",\n               "b"\n            ],\n';
    const two = entry(arm64.digest, arm64.size, `            "architecture": "arm64",\n            "os": "linux",\n${features}            "variant": "v8"\n`);
    const text = `${head}${one},\n${two}\n   ]\n}\n`;
    assert.equal(await ok("manifest", "inspect", list), text);
    const pushed = await ok("manifest", "push", "--purge", list);
    assert.match(pushed, new RegExp(`^Pushed ref ${host}/lists/app@${amd64.digest} with digest: ${amd64.digest}\nPushed ref [^\n]*\nsha256:[0-9a-f]{64}\n$`));
    assert.equal(await ok("manifest", "inspect", list), text);
    assert.deepEqual(await run("manifest", "rm", list), { code: 1, stdout: "", stderr: `No such manifest: ${list}\n` });
    assert.equal(await ok("cat", "--platform", "linux/arm64", `${list}:/a`), "arm64");
  });

  describe("refused in Docker's words", () => {
    const table: readonly { readonly words: (list: string, image: string) => readonly string[]; readonly want: (list: string, image: string) => string }[] = [
      {
        words: (list, image) => ["manifest", "annotate", list, image, "--arch", "nonsense"],
        want: () => "manifest entry for image has unsupported os/arch combination: linux/nonsense\n",
      },
      {
        words: (list) => ["manifest", "annotate", list, "nope:1", "--arch", "arm64"],
        want: (list) => `manifest for image docker.io/library/nope:1 does not exist in ${list}\n`,
      },
      {
        words: () => ["manifest", "create", "BAD", "x"],
        want: () => "error parsing name for manifest list BAD: invalid reference format: repository name (library/BAD) must be lowercase\n",
      },
      { words: (_, image) => ["manifest", "inspect", `${image}0`], want: (_, image) => `no such manifest: ${image}0\n` },
      { words: () => ["buildx", "imagetools", "create"], want: () => "ERROR: no sources specified\n" },
      { words: () => ["buildx", "imagetools", "create", "--append", "-t", "x"], want: () => "ERROR: no sources specified\n" },
      { words: () => ["buildx", "imagetools", "create", "--progress", "foo", "-t", "x", "y"], want: () => "ERROR: invalid progress mode foo\n" },
      { words: () => ["buildx", "imagetools", "create", "x"], want: () => "ERROR: can't push with no tags specified, please set --tag or --dry-run\n" },
      { words: () => ["buildx", "imagetools", "create", "-t", "x"], want: () => "ERROR: no sources specified\n" },
      { words: (_, image) => ["buildx", "imagetools", "inspect", `${image}0`], want: (_, image) => `ERROR: ${image}0: not found\n` },
    ];
    for (const [at, { words, want }] of table.entries()) {
      test(`${at}: ${words("LIST", "IMAGE").join(" ")}`, async () => {
        const [list, image] = [`${host}/lists/refused:${at}`, `${host}/one/amd64:1`];
        await ok("manifest", "create", list, image);
        assert.deepEqual(await run(...words(list, image)), { code: 1, stdout: "", stderr: want(list, image) });
      });
    }
  });

  test("imagetools makes an index, appends to it, and shows it", async () => {
    const tag = `${host}/tools/app:1`;
    const first = await run("buildx", "imagetools", "create", "-t", tag, `${host}/one/amd64:1`);
    const lines = first.stderr
      .replace(/ \d+\.\d+(?=s?( |$))/gm, " 0.0")
      .replace(/DONE \d.*s/, "DONE 0.0s")
      .replace(/pushing sha256:\S+/, "pushing DIGEST");
    const copying = `#1 0.0 copying ${amd64.digest} from ${host}/one/amd64:1 to ${tag}\n`;
    assert.equal(lines, `#1 [internal] pushing ${tag}\n${copying}#1 0.0 pushing DIGEST to ${tag}\n#1 DONE 0.0s\n`);
    assert.equal((await run("buildx", "imagetools", "create", "--progress", "quiet", "-t", tag, `${host}/one/amd64:1`)).stderr, "");
    await ok("buildx", "imagetools", "create", "--append", "-t", tag, `${host}/one/arm64:1`);
    const dryRun = await ok("buildx", "imagetools", "create", "--dry-run", `${host}/one/amd64:1`, `${host}/one/arm64:1`);
    assert.equal(await ok("buildx", "imagetools", "inspect", "--raw", tag), dryRun.trimEnd());
    const digest = (await ok("buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", tag)).trim();
    const blank = (width: number): string => " ".repeat(width);
    const entry = (each: string, platform: string): string =>
      `  Name:      ${tag}@${each}\n  MediaType: ${mediaTypes.ociManifest}\n  Platform:  linux/${platform}\n`;
    assert.equal(
      await ok("buildx", "imagetools", "inspect", tag),
      `Name:      ${tag}\nMediaType: ${mediaTypes.ociIndex}\nDigest:    ${digest}\n${blank(11)}\nManifests: \n${entry(amd64.digest, "amd64")}${blank(13)}\n${entry(arm64.digest, "arm64")}`,
    );
    const images = JSON.parse(await ok("buildx", "imagetools", "inspect", "--format", "{{json .Image}}", tag)) as object;
    assert.deepEqual(Object.keys(images), ["linux/amd64", "linux/arm64"]);
    const filtered = await ok("buildx", "imagetools", "create", "--dry-run", "--platform", "linux/arm64", "--annotation", "index:k=v", tag);
    const { manifests, annotations } = JSON.parse(filtered) as { readonly manifests: readonly { readonly digest: string }[]; readonly annotations: object };
    assert.deepEqual({ digests: manifests.map((each) => each.digest), annotations }, { digests: [arm64.digest], annotations: { k: "v" } });
  });

  test("blobs of a neighbouring repository are mounted; what refers to an image goes along where that is asked for, besides what is there", async () => {
    const sign = async (repository: string, name: string): Promise<void> => {
      const config = await registry.pushBlob(repository, Buffer.from("{}"), mediaTypes.ociEmpty);
      const layer = await registry.pushBlob(repository, gzipSync(name), "application/octet-stream");
      const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, artifactType: "x/note", config, layers: [{ ...layer, annotations: { name } }] };
      await engine.transfer.attach(`${host}/${repository}`, Buffer.from(JSON.stringify({ ...manifest, subject: amd64 })));
      await registry.pushManifest(repository, `${amd64.digest.replace(":", "-")}.sig`, Buffer.from(JSON.stringify(manifest)), mediaTypes.ociManifest);
    };
    await sign("one/amd64", "from the source");
    const plain = await run("copy", `docker://${host}/one/amd64:1`, `${host}/two/app:1`);
    assert.match(plain.stderr, /mounted from another repository/);
    assert.deepEqual(await engine.transfer.referrers(`${host}/two/app@${amd64.digest}`), []);
    await sign("two/app", "of the target");
    await ok("copy", "--referrers", `docker://${host}/one/amd64:1`, `${host}/two/app:1`);
    assert.equal((await engine.transfer.referrers(`${host}/two/app@${amd64.digest}`)).length, 2);
    const signatures = await ok("manifest", "inspect", `${host}/two/app:${amd64.digest.replace(":", "-")}.sig`);
    assert.deepEqual(signatures.match(/"name": "[^"]*"/g), ['"name": "of the target"', '"name": "from the source"']);
    assert.equal((await run("copy", "--referrers", `docker://${host}/one/amd64:1`, "oci:nowhere")).code, 1);
  });
});
