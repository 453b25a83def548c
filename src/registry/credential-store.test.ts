import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { diskConfigFiles } from "./config-files.ts";
import { createHelperChanger, createHelperRunner } from "./credential-helper.ts";
import { createCredentialKeeper } from "./credential-store.ts";
import { createCredentialSource, type Credential } from "./credentials.ts";

let home = "";
/** A home directory of its own for each test of a group. */
function useHome(): void {
  beforeEach(() => void (home = mkdtempSync(join(tmpdir(), "slipway-login-"))));
  afterEach(() => rmSync(home, { recursive: true }));
}

const me: Credential = { kind: "basic", username: "me", password: "pass:word" };
const path = (): string => join(home, ".docker/config.json");
const env = (): Record<string, string> => ({ PATH: `${join(home, "bin")}:/usr/bin:/bin`, HOME: home });
const keeper = (changes: Record<string, string> = {}) =>
  createCredentialKeeper({ env: { ...env(), ...changes }, home, lockWaitMs: 60_000, change: createHelperChanger({ ...env(), ...changes }) });
const lookup = (host: string): Promise<Credential | undefined> =>
  createCredentialSource(env(), home, diskConfigFiles, createHelperRunner(env())).lookup(host, "a");

function write(config: unknown): void {
  mkdirSync(join(home, ".docker"));
  writeFileSync(path(), JSON.stringify(config));
}

/** A helper that keeps what it is given in files, by the server's name. */
function installHelper(
  name: string,
  script = 'case $1 in store) cat >"$D/kept";; get) read -r s; cat "$D/kept" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; };; erase) rm "$D/kept";; esac',
): void {
  mkdirSync(join(home, "bin"), { recursive: true });
  const file = join(home, "bin", `docker-credential-${name}`);
  writeFileSync(file, `#!/bin/sh\nD='${home}'\n${script}\n`);
  chmodSync(file, 0o755);
}

describe("in the config file", () => {
  useHome();
  test("as Docker writes it, for the user alone", async () => {
    assert.deepEqual(await keeper().save("registry.example:5000", me), { kind: "file", path: path(), isNew: true, password: true });
    assert.equal(readFileSync(path(), "utf8"), '{\n\t"auths": {\n\t\t"registry.example:5000": {\n\t\t\t"auth": "bWU6cGFzczp3b3Jk"\n\t\t}\n\t}\n}');
    assert.equal(statSync(path()).mode & 0o777, 0o600);
    assert.deepEqual(await lookup("registry.example:5000"), me);
    assert.deepEqual(await keeper().save("registry.example:5000", me), { kind: "file", path: path(), isNew: false, password: false });
    assert.equal(existsSync(`${path()}.lock`), false);
  });

  test("Docker Hub under its old name, identity tokens with the user's", async () => {
    const kept = await keeper().save("docker.io", { kind: "identity", token: "secret", username: "me" });
    assert.deepEqual(kept, { kind: "file", path: path(), isNew: true, password: false });
    assert.deepEqual(JSON.parse(readFileSync(path(), "utf8")), { auths: { "https://index.docker.io/v1/": { auth: "bWU6", identitytoken: "secret" } } });
    assert.deepEqual(await lookup("docker.io"), { kind: "identity", token: "secret", username: "me" });
  });

  test("what else is there stays", async () => {
    write({ HttpHeaders: { a: "b" }, auths: { other: { auth: "eDp5" } }, unknown: [1] });
    await keeper().save("host", me);
    const config = JSON.parse(readFileSync(path(), "utf8")) as Record<string, unknown>;
    assert.deepEqual(Object.keys(config), ["HttpHeaders", "auths", "unknown"]);
    assert.deepEqual(Object.keys(config["auths"] as object), ["other", "host"]);
    assert.equal(await keeper().erase("host"), true);
    assert.equal(await keeper().erase("host"), false);
    assert.deepEqual((JSON.parse(readFileSync(path(), "utf8")) as Record<string, unknown>)["auths"], { other: { auth: "eDp5" } });
  });

  test("a link to the file stays a link", async () => {
    write({});
    rmSync(path());
    writeFileSync(join(home, "real.json"), "{}");
    symlinkSync(join(home, "real.json"), path());
    await keeper().save("host", me);
    assert.equal(lstatSync(path()).isSymbolicLink(), true);
    assert.match(readFileSync(join(home, "real.json"), "utf8"), /host/);
  });

  test("REGISTRY_AUTH_FILE names another file", async () => {
    const file = join(home, "auth.json");
    assert.deepEqual(await keeper({ REGISTRY_AUTH_FILE: file }).save("host", me), { kind: "file", path: file, isNew: true, password: true });
    assert.equal(existsSync(path()), false);
  });

  test("a file that is no JSON is left as it is", async () => {
    mkdirSync(join(home, ".docker"));
    writeFileSync(path(), "secret, not JSON");
    await assert.rejects(keeper().save("host", me), (error: Error) => error.message.includes(path()) && !error.message.includes("secret"));
    assert.equal(readFileSync(path(), "utf8"), "secret, not JSON");
  });

  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const here = `${boot}/${readlinkSync("/proc/self/ns/pid")}`;
  const abandoned: readonly [name: string, holder: string][] = [
    ["a process that is gone", `999999999 1 ${here}`],
    ["a process whose number another one has now", `${process.pid} 1 ${here}`],
  ];
  for (const [name, holder] of abandoned) {
    test(`a lock of ${name} holds nobody up`, async () => {
      mkdirSync(join(home, ".docker"));
      writeFileSync(`${path()}.lock`, `${holder}\n`);
      await keeper().save("host", me);
      assert.deepEqual(readdirSync(join(home, ".docker")), ["config.json"]);
    });
  }

  test("a lock of a machine that we cannot see is believed", async () => {
    mkdirSync(join(home, ".docker"));
    writeFileSync(`${path()}.lock`, "7 1 another/machine\n");
    const hasty = createCredentialKeeper({ env: env(), home, lockWaitMs: 0, change: createHelperChanger(env()) });
    await assert.rejects(hasty.save("host", me), { code: "CREDENTIAL_FILE", message: `${path()}.lock is held by process 7` });
    assert.equal(existsSync(path()), false);
  });

  test("ten at once lose none", async () => {
    await Promise.all(Array.from({ length: 10 }, async (_, i) => await keeper().save(`host${i}`, me)));
    assert.equal(Object.keys((JSON.parse(readFileSync(path(), "utf8")) as { auths: object }).auths).length, 10);
  });
});

