/** Images that were built here, in other people's programs, and theirs here. Absent programs skip with a line. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { findPeer, type PeerName } from "../lab/peers.ts";
import { createSandbox } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const name = `slipway-interop:${process.pid}`;
await sandbox.build(
  'FROM busybox\nENV WHO=world\nRUN mkdir /d && echo "hello" >/d/f && rm /bin/vi\nCOPY --chown=5:6 c /c\nCMD ["sh", "-c", "cat /d/f /c; echo $WHO; ls /bin/vi 2>/dev/null || echo gone"]',
  { c: "copied\n" },
  ["-t", name],
);
const archive = path.join(sandbox.directory, "interop.tar");
await sandbox.ok(["save", "-o", archive, name]);
const printed = "hello\ncopied\nworld\ngone\n";

const both = ["amd64", "arm64"] as const;
const several = `slipway-interop-several:${process.pid}`;
const severalContext = sandbox.folder({ Dockerfile: "FROM scratch\nARG TARGETARCH\nLABEL arch=$TARGETARCH\nCOPY f /for-$TARGETARCH\n", f: "x" });
const severalArchive = path.join(sandbox.directory, "several.tar");
await sandbox.ok(["build", "-q", "--platform", both.map((arch) => `linux/${arch}`).join(), "-t", several, severalContext]);
await sandbox.ok(["save", "-o", severalArchive, several]);

const need = (peer: PeerName): { readonly skip: string | false } => {
  const found = findPeer(peer);
  return { skip: typeof found === "string" ? found : false };
};
const use = (peer: PeerName, args: readonly string[], input?: Uint8Array): string => {
  const found = findPeer(peer);
  assert.ok(typeof found !== "string");
  const result = found.call(args, input);
  assert.equal(result.status, 0, `${peer} ${args.join(" ")}:\n${result.stdout}${result.stderr}`);
  return result.stdout;
};

for (const engine of ["docker", "podman"] as const) {
  test(`save → ${engine} load → run`, need(engine), () => {
    assert.match(use(engine, ["load"], readFileSync(archive)), /Loaded image:/);
    assert.equal(use(engine, ["run", "--rm", "--network", "none", name]), printed);
    use(engine, ["rmi", "-f", name]);
  });
}

test("docker build → docker save → load → run", need("docker"), async () => {
  const tag = `slipway-interop-back:${process.pid}`;
  use("docker", ["load"], readFileSync(archive));
  use("docker", ["build", "-q", "-t", tag, "-"], Buffer.from(`FROM ${name}\nRUN echo more >>/d/f\n`));
  const saved = findPeer("docker");
  assert.ok(typeof saved !== "string");
  const [program, ...words] = [...saved.words, "save", tag];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  await sandbox.ok(["load"], { input: Buffer.concat(chunks) });
  assert.equal(await sandbox.ok(["run", "--rm", tag, "cat", "/d/f"]), "hello\nmore");
  use("docker", ["rmi", "-f", tag, name]);
});

test("skopeo reads both halves of a saved archive", need("skopeo"), () => {
  for (const transport of ["docker-archive", "oci-archive"]) {
    const config = JSON.parse(use("skopeo", ["inspect", "--config", `${transport}:${archive}`])) as { readonly config: { readonly Env: readonly string[] } };
    assert.ok(config.config.Env.includes("WHO=world"), transport);
  }
});

for (const engine of ["docker", "podman"] as const) {
  test(`save of several platforms → ${engine} load`, need(engine), () => {
    assert.match(use(engine, ["load"], readFileSync(severalArchive)), /Loaded image:/);
    assert.match(use(engine, ["image", "inspect", "-f", "{{.Architecture}}", several]), /^(?:amd64|arm64)$/m);
    use(engine, ["rmi", "-f", several]);
  });
}

test("skopeo finds every platform of a saved archive, and every blob as it is described", need("skopeo"), () => {
  const index = JSON.parse(use("skopeo", ["inspect", "--raw", `oci-archive:${severalArchive}`])) as {
    readonly manifests: readonly { readonly platform: { readonly architecture: string } }[];
  };
  assert.deepEqual(
    index.manifests.map(({ platform }) => platform.architecture),
    both,
  );
  const copy = path.join(sandbox.directory, "several-copy");
  use("skopeo", ["--insecure-policy", "copy", "--all", `oci-archive:${severalArchive}`, `oci:${copy}:1`]);
  const config = JSON.parse(use("skopeo", ["--override-arch", "arm64", "inspect", "--config", `oci:${copy}:1`])) as { readonly architecture: string };
  assert.equal(config.architecture, "arm64");
});

test("several platforms built by docker → docker save → load", need("docker"), async (t) => {
  const docker = findPeer("docker");
  assert.ok(typeof docker !== "string");
  const tag = `slipway-interop-several-back:${process.pid}`;
  const dockerfile = Buffer.from("FROM scratch\nARG TARGETARCH\nLABEL arch=$TARGETARCH\nCOPY <<E /f\n$TARGETARCH\nE\n");
  const built = docker.call(["build", "-q", "--platform", "linux/amd64,linux/arm64", "-t", tag, "-"], dockerfile);
  // the classic image store keeps one platform
  if (built.status !== 0) return t.skip("this Docker builds for one platform at a time");
  const [program, ...words] = [...docker.words, "save", tag];
  const child = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) chunks.push(chunk);
  await sandbox.ok(["load"], { input: Buffer.concat(chunks) });
  for (const arch of both) assert.equal(await sandbox.ok(["image", "inspect", "--platform", `linux/${arch}`, "-f", "{{.Config.Labels.arch}}", tag]), arch);
  use("docker", ["rmi", "-f", tag]);
});

test("umoci unpacks an exported layout", need("umoci"), async () => {
  const layout = path.join(sandbox.directory, "layout");
  const context = sandbox.folder({ Dockerfile: `FROM ${name}\n` });
  await sandbox.ok(["build", "-q", "-t", "layout:1", "-o", `type=oci,tar=false,dest=${layout}`, context]);
  const bundle = path.join(sandbox.directory, "bundle");
  const index = JSON.parse(readFileSync(path.join(layout, "index.json"), "utf8")) as {
    readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
  };
  const reference = index.manifests[0]?.annotations?.["org.opencontainers.image.ref.name"] ?? "";
  use("umoci", ["unpack", "--image", `${layout}:${reference}`, bundle]);
  assert.equal(readFileSync(path.join(bundle, "rootfs/d/f"), "utf8"), "hello\n");
});

test("pull from a registry by way of registries.conf", need("docker-registry"), async () => {
  const { startRegistry } = await import("../lab/registry.ts");
  await using registry = await startRegistry(sandbox.directory);
  const skopeo = findPeer("skopeo");
  const copied =
    typeof skopeo === "string"
      ? await registry.pushArchive(archive, "library/interop", "1")
      : use("skopeo", ["copy", "--dest-tls-verify=false", `docker-archive:${archive}`, `docker://${registry.address}/library/interop:1`]);
  assert.notEqual(copied, undefined);
  const conf = path.join(sandbox.directory, "mirror.conf");
  writeFileSync(conf, `[[registry]]\nprefix = "docker.io"\nlocation = "docker.io"\n[[registry.mirror]]\nlocation = "${registry.address}"\ninsecure = true\n`);
  const env = { CONTAINERS_REGISTRIES_CONF: conf };
  assert.match(await sandbox.ok(["pull", "interop:1"], { env }), /Status: Downloaded newer image for interop:1/);
  assert.equal(await sandbox.ok(["run", "--rm", "interop:1"]), printed.trimEnd());
  assert.match(await sandbox.ok(["pull", "interop:1"], { env }), /Status: Image is up to date for interop:1/);
  await sandbox.ok(["build", "-q", "--pull", sandbox.folder({ Dockerfile: "FROM interop:1\nRUN test -f /d/f\n" })], { env });
  await using other = await createSandbox({ base: false, env });
  await other.build("FROM interop:1\nRUN test -f /d/f\n");
});
