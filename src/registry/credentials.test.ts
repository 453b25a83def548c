import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { diskConfigFiles } from "./config-files.ts";
import { createHelperRunner } from "./credential-helper.ts";
import { createCredentialSource, parseAuthFile, readMetaHeaders } from "./credentials.ts";

const dir = mkdtempSync(join(tmpdir(), "slipway-credentials-"));
after(() => rmSync(dir, { recursive: true }));
const base64 = (text: string): string => Buffer.from(text).toString("base64");

function source(files: Readonly<Record<string, unknown>>, env: Record<string, string> = {}) {
  const asked: [string, string][] = [];
  const run = (helper: string, server: string) => {
    asked.push([helper, server]);
    if (helper === "empty") return Promise.resolve(undefined);
    return Promise.resolve(helper === "token" ? { username: "<token>", secret: "id" } : { username: `${helper}-user`, secret: "s" });
  };
  const readText = (path: string): string | undefined => (path in files ? JSON.stringify(files[path]) : undefined);
  const credentials = createCredentialSource(env, "/h", { readText, list: () => [] }, run);
  return { asked, lookup: (host: string, repository = "a/b") => credentials.lookup(host, repository) };
}

describe("lookup", () => {
  const docker = "/h/.docker/config.json";
  const basic = (username: string, password = "p") => ({ kind: "basic", username, password });
  const auths = (entries: Record<string, object>) => ({ [docker]: { auths: entries } });
  const table: readonly [name: string, files: Record<string, unknown>, host: string, want: unknown, env?: Record<string, string>][] = [
    ["nothing anywhere", {}, "docker.io", undefined],
    ["Docker Hub under its old address", auths({ "https://index.docker.io/v1/": { auth: base64("u:p") } }), "docker.io", basic("u")],
    [
      "Docker Hub after Docker's web-based login",
      auths({
        "https://index.docker.io/v1/": { auth: base64("u:p") },
        "https://index.docker.io/v1/access-token": { auth: base64("u:access") },
        "https://index.docker.io/v1/refresh-token": { auth: base64("u:refresh") },
      }),
      "docker.io",
      basic("u"),
    ],
    ["Docker Hub under its name", auths({ "docker.io": { auth: base64("u:p") } }), "docker.io", basic("u")],
    ["a host written as an address", auths({ "https://r.example:5000/v2/": { auth: base64("u:p") } }), "r.example:5000", basic("u")],
    ["another port is another registry", auths({ "r.example:5000": { auth: base64("u:p") } }), "r.example:5001", undefined],
    ["a password with a colon, padded with NUL", auths({ "r.example": { auth: base64("u:p:q\0\0") } }), "r.example", basic("u", "p:q")],
    ["fields of their own", auths({ "r.example": { username: "u", password: "p" } }), "r.example", basic("u")],
    ["an identity token", auths({ "r.example": { auth: base64("u:"), identitytoken: "id" } }), "r.example", { kind: "identity", token: "id", username: "u" }],
    ["a registry token", auths({ "r.example": { registrytoken: "rt" } }), "r.example", { kind: "bearer", token: "rt" }],
    ["an empty entry", auths({ "r.example": {} }), "r.example", undefined],
    [
      "the most precise key",
      auths({ "r.example": { auth: base64("u:p") }, "r.example/a": { auth: base64("team:p") }, "r.example/a/bc": { auth: base64("no:p") } }),
      "r.example",
      basic("team"),
    ],
    ["DOCKER_CONFIG", { "/d/config.json": { auths: { "r.example": { auth: base64("d:p") } } } }, "r.example", basic("d"), { DOCKER_CONFIG: "/d" }],
    [
      "REGISTRY_AUTH_FILE first",
      { "/f": { auths: { "r.example": { auth: base64("f:p") } } }, ...auths({ "r.example": { auth: base64("u:p") } }) },
      "r.example",
      basic("f"),
      { REGISTRY_AUTH_FILE: "/f" },
    ],
    [
      "DOCKER_AUTH_CONFIG before all files",
      auths({ "r.example": { auth: base64("u:p") } }),
      "r.example",
      basic("ci"),
      { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { "r.example": { auth: base64("ci:p") } } }) },
    ],
    ["DOCKER_AUTH_CONFIG that knows another host only", auths({ "r.example": { auth: base64("u:p") } }), "r.example", basic("u"), { DOCKER_AUTH_CONFIG: "{}" }],
    [
      "the containers tools' file last",
      { "/run/u/containers/auth.json": { auths: { "r.example": { auth: base64("c:p") } } } },
      "r.example",
      basic("c"),
      { XDG_RUNTIME_DIR: "/run/u" },
    ],
    ["a helper for the host", { [docker]: { credHelpers: { "r.example": "one" }, credsStore: "two" } }, "r.example", basic("one-user", "s")],
    ["the store for all others", { [docker]: { credHelpers: { "r.example": "one" }, credsStore: "two" } }, "other.example", basic("two-user", "s")],
    ["a helper's token", { [docker]: { credsStore: "token" } }, "r.example", { kind: "identity", token: "id" }],
    [
      "a helper that knows nothing, and a file that does",
      { [docker]: { credsStore: "empty", auths: { "r.example": { auth: base64("u:p") } } } },
      "r.example",
      basic("u"),
    ],
  ];
  for (const [name, files, host, want, env] of table) {
    test(name, async () => assert.deepEqual(await source(files, env).lookup(host), want));
  }

  test("a helper is asked for Docker Hub under the old address", async () => {
    const { asked, lookup } = source({ [docker]: { credsStore: "two", credHelpers: { "docker.io": "one" } } });
    await lookup("docker.io");
    await lookup("r.example");
    assert.deepEqual(asked, [
      ["one", "https://index.docker.io/v1/"],
      ["two", "r.example"],
    ]);
  });
});

