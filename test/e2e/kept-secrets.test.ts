/** What a build is told in confidence is in nothing that it leaves: the store, the registry, its output, what it says of the image. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { serve } from "../registry/serve-program.ts";
import { createSandbox } from "./sandbox.ts";

const { createServer } = process.getBuiltinModule("node:http");

const sandbox = await createSandbox();
const registry = await serve(sandbox.directory);
const files = createServer(({ headers }, response) => {
  response.writeHead(headers.authorization === `Basic ${Buffer.from("ann:MARKaddress").toString("base64")}` ? 200 : 401).end("content");
}).listen(0, "127.0.0.1");
await once(files, "listening");
after(async () => {
  files.closeAllConnections();
  files.close();
  await registry[Symbol.asyncDispose]();
  await sandbox[Symbol.asyncDispose]();
});
const port = (files.address() as AddressInfo).port;
const host = new URL(registry.url).host;

const base64 = /[A-Za-z0-9+/]{24,}={0,2}/g;

/** The marks in bytes, also in what is compressed or written as base64 in them, four deep. */
function marksIn(bytes: Buffer, depth = 0): readonly string[] {
  const text = unpacked(bytes).toString("latin1");
  const inner = depth === 4 ? [] : (text.match(base64) ?? []).flatMap((word) => marksIn(Buffer.from(word, "base64"), depth + 1));
  return [...(text.match(/MARK[a-z]+/g) ?? []), ...inner];
}

function unpacked(bytes: Buffer): Buffer {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes);
  } catch {
    return bytes;
  }
}

function marksBelow(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .flatMap((file) => [...new Set(marksIn(readFileSync(file)))].map((mark) => `${file}: ${mark}`));
}

const context = {
  Dockerfile: `FROM busybox
RUN --mount=type=secret,id=a --mount=type=secret,id=b,env=B test -s /run/secrets/a -a -n "$B" -a -n "$HTTP_PROXY"
ADD http://ann:MARKaddress@127.0.0.1:${port}/file /file
`,
};

test("secrets, proxies' passwords and those in addresses", async () => {
  const home = path.join(sandbox.directory, "home");
  await sandbox.ok(["key", "generate", "-o", path.join(home, "k")], { env: { SLIPWAY_KEY_PASSWORD: "MARKkey" } });
  writeFileSync(path.join(home, "a"), "MARKfile");
  const env = { SLIPWAY_KEY_PASSWORD: "MARKkey", B: "MARKvariable", HTTP_PROXY: "http://ann:MARKproxy@127.0.0.1:1", NO_PROXY: "127.0.0.1" };
  const secrets = ["--secret", `id=a,src=${path.join(home, "a")}`, "--secret", "id=b,env=B", "--build-arg", "HTTP_PROXY=http://ann:MARKargument@127.0.0.1:1"];
  const said = ["--provenance=mode=max", "--sbom", "--push", "--sign", "--key", path.join(home, "k.key"), "--metadata-file", path.join(home, "meta.json")];
  const outputs: string[] = [];
  for (const progress of ["plain", "rawjson"]) {
    const words = ["build", `--progress=${progress}`, "--no-cache", ...secrets, ...said, "-t", `${host}/app:1`, sandbox.folder(context)];
    const { code, stdout, stderr } = await sandbox.call(words, { env: { ...env, BUILDX_NO_DEFAULT_ATTESTATIONS: "" } });
    assert.equal(code, 0, stderr);
    outputs.push(stdout, stderr);
  }
  for (const words of [["history", "--no-trunc"], ["inspect"], ["sbom", "--format", "spdx-json"]]) outputs.push(await sandbox.ok([...words, `${host}/app:1`]));
  outputs.push(readFileSync(path.join(home, "meta.json"), "utf8"), await sandbox.ok(["builder", "du", "--verbose"]));
  for (const output of outputs) assert.deepEqual(marksIn(Buffer.from(output)), []);
  assert.match(outputs[0] + outputs[1]!, /ADD http:\/\/xxxxx:xxxxx@127/);
  assert.match(outputs[4]!, /ADD http:\/\/xxxxx:xxxxx@127/);
  assert.deepEqual(marksBelow(sandbox.store), []);
  assert.deepEqual(marksBelow(path.join(sandbox.directory, "data")), []);
});