describe("in a helper", () => {
  useHome();
  test("for all registries, and for one", async () => {
    installHelper("box");
    write({ credsStore: "box", credHelpers: { special: "box" } });
    for (const host of ["host", "special"]) {
      assert.deepEqual(await keeper().save(host, me), { kind: "helper", helper: "box" });
      assert.deepEqual(JSON.parse(readFileSync(join(home, "kept"), "utf8")), { ServerURL: host, Username: "me", Secret: "pass:word" });
    }
    assert.deepEqual((JSON.parse(readFileSync(path(), "utf8")) as Record<string, unknown>)["auths"], { host: {}, special: {} });
    assert.deepEqual(await lookup("host"), me);
    assert.equal(await keeper().erase("host"), true);
    assert.equal(existsSync(join(home, "kept")), false);
  });

  test("the machine's own, where there are no credentials yet", async () => {
    installHelper("secretservice");
    assert.deepEqual(await keeper().save("host", me), { kind: "helper", helper: "secretservice" });
    assert.deepEqual(JSON.parse(readFileSync(path(), "utf8")), { auths: { host: {} }, credsStore: "secretservice" });
  });

  const broken: readonly [name: string, script: string | undefined, message: RegExp][] = [
    ["refuses", "echo 'keychain is locked'; exit 1", /^error storing credentials - err: exit status 1, out: `keychain is locked`$/],
    ["is missing", undefined, /^error storing credentials - err: exec: "docker-credential-box": executable file not found in \$PATH, out: ``$/],
  ];
  for (const [name, script, message] of broken) {
    test(`one that ${name}: the password is written nowhere else`, async () => {
      if (script !== undefined) installHelper("box", script);
      write({ credsStore: "box" });
      await assert.rejects(keeper().save("host", me), { code: "CREDENTIAL_HELPER_FAILED", message });
      assert.equal(readFileSync(path(), "utf8"), '{"credsStore":"box"}');
    });
  }
});
