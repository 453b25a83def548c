/** Who somebody is at the two ends of a copy, and which certificates count there: each end has its own. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { Slipway } from "../../src/engine/index.ts";
import { LayoutDraft, TestDirectory } from "../../src/engine/transports/test-layout.ts";
import { startRegistry, type TlsFiles } from "../../src/testing/index.ts";
import { runInMemory, type Outcome } from "../../src/cli/memory-cli.ts";

const directory = new TestDirectory();
const engine = await Slipway.open({ root: directory.at("store") });
after(async () => {
  await engine.close();
  directory[Symbol.dispose]();
});

const draft = new LayoutDraft();
const image = draft.image([[{ path: "a", content: "a" }]]);
draft.name(image, "one").write(directory.at("source"));

/** Nothing that this machine knows of registries is known. */
const env = { HOME: directory.path, XDG_CONFIG_HOME: directory.at("config"), REGISTRY_AUTH_FILE: "", DOCKER_CONFIG: directory.at("docker") };
const run = (...words: readonly string[]): Promise<Outcome> => runInMemory(words, { open: async () => engine, cwd: directory.path, env });

function writeAuthFile(name: string, host: string, word: string): void {
  writeFileSync(directory.at(name), JSON.stringify({ auths: { [host]: { auth: Buffer.from(word).toString("base64") } } }));
}

describe("names and passwords", async () => {
  const near = await startRegistry({ login: { type: "basic", users: { ann: "near:word" } } });
  const far = await startRegistry({ login: { type: "token", users: { bob: "far" } } });
  after(async () => {
    await near[Symbol.asyncDispose]();
    await far[Symbol.asyncDispose]();
  });
  const [from, to] = [`docker://${near.host}/team/app:1`, `docker://${far.host}/team/app:1`];
  writeAuthFile("near.json", near.host, "ann:near:word");
  writeAuthFile("far.json", far.host, "bob:far");
  writeAuthFile("wrong.json", near.host, "ann:wrong");

  test("an image goes from one registry to another with what each was told", async () => {
    assert.equal((await run("copy", "-q", "--dest-creds", "ann:near:word", "oci:source:one", from)).code, 0);
    const ways: readonly (readonly string[])[] = [
      ["--src-creds", "ann:near:word", "--dest-creds", "bob:far"],
      ["--src-username", "ann", "--src-password", "near:word", "--dest-username", "bob", "--dest-password", "far"],
      ["--src-authfile", "near.json", "--dest-authfile", directory.at("far.json")],
      ["--src-authfile", "wrong.json", "--src-creds", "ann:near:word", "--dest-authfile", "far.json"],
    ];
    for (const [at, words] of ways.entries()) {
      const outcome = await run("copy", "-q", "--digestfile", "digest", ...words, from, `${to}${at}`);
      assert.deepEqual([outcome.code, outcome.stdout], [0, `${image.digest}\n`], outcome.stderr);
      assert.equal(readFileSync(directory.at("digest"), "utf8"), image.digest);
    }
    const referrers = await run("copy", "-q", "--referrers", "--src-authfile", "near.json", "--dest-authfile", "far.json", from, `${to}r`);
    assert.equal(referrers.code, 0, referrers.stderr);
  });

  test("a token is sent as it is", async () => {
    const authorization = `Basic ${Buffer.from("bob:far").toString("base64")}`;
    const challenge = (await fetch(`${far.url}/v2/`)).headers.get("www-authenticate") ?? "";
    const realm = /realm="([^"]*)"/.exec(challenge)?.[1] ?? "";
    const service = /service="([^"]*)"/.exec(challenge)?.[1] ?? "";
    const answer = await fetch(`${realm}?service=${service}&scope=repository:team/app:pull`, { headers: { authorization } });
    const { token } = (await answer.json()) as { readonly token: string };
    const outcome = await run("copy", "-q", "--src-registry-token", token, `${to}0`, "oci:by-token");
    assert.equal(outcome.code, 0, outcome.stderr);
  });

  test("what was said of one end is not said at the other", async () => {
    for (const words of [
      ["--src-creds", "ann:near:word"],
      ["--dest-creds", "bob:far"],
    ]) {
      const { code, stderr } = await run("copy", "-q", ...words, from, `${to}x`);
      assert.equal(code, 1);
      assert.match(stderr, /denied|unauthorized|authentication required|no basic auth|authorization failed/i);
      assert.doesNotMatch(stderr, /word|far:/);
    }
  });

  test("--src-no-creds is nobody, whatever the files know", async () => {
    assert.equal((await run("copy", "-q", "--src-authfile", "near.json", from, "oci:known")).code, 0);
    assert.equal((await run("copy", "-q", "--src-authfile", "near.json", "--src-no-creds", from, "oci:unknown")).code, 1);
    assert.equal((await run("copy", "-q", "--src-authfile", "near.json", "--src-creds", "ann", from, "oci:unknown")).code, 1);
  });

  const mistakes: readonly (readonly [words: readonly string[], message: string])[] = [
    [["--src-creds", "a:b", "--src-no-creds"], "creds and no-creds cannot be specified at the same time"],
    [["--dest-creds", "a:b", "--dest-username", "a"], "creds and username cannot be specified at the same time"],
    [["--src-username", "a"], "password must be specified when username is specified"],
    [["--src-password", "a"], "username must be specified when password is specified"],
    [["--src-creds", ""], "credentials can't be empty"],
    [["--src-creds", ":a"], "username can't be empty"],
    [["--src-authfile", "none.json"], "credential file is not accessible: none.json: no such file or directory"],
  ];
  for (const [words, message] of mistakes) {
    test(`refused: ${words.join(" ")}`, async () => {
      const { code, stderr } = await run("copy", ...words, from, to);
      assert.deepEqual([code, stderr.split("\n")[0]], [1, message]);
    });
  }

  test("what has no effect where an end lies is warned of", async () => {
    const { code, stderr } = await run(
      "copy",
      "-q",
      "--src-creds",
      "a:b",
      "--dest-tls-verify=false",
      "--dest-daemon-host",
      "x",
      "oci:source:one",
      "oci:warned",
    );
    assert.equal(code, 0);
    assert.deepEqual(stderr.split("\n"), [
      "WARNING: --src-creds is ignored: oci:source:one is no registry.",
      "WARNING: --dest-tls-verify is ignored: oci:warned is no registry.",
      "WARNING: --dest-daemon-host is ignored: oci:warned is no daemon.",
      "",
    ]);
  });
});

