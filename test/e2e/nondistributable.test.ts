/** Layers that their publisher lets nobody pass on: named in the manifest, and sent to registries that are to get them. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, test } from "node:test";
import { digestOf } from "../../src/oci/digest.ts";
import { startRegistry } from "../../src/testing/index.ts";
import { createSandbox } from "./sandbox.ts";

const manifestType = "application/vnd.oci.image.manifest.v1+json";

test("they are sent where a flag or daemon.json says so", async () => {
  const sandbox = await createSandbox();
  const registry = await startRegistry();
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const layout = `${sandbox.directory}/layout`;
  const blob = (digest: string): string => `${layout}/blobs/sha256/${digest.slice("sha256:".length)}`;
  await sandbox.build("FROM scratch\nCOPY f /f\n", { f: "mine alone" }, ["-o", `type=oci,dest=${layout},tar=false,compression=gzip`]);
  const index = JSON.parse(readFileSync(`${layout}/index.json`, "utf8")) as { manifests: { digest: string; size: number }[] };
  const manifest = JSON.parse(readFileSync(blob(index.manifests[0]?.digest ?? ""), "utf8")) as { layers: { mediaType: string; digest: string }[] };
  const layers = manifest.layers.map((layer) => ({ ...layer, mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" }));
  const bytes = JSON.stringify({ ...manifest, layers });
  writeFileSync(blob(digestOf(bytes)), bytes);
  writeFileSync(
    `${layout}/index.json`,
    JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: manifestType, digest: digestOf(bytes), size: bytes.length }] }),
  );
  await sandbox.ok(["copy", "-q", `oci:${layout}`, "store:kept:1"]);
  const isSent = async (repository: string): Promise<boolean> => {
    const found = await fetch(`${registry.url}/v2/${repository}/manifests/1`, { headers: { accept: manifestType } });
    assert.equal(digestOf(await found.text()), digestOf(bytes));
    return (await fetch(`${registry.url}/v2/${repository}/blobs/${layers[0]?.digest}`, { method: "HEAD" })).status === 200;
  };
  const push = async (repository: string, ...flags: readonly string[]): Promise<boolean> => {
    const name = `${registry.host}/${repository}:1`;
    await sandbox.ok(["tag", "kept:1", name]);
    await sandbox.ok(["push", ...flags, name]);
    return await isSent(repository);
  };
  assert.equal(await push("plain"), false);
  assert.equal(await push("flag", "--allow-nondistributable-artifacts"), true);
  const config = `${sandbox.directory}/config`;
  mkdirSync(`${config}/docker`, { recursive: true });
  writeFileSync(`${config}/docker/daemon.json`, JSON.stringify({ "allow-nondistributable-artifacts": ["127.0.0.0/8"] }));
  await sandbox.ok(["tag", "kept:1", `${registry.host}/said:1`]);
  const outcome = await sandbox.call(["push", `${registry.host}/said:1`], { env: { XDG_CONFIG_HOME: config } });
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.equal(await isSent("said"), true);
});
