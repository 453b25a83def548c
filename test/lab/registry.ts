/** A registry of the distribution's own (package docker-registry) on a free port of the loopback, for one test. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../e2e/free-port.ts";

export interface Registry extends AsyncDisposable {
  /** "127.0.0.1:PORT" */
  readonly address: string;
  /** uploads the only image of a docker-archive by plain HTTP, without any program of ours; answers the manifest's digest */
  pushArchive(archive: string, repository: string, tag: string): Promise<string>;
}

export async function startRegistry(directory: string): Promise<Registry> {
  const address = `127.0.0.1:${await freePort()}`;
  const storage = path.join(directory, "registry");
  mkdirSync(storage);
  const config = path.join(directory, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${storage}}}\nhttp: {addr: ${address}}\n`,
  );
  const child = spawn("docker-registry", ["serve", config], { stdio: "ignore" });
  await untilItAnswers(`http://${address}/v2/`);
  return {
    address,
    pushArchive: (archive, repository, tag) => pushArchive(`http://${address}/v2/${repository}`, archive, tag),
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    },
  };
}

async function untilItAnswers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 2400; attempt += 1) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok === true) return;
    await delay(25);
  }
  throw new Error(`no registry came up at ${url}`);
}

interface Saved {
  readonly Config: string;
  readonly Layers: readonly string[];
}

async function pushArchive(base: string, archive: string, tag: string): Promise<string> {
  const member = (name: string): Buffer => execFileSync("tar", ["-xOf", archive, name], { maxBuffer: 1 << 28 });
  const [saved] = JSON.parse(member("manifest.json").toString()) as readonly [Saved];
  const upload = async (bytes: Buffer, mediaType: string): Promise<{ mediaType: string; digest: string; size: number }> => {
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    const begun = await fetch(`${base}/blobs/uploads/`, { method: "POST" });
    const location = new URL(begun.headers.get("location") ?? "", base);
    location.searchParams.set("digest", digest);
    const put = await fetch(location, { method: "PUT", body: new Uint8Array(bytes), headers: { "content-type": "application/octet-stream" } });
    assert.equal(put.status, 201);
    return { mediaType, digest, size: bytes.length };
  };
  const config = await upload(member(saved.Config), "application/vnd.oci.image.config.v1+json");
  const layers = [];
  for (const layer of saved.Layers) {
    const bytes = member(layer);
    const zipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
    layers.push(await upload(bytes, `application/vnd.oci.image.layer.v1.tar${zipped ? "+gzip" : ""}`));
  }
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers });
  const put = await fetch(`${base}/manifests/${tag}`, { method: "PUT", body: manifest, headers: { "content-type": mediaType } });
  assert.equal(put.status, 201);
  return put.headers.get("docker-content-digest") ?? "";
}
