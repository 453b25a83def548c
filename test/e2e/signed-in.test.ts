/** login, push, pull and logout as users do, at the distribution's own registry behind TLS: with a file of passwords, and with a token server. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { account, guardedRegistryAbsent, startGuardedRegistry } from "../lab/guarded-registry.ts";
import { createSandbox } from "./sandbox.ts";

for (const guard of ["htpasswd", "token"] as const) {
  describe(`a registry with ${guard === "token" ? "a token server" : "a file of passwords"}`, { skip: guardedRegistryAbsent }, async () => {
    if (guardedRegistryAbsent !== false) return;
    const sandbox = await createSandbox();
    const registry = await startGuardedRegistry(sandbox.directory, guard);
    after(async () => {
      await registry[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    });
    const { host } = registry;
    const home = sandbox.env["HOME"] as string;
    const config = path.join(home, ".docker/config.json");
    const name = `${host}/team/app:1`;
    const login = (password: string, call = {}) => sandbox.call(["login", "-u", account.username, "--password-stdin", host], { input: password, ...call });

    test("a certificate that nobody knows: what to do is said, no password leaves", async () => {
      const { code, stderr } = await login(account.password);
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^Error response from daemon: Get "https:\/\/\S+\/v2\/": tls: failed to verify certificate: x509: certificate signed by unknown authority$/m,
      );
      assert.match(stderr, /^Hint: .*certs\.d\/.*ca\.crt/m);
      assert.equal(existsSync(config), false);
      const directory = path.join(home, ".config/containers/certs.d", host);
      mkdirSync(directory, { recursive: true });
      copyFileSync(registry.authority, path.join(directory, "ca.crt"));
    });

    test("without a login nothing goes and nothing comes", async () => {
      await sandbox.build("FROM busybox\nCOPY f /\n", { f: "guarded" }, ["-t", name]);
      for (const words of [
        ["push", name],
        ["pull", name],
      ]) {
        const { code, stderr } = await sandbox.call(words);
        assert.equal(code, 1, stderr);
        assert.match(stderr, guard === "token" ? /incorrect username or password/ : /no basic auth credentials/);
        assert.match(stderr, /^Credentials were looked for in vain:$/m);
      }
    });

    test("a wrong password, in Docker's words; nothing is kept", async () => {
      const { code, stderr } = await login("wrong");
      const reason = guard === "token" ? "incorrect username or password" : "authentication required";
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`^Error response from daemon: Get "https://${host}/v2/": unauthorized: ${reason}$`, "m"));
      assert.equal(existsSync(config), false);
    });

    test("login needs no store; then images go and come", async () => {
      const store = path.join(sandbox.directory, "none");
      const { code, stdout, stderr } = await login(account.password, { env: { SLIPWAY_ROOT: store } });
      assert.deepEqual([code, stdout, existsSync(store)], [0, "Login Succeeded\n", false], stderr);
      assert.equal(/stored unencrypted/.test(stderr), guard === "htpasswd");
      const { auths } = JSON.parse(readFileSync(config, "utf8")) as { readonly auths: Readonly<Record<string, Readonly<Record<string, string>>>> };
      const [kept, secret] = guard === "token" ? ["identitytoken", "identity-of-someone"] : ["auth", Buffer.from("someone:pass:word").toString("base64")];
      assert.equal(auths[host]?.[kept], secret);
      assert.doesNotMatch(readFileSync(config, "utf8"), guard === "token" ? /pass:word|c29tZW9uZTpwYXNz/ : /identitytoken/);
      await sandbox.ok(["push", "-q", name]);
      await sandbox.ok(["rmi", "-f", name]);
      assert.equal(await sandbox.ok(["pull", "-q", name]), name);
      assert.equal(await sandbox.ok(["tags", `${host}/team/app`]), "1");
      assert.equal(await sandbox.ok(["cat", `docker://${name}:/f`]), "guarded");
      await sandbox.build(`FROM ${name}\nCOPY g /\n`, { g: "2" }, ["-t", `${host}/team/other:1`, "--push"]);
    });

    test("login again takes what is kept; logout forgets it", async () => {
      assert.match(await sandbox.ok(["login", host]), /Login Succeeded$/);
      assert.equal(await sandbox.ok(["logout", host]), `Removing login credentials for ${host}`);
      assert.deepEqual(JSON.parse(readFileSync(config, "utf8")), { auths: {} });
      assert.equal((await sandbox.call(["pull", name])).code, 1);
    });

    test("--authfile keeps the login in a file of one's own, for those who name it", async () => {
      const file = path.join(sandbox.directory, "auth.json");
      const env = { DOCKER_AUTH_CONFIG: "{}" };
      const missing = await sandbox.call(["pull", "--authfile", file, name]);
      assert.equal(missing.code, 1);
      assert.match(missing.stderr, /credential file is not accessible: .*auth\.json: no such file or directory/);
      const given = await sandbox.call(["login", "--authfile", file, "-u", account.username, "--password-stdin", host], { input: account.password, env });
      assert.equal(given.code, 0, given.stderr);
      assert.deepEqual(JSON.parse(readFileSync(config, "utf8")), { auths: {} });
      assert.equal((await sandbox.call(["pull", name])).code, 1);
      const flags = ["--authfile", file];
      assert.equal((await sandbox.call(["pull", "-q", ...flags, name], { env })).code, 0);
      await sandbox.ok(["push", "-q", ...flags, name]);
      assert.equal(await sandbox.ok(["tags", ...flags, `${host}/team/app`]), "1");
      await sandbox.ok(["copy", "-q", ...flags, `docker://${name}`, `docker://${host}/team/app:2`]);
      await sandbox.ok(["manifest", "inspect", ...flags, `${host}/team/app:2`]);
      assert.equal(await sandbox.ok(["logout", ...flags, host]), `Removing login credentials for ${host}`);
      assert.equal((await sandbox.call(["pull", ...flags, name])).code, 1);
    });
  });
}