function makeCertificate(): TlsFiles | undefined {
  const files = ["-keyout", directory.at("key.pem"), "-out", directory.at("cert.pem")];
  const subject = ["-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1"];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", ...subject, ...files];
  if (spawnSync("openssl", words).status !== 0) return undefined;
  return { cert: readFileSync(directory.at("cert.pem"), "utf8"), key: readFileSync(directory.at("key.pem"), "utf8") };
}

const tls = makeCertificate();

describe("certificates", { skip: tls === undefined ? "needs openssl to make a certificate" : false }, async () => {
  if (tls === undefined) return;
  const registry = await startRegistry({ tls });
  const plain = await startRegistry();
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await plain[Symbol.asyncDispose]();
  });
  const there = `docker://${registry.host}/app:1`;
  mkdirSync(directory.at("certs"));
  writeFileSync(directory.at("certs/ca.crt"), tls.cert);
  mkdirSync(directory.at("keyless"));
  writeFileSync(directory.at("keyless/own.cert"), tls.cert);

  const cases: readonly (readonly [name: string, words: readonly string[], want: RegExp | undefined])[] = [
    ["false takes any", ["--dest-tls-verify=false"], undefined],
    ["true wants one that holds, of a loopback host too", ["--dest-tls-verify"], /x509: certificate signed by unknown authority/],
    ["an authority of a directory", ["--dest-tls-verify=true", "--dest-cert-dir", "certs"], undefined],
    ["a directory with half a pair", ["--dest-cert-dir", "keyless"], /missing key own\.key for client certificate own\.cert/],
  ];
  for (const [name, words, want] of cases) {
    test(name, async () => {
      const { code, stderr } = await run("copy", "-q", ...words, "oci:source:one", there);
      assert.equal(code, want === undefined ? 0 : 1, stderr);
      assert.match(stderr, want ?? /^$/);
      assert.equal(existsSync(directory.at("no")), false);
    });
  }

  test("plain http is spoken where nothing is verified, and nowhere else", async () => {
    const words = ["oci:source:one", `docker://${plain.host}/app:1`];
    assert.equal((await run("copy", "-q", "--dest-tls-verify=false", ...words)).code, 0);
    assert.equal((await run("copy", "-q", "--dest-tls-verify=true", ...words)).code, 1);
  });
});
