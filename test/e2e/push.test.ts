/** Images sent to a registry of the distribution's own, and fetched from there by a store that knows nothing of them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { startRegistry } from "../lab/registry.ts";
import { createSandbox } from "./sandbox.ts";

const absent = spawnSync("docker-registry", ["--version"]).error !== undefined;

describe("push", { skip: absent ? "needs docker-registry (Debian package docker-registry)" : false }, async () => {
  if (absent) return;
  const sandbox = await createSandbox();
  const registry = await startRegistry(sandbox.directory);
  const other = await createSandbox({ base: false });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const host = registry.address;
  const id = async (box: typeof sandbox, ref: string): Promise<string> => await box.ok(["inspect", "-f", "{{.Id}}", ref]);

  test("what was built arrives as it is; again, nothing is sent", async () => {
    const name = `${host}/team/app:1`;
    await sandbox.build("FROM busybox\nRUN echo one >/one\nCOPY two /two\n", { two: "2" }, ["-t", name]);
    const first = await sandbox.ok(["push", name]);
    const lines = first.split("\n");
    assert.equal(lines[0], `The push refers to repository [${host}/team/app]`);
    assert.deepEqual(
      lines.slice(1, -1).map((line) => line.replace(/^[0-9a-f]{12}: /, "")),
      ["Waiting", "Waiting", "Waiting", "Pushed", "Pushed", "Pushed"],
    );
    assert.match(lines.at(-1) ?? "", /^1: digest: sha256:[0-9a-f]{64} size: \d+$/);
    const again = await sandbox.ok(["push", name]);
    assert.equal(again.match(/Layer already exists/g)?.length, 3);
    assert.equal(again.split("\n").at(-1), lines.at(-1));
    await other.ok(["pull", "-q", name]);
    assert.equal(await id(other, name), await id(sandbox, name));
    const digest = /sha256:[0-9a-f]{64}/.exec(lines.at(-1) ?? "")?.[0];
    assert.equal(await sandbox.ok(["inspect", "-f", "{{json .RepoDigests}}", name]), JSON.stringify([`${host}/team/app@${digest}`]));
    assert.equal(await other.ok(["push", "-q", name]), name);
  });

  test("a layer that the registry has in another repository is mounted; all tags go at once", async () => {
    const [one, two] = [`${host}/team/copy:1`, `${host}/team/copy:2`];
    for (const name of [one, two]) await sandbox.ok(["tag", `${host}/team/app:1`, name]);
    const stdout = await sandbox.ok(["push", "--all-tags", `${host}/team/copy`]);
    assert.equal(stdout.match(/Mounted from team\/app/g)?.length, 3);
    assert.deepEqual(stdout.match(/^\d: digest/gm), ["1: digest", "2: digest"]);
    await sandbox.ok(["tag", one, `${host}/team/copy`]);
    assert.equal(await sandbox.ok(["push", "-q", `${host}/team/copy`]), `${host}/team/copy:latest`);
  });

  test("build --push, several platforms, zstd", async () => {
    const name = `${host}/team/several:1`;
    const folder = sandbox.folder({ Dockerfile: "FROM scratch\nARG TARGETARCH\nCOPY f /for-$TARGETARCH\n", f: "x" });
    const output = `type=registry,name=${name},compression=zstd,force-compression=true`;
    const built = await sandbox.call(["build", "--progress=plain", "--platform", "linux/amd64,linux/arm64", "-o", output, folder]);
    assert.match(built.stderr, new RegExp(`pushing manifest for ${name}@sha256:`));
    const index = (await (
      await fetch(`http://${host}/v2/team/several/manifests/1`, { headers: { accept: "application/vnd.oci.image.index.v1+json" } })
    ).json()) as {
      readonly manifests: readonly { readonly digest: string; readonly platform: { readonly architecture: string } }[];
    };
    assert.deepEqual(
      index.manifests.map(({ platform }) => platform.architecture),
      ["amd64", "arm64"],
    );
    const manifest = (await (
      await fetch(`http://${host}/v2/team/several/manifests/${index.manifests[0]?.digest}`, {
        headers: { accept: "application/vnd.oci.image.manifest.v1+json" },
      })
    ).json()) as { readonly layers: readonly { readonly mediaType: string }[] };
    assert.deepEqual(
      manifest.layers.map(({ mediaType }) => mediaType),
      ["application/vnd.oci.image.layer.v1.tar+zstd"],
    );
    await other.ok(["pull", "-q", "--platform", "linux/arm64", name]);
  });

  const types: readonly (readonly [compression: string, layer: string])[] = [
    ["gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip"],
    ["zstd", "application/vnd.docker.image.rootfs.diff.tar.zstd"],
    ["uncompressed", "application/vnd.docker.image.rootfs.diff.tar"],
    ["estargz", "application/vnd.oci.image.layer.v1.tar+gzip"],
  ];
  for (const [compression, layer] of types) {
    test(`oci-mediatypes=false with ${compression}`, async () => {
      const name = `${host}/team/old:${compression}`;
      const metadataFile = `${sandbox.directory}/${compression}.json`;
      const output = `type=registry,name=${name},oci-mediatypes=false,compression=${compression},force-compression=true`;
      await sandbox.build("FROM scratch\nCOPY f /\n", { f: compression }, ["-o", output, "--metadata-file", metadataFile]);
      const accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json";
      const response = await fetch(`http://${host}/v2/team/old/manifests/${compression}`, { headers: { accept } });
      const metadata = JSON.parse(readFileSync(metadataFile, "utf8")) as Readonly<Record<string, string>>;
      assert.equal(metadata["containerimage.digest"], response.headers.get("docker-content-digest"));
      const manifest = (await response.json()) as { readonly mediaType: string; readonly layers: readonly { readonly mediaType: string }[] };
      assert.equal(response.headers.get("content-type"), manifest.mediaType);
      const kind = compression === "estargz" ? "application/vnd.oci.image.manifest.v1+json" : "application/vnd.docker.distribution.manifest.v2+json";
      assert.deepEqual([manifest.mediaType, ...manifest.layers.map(({ mediaType }) => mediaType)], [kind, layer]);
      await other.ok(["pull", "-q", name]);
      assert.equal(await id(other, name), metadata["containerimage.config.digest"]);
      const files = other.folder({});
      await other.ok(["build", "-q", "-o", files, other.folder({ Dockerfile: `FROM ${name}\n` })]);
      assert.equal(readFileSync(`${files}/f`, "utf8"), compression);
    });
  }

  test("a layer that was changed in the store is told from one that the registry does not want", async () => {
    const pushed = `${host}/team/whole:1`;
    await sandbox.build("FROM scratch\nCOPY f /\n", { f: "whole" }, ["-t", pushed]);
    await sandbox.ok(["push", "-q", pushed]);
    const reader = await createSandbox({ base: false });
    await using elsewhere = await startRegistry(reader.directory);
    await reader.ok(["pull", "-q", pushed]);
    const layer = readdirSync(`${reader.store}/blobs/sha256`)
      .map((name) => `${reader.store}/blobs/sha256/${name}`)
      .find((path) => readFileSync(path)[0] === 0x1f);
    const bytes = readFileSync(layer ?? "");
    bytes[bytes.length - 1] = ~(bytes.at(-1) ?? 0);
    writeFileSync(layer ?? "", bytes);
    const name = `${elsewhere.address}/team/changed:1`;
    await reader.ok(["tag", pushed, name]);
    const { code, stderr } = await reader.call(["push", name]);
    assert.equal(code, 1);
    assert.match(stderr, /blob sha256:[0-9a-f]{64}: got sha256:[0-9a-f]{64} after \d+ bytes\n/);
    await reader[Symbol.asyncDispose]();
  });

  test("eStargz is an ordinary image to us, with a table of contents for others", async () => {
    const name = `${host}/team/lazy:1`;
    await sandbox.build("FROM scratch\nCOPY f g /d/\n", { f: "text", g: "" }, ["-t", name]);
    await sandbox.ok(["push", "--compression", "estargz", name]);
    const manifest = (await (
      await fetch(`http://${host}/v2/team/lazy/manifests/1`, { headers: { accept: "application/vnd.oci.image.manifest.v1+json" } })
    ).json()) as { readonly layers: readonly { readonly mediaType: string; readonly annotations: Readonly<Record<string, string>> }[] };
    assert.equal(manifest.layers[0]?.mediaType, "application/vnd.oci.image.layer.v1.tar+gzip");
    assert.match(manifest.layers[0]?.annotations["containerd.io/snapshot/stargz/toc.digest"] ?? "", /^sha256:[0-9a-f]{64}$/);
    const before = await id(sandbox, name);
    await other.ok(["pull", "-q", name]);
    assert.notEqual(await id(other, name), before);
    assert.equal(await id(sandbox, name), before);
    const files = other.folder({});
    await other.ok(["build", "-q", "-o", files, other.folder({ Dockerfile: `FROM ${name}\n` })]);
    assert.equal(readFileSync(`${files}/d/f`, "utf8"), "text");
    assert.equal(existsSync(`${files}/stargz.index.json`), false);
  });

  const failures: readonly (readonly [args: readonly string[], stderr: RegExp])[] = [
    [["push", `${host}/none:1`], /^tag does not exist: \S+\/none:1\n$/],
    [["push", "-a", `${host}/none`], /^An image does not exist locally with the tag: \S+\/none\n$/],
    [["push", "-a", `${host}/none:1`], /^tag can't be used with --all-tags\/-a\n$/],
    [["push", "--platform", "nope", "UPPER"], /^Invalid platform nope"nope": unknown operating system or architecture: invalid argument\n$/],
    [["push", "UPPER"], /^invalid reference format: repository name \(library\/UPPER\) must be lowercase\n$/],
    [["push", "--compression", "lzma", `${host}/none:1`], /^invalid compression "lzma"/],
  ];
  for (const [args, stderr] of failures) {
    test(`fails: ${args.join(" ").replace(host, "HOST")}`, async () => {
      const outcome = await sandbox.call(args);
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, stderr);
    });
  }
});
