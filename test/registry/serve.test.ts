/** `slipway registry serve` as users run it: passwords, a kill in the middle of an upload, a graceful end. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { hostPlatform } from "../../src/oci/platform.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { quickClient, readAll } from "../../src/registry/fixtures/loopback-server.ts";
import { resolveImage } from "../../src/registry/index.ts";
import { serve } from "./serve-program.ts";

const program = path.resolve(import.meta.dirname, "../../bin/slipway");
const blob = Buffer.alloc(1 << 20, "slipway ");
const digest = `sha256:${createHash("sha256").update(blob).digest("hex")}`;

async function inDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-serve-"));
  try {
    await work(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("an upload goes on after the server was killed, and nothing else is left", () =>
  inDirectory(async (directory) => {
    await using killed = await serve(directory);
    const begun = await fetch(`${killed.url}/v2/a/blobs/uploads/`, { method: "POST" });
    const location = begun.headers.get("location") ?? "";
    assert.equal((await fetch(killed.url + location, { method: "PATCH", body: blob.subarray(0, 1000) })).status, 202);
    await killed.end("SIGKILL");
    writeFileSync(path.join(directory, "data/temporary/half"), "x");

    await using again = await serve(directory);
    assert.equal((await fetch(again.url + location)).headers.get("range"), "0-999");
    const rest = { method: "PUT", body: blob.subarray(1000), headers: { "content-range": `1000-${blob.length - 1}` } };
    assert.equal((await fetch(`${again.url}${location}?digest=${digest}`, rest)).status, 201);
    assert.deepEqual(Buffer.from(await (await fetch(`${again.url}/v2/a/blobs/${digest}`)).arrayBuffer()), blob);
    assert.equal(await again.end("SIGTERM"), 0);
    const files = globSync("**/*", { cwd: path.join(directory, "data"), withFileTypes: true }).filter((one) => one.isFile());
    assert.deepEqual(files.map(({ name }) => name).toSorted(), [digest.slice(7), "lock", digest].toSorted());
  }));

test("the store's images by their names", () =>
  inDirectory(async (directory) => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: directory, SLIPWAY_ROOT: path.join(directory, "store") };
    const build = (text: string): void => {
      writeFileSync(path.join(directory, "Dockerfile"), `FROM scratch\nCOPY Dockerfile /\nLABEL a=${text}\n`);
      execFileSync(program, ["build", "-q", "-t", "team/app:1", directory], { env, stdio: "ignore" });
    };
    build("one");
    await using server = await serve(directory, "--images");
    const reference = parseReference(`${new URL(server.url).host}/team/app:1`);
    await using client = quickClient();
    const label = async (): Promise<string | undefined> => (await resolveImage(client, reference, hostPlatform())).config.config.Labels?.["a"];
    assert.equal(await label(), "one");
    const { manifest } = await resolveImage(client, reference, hostPlatform());
    for (const layer of manifest.layers) assert.ok((await readAll(client.openBlob(reference, layer))).length > 0);
    build("two");
    assert.equal(await label(), "two");
    assert.deepEqual(await client.listTags(reference), ["1"]);
    assert.deepEqual(await (await fetch(`${server.url}/v2/_catalog`)).json(), { repositories: ["team/app"] });
    assert.equal(await server.end("SIGTERM"), 0);
  }));

test("what is pushed is an image of the store, until it is deleted", () =>
  inDirectory(async (directory) => {
    const env = { PATH: process.env["PATH"] ?? "", HOME: directory, SLIPWAY_ROOT: path.join(directory, "store") };
    const elsewhere = { ...env, SLIPWAY_ROOT: path.join(directory, "elsewhere") };
    const run = (words: readonly string[], at = env): string => execFileSync(program, words, { env: at, encoding: "utf8" }).trim();
    await using server = await serve(directory, "--images", "--delete");
    const { host } = new URL(server.url);
    writeFileSync(path.join(directory, "Dockerfile"), "FROM scratch\nARG TARGETARCH\nCOPY Dockerfile /for-$TARGETARCH\n");
    const platforms = ["--platform", "linux/amd64,linux/arm64"];
    run(["build", "-q", ...platforms, "-t", `${host}/team/app:1`, "--push", directory], elsewhere);
    run(["build", "-q", "-t", `${host}/one:1`, "--push", directory], elsewhere);
    const digest = (name: string): string => run(["buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", name], elsewhere);
    const pushed = digest(`${host}/team/app:1`);
    assert.equal(run(["images", "--format", "{{.Repository}}:{{.Tag}}"]), "one:1\nteam/app:1");
    assert.equal(run(["ls", "--platform", "linux/arm64", "team/app:1:/"]), "for-arm64");
    assert.equal(run(["copy", "-q", "store:team/app:1", `oci:${directory}/layout`]), pushed);
    // tagged anew in the store, it is the registry's under that name too, by this server's address as well
    run(["tag", "one:1", `${host}/again:2`]);
    assert.equal(digest(`${host}/again:2`), digest(`${host}/one:1`));
    assert.deepEqual(await (await fetch(`${server.url}/v2/_catalog`)).json(), { repositories: ["again", "one", "team/app"] });
    assert.equal((await fetch(`${server.url}/v2/team/app/manifests/${pushed}`, { method: "DELETE" })).status, 202);
    assert.equal((await fetch(`${server.url}/v2/one/manifests/1`, { method: "DELETE" })).status, 202);
    assert.equal(run(["images", "--format", "{{.Repository}}:{{.Tag}}"]), `${host}/again:2`);
    assert.equal((await fetch(`${server.url}/v2/team/app/tags/list`)).status, 404);
    assert.equal(await server.end("SIGTERM"), 0);
  }));

test("one server at a time works on a directory", () =>
  inDirectory(async (directory) => {
    await using _ = await serve(directory);
    await assert.rejects(serve(directory), /ended with 1: .*another server works on/s);
  }));

test("passwords from an htpasswd file, and a line for every request", () =>
  inDirectory(async (directory) => {
    const file = path.join(directory, "users");
    // ann's is "secret"
    writeFileSync(file, "# users\nann:$2b$05$3.a90svtjCg3lnI18xyTfemHAb6lDf33Ioxy7u6O5bCg7dDUrqTAu\n");
    await using server = await serve(directory, "--htpasswd", file, "--log");
    const status = async (word?: string): Promise<number> =>
      (await fetch(`${server.url}/v2/`, word === undefined ? {} : { headers: { authorization: `Basic ${btoa(word)}` } })).status;
    assert.deepEqual([await status(), await status("ann:wrong"), await status("bob:secret"), await status("ann:secret")], [401, 401, 401, 200]);
    assert.equal(await server.end("SIGTERM"), 0);
    assert.match(server.stderr(), /^127\.0\.0\.1 \[.*\] "GET \/v2\/" 401 \d+ \d+ms\n/);
    assert.equal(server.stderr().trim().split("\n").length, 4);

    writeFileSync(file, "ann:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
    await assert.rejects(serve(directory, "--htpasswd", file), /users:1: not a user with a bcrypt hash/);
  }));