test("a broken file is named, and nothing of it repeated", () => {
  for (const text of ['{"auths":{"r":{"auth":1}}}', '{"secret', '{"auths":[]}']) {
    assert.throws(() => parseAuthFile(text, "/x/config.json"), { code: "INVALID_DOCUMENT", message: /^invalid \/x\/config\.json: (?!.*secret)/ });
  }
});

describe("credential helpers", () => {
  const helper = (name: string, script: string): void => {
    writeFileSync(join(dir, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, `docker-credential-${name}`), 0o755);
  };
  const run = createHelperRunner({ PATH: `${dir}:/usr/bin:/bin`, MARK: "m" });

  test("gets the server on stdin and answers in JSON", async () => {
    helper("good", 'read -r server; printf \'{"ServerURL":"%s","Username":"%s","Secret":"%s"}\' "$server" "$server-$1" "$MARK"');
    assert.deepEqual(await run("good", "r.example"), { username: "r.example-get", secret: "m" });
  });

  test("knows nothing", async () => {
    helper("none", 'echo "credentials not found in native keychain"; exit 1');
    assert.equal(await run("none", "r.example"), undefined);
  });

  const table: readonly [name: string, script: string | undefined, message: RegExp][] = [
    ["absent", undefined, /^error getting credentials - err: exec: "docker-credential-absent": executable file not found in \$PATH, out: ``$/],
    ["locked", "echo keychain is locked; exit 3", /exit status 3, out: `keychain is locked`$/],
    ["chatty", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done", /wrote more than 65536 bytes, out: ``$/],
    ["../evil", undefined, /is not the name of a helper, out: ``$/],
  ];
  for (const [name, script, message] of table) {
    test(name, async () => {
      if (script !== undefined) helper(name, script);
      await assert.rejects(run(name, "r.example"), { kind: "failed_precondition", code: "CREDENTIAL_HELPER_FAILED", message });
    });
  }

  test("is ended with the call", async () => {
    helper("slow", "exec sleep 60");
    const controller = new AbortController();
    const running = run("slow", "r.example", controller.signal);
    controller.abort();
    await assert.rejects(running, { kind: "canceled" });
  });
});

test("the disk: absent files and directories are nothing, too large ones an error", () => {
  assert.equal(diskConfigFiles.readText(join(dir, "gone")), undefined);
  assert.equal(diskConfigFiles.readText(dir), undefined);
  assert.deepEqual(diskConfigFiles.list(join(dir, "gone")), []);
  writeFileSync(join(dir, "text"), "abc");
  assert.equal(diskConfigFiles.readText(join(dir, "text")), "abc");
  writeFileSync(join(dir, "large"), Buffer.alloc(1024 * 1024 + 1));
  assert.throws(() => diskConfigFiles.readText(join(dir, "large")), { code: "DOCUMENT_TOO_LARGE" });
});

test("DOCKER_AUTH_CONFIG that cannot be read is warned of, without its text", async () => {
  const { promise, resolve } = Promise.withResolvers<Error>();
  process.once("warning", resolve);
  const { lookup } = source({ "/h/.docker/config.json": { auths: { "r.example": { auth: base64("u:p") } } } }, { DOCKER_AUTH_CONFIG: "secret{" });
  assert.deepEqual(await lookup("r.example"), { kind: "basic", username: "u", password: "p" });
  const { message } = await promise;
  assert.match(message, /^DOCKER_AUTH_CONFIG is not used: /);
  assert.doesNotMatch(message, /secret/);
});

test("of HttpHeaders those reach registries that Docker's daemon hands on", () => {
  const config = { HttpHeaders: { "X-Meta-Team": "a", Authorization: "secret", "X-Meta-Bad": "a\r\nb: c" } };
  const files = { readText: (path: string) => (path === "/h/.docker/config.json" ? JSON.stringify(config) : undefined), list: () => [] };
  assert.deepEqual(readMetaHeaders({}, "/h", files), { "x-meta-team": "a" });
});
