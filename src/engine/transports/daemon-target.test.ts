/** Docker as a target: what it has is not sent. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { readTarMembers } from "../../tar/index.ts";
import { Slipway } from "../slipway.ts";
import { LayoutDraft, TestDirectory } from "./test-layout.ts";

/** As Docker with containerd's store: it loads an archive that lacks layers, and says which one it could not unpack. */
async function dockerWithout(socket: string): Promise<{ readonly calls: string[]; readonly present: Set<string> } & AsyncDisposable> {
  const [calls, present]: [string[], Set<string>] = [[], new Set()];
  const load = async (request: IncomingMessage): Promise<string> => {
    const files = new Map<string, Buffer>();
    for await (const { entry, content } of readTarMembers(request)) files.set(entry.path, Buffer.concat(await Array.fromAsync(content)));
    const [{ Layers: layers, RepoTags: names }] = JSON.parse(String(files.get("manifest.json"))) as [{ Layers: string[]; RepoTags: string[] }];
    calls.push(`load ${names[0]?.replace(/:[0-9a-f]{16}$/, ":ID")} with ${layers.filter((path) => files.has(path)).length} of ${layers.length} layers`);
    for (const path of layers) if (files.has(path)) present.add(path);
    const missing = layers.find((path) => !present.has(path));
    return missing === undefined ? "Loaded image\n" : `Error unpacking image x: content digest sha256:${missing.replace("blobs/sha256/", "")}: not found\n`;
  };
  const server = createServer((request, response) => {
    if (request.method !== "POST") {
      calls.push(`${request.method} ${request.url?.replace(/:[0-9a-f]{16}/, ":ID")}`);
      response.end("[]");
    } else void load(request).then((stream) => response.end(JSON.stringify({ stream })));
  });
  server.listen(socket);
  await once(server, "listening");
  return {
    calls,
    present,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}

test("a Docker daemon is sent the layers that it lacks", async () => {
  using directory = new TestDirectory();
  await using engine = await Slipway.open({ root: directory.at("store") });
  const layered = new LayoutDraft();
  const base = [{ path: "base", content: "base" }];
  layered.name(layered.image([base, [{ path: "one", content: "one" }]]), "one");
  layered.name(layered.image([base, [{ path: "two", content: "two" }]]), "two");
  layered.write(directory.at("layered"));
  await using daemon = await dockerWithout(directory.at("docker.sock"));
  const env = { DOCKER_HOST: `unix://${directory.at("docker.sock")}` };
  const send = async (tag: string): Promise<readonly string[]> => {
    daemon.calls.length = 0;
    await engine.transfer.copy(`oci:layered:${tag}`, `docker-daemon:${tag}:1`, { cwd: directory.path, env }).result;
    return [...daemon.calls];
  };
  const asked = "load slipway-asks-for-layers:ID with 0 of 2 layers";
  const forgotten = "DELETE /images/slipway-asks-for-layers:ID?force=1";
  assert.deepEqual(await send("one"), [asked, "load one:1 with 2 of 2 layers", forgotten]);
  assert.deepEqual(await send("two"), [asked, "load two:1 with 1 of 2 layers", forgotten]);
  assert.deepEqual(await send("two"), [asked, "load two:1 with 0 of 2 layers", forgotten]);
});
