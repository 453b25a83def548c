import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SlipwayError } from "../../base/errors.ts";
import type { SlipwayApi } from "../../engine/api.ts";
import { runInMemory, type World } from "../memory-cli.ts";

type Accounts = Partial<SlipwayApi["accounts"]>;

const insecure = "WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n";
const stored = `
WARNING! Your credentials are stored unencrypted in '/home/me/.docker/config.json'.
Configure a credential helper to remove this warning. See
https://docs.docker.com/go/credential-store/

`;

function accounts(changes: Accounts = {}): { readonly calls: unknown[]; readonly accounts: Accounts } {
  const calls: unknown[] = [];
  return {
    calls,
    accounts: {
      known: async () => undefined,
      login: async (host, credential) => {
        calls.push([host, credential]);
        return { kind: "file", path: "/home/me/.docker/config.json", isNew: true, password: true };
      },
      logout: async (host) => calls.push(host) > 0,
      ...changes,
    },
  };
}

const basic = (username: string, password: string) => ({ kind: "basic", username, password });

describe("login", () => {
  const good: readonly [words: string[], world: World, stderr: string, call: unknown][] = [
    [["-u", "me", "-p", "x", "host:5000"], {}, insecure + stored, ["host:5000", basic("me", "x")]],
    [["-u", "me", "--password-stdin", "host"], { stdin: "secret\n" }, stored, ["host", basic("me", "secret")]],
    [["-u", "me", "--password-stdin"], { stdin: "two\nlines\r\n" }, stored, ["docker.io", basic("me", "two\nlines")]],
    [["-u", "me", "--password-stdin", "https://index.docker.io/v1/"], { stdin: "x" }, stored, ["docker.io", basic("me", "x")]],
    [["host"], { stdin: "me\nsecx\u007fret\n", stdinIsTTY: true }, stored, ["host", basic("me", "secret")]],
  ];
  for (const [words, world, stderr, call] of good) {
    test(words.join(" "), async () => {
      const { calls, accounts: given } = accounts();
      const outcome = await runInMemory(["login", ...words], { engine: { accounts: given }, ...world });
      assert.deepEqual([outcome.code, outcome.stdout.split("\n").at(-2), outcome.stderr, calls], [0, "Login Succeeded", stderr, [call]]);
      assert.doesNotMatch(outcome.stdout, /sec|pass:/);
    });
  }

  test("with what is known", async () => {
    const { calls, accounts: given } = accounts({ known: async () => ({ kind: "basic", username: "me", password: "x" }) });
    const outcome = await runInMemory(["login", "host"], { engine: { accounts: given } });
    assert.deepEqual([outcome.code, outcome.stdout, calls], [0, "Login Succeeded\n", [["host", basic("me", "x")]]]);
    assert.match(outcome.stderr, /^Authenticating with existing credentials\.\.\. \[Username: me\]\n/);
  });

  const again: readonly [name: string, error: Error, said: RegExp][] = [
    ["is refused", new SlipwayError("unauthenticated", "LOGIN_REFUSED", "no"), /\nStored credentials invalid or expired\n/],
    ["cannot be tried", new SlipwayError("unavailable", "CONNECTION_REFUSED", "gone"), /\nLogin did not succeed, error: gone\n/],
  ];
  for (const [name, error, said] of again) {
    test(`what is known ${name}: the user is asked`, async () => {
      let tries = 0;
      const { accounts: given } = accounts({
        known: async () => ({ kind: "basic", username: "me", password: "old" }),
        login: async () => {
          if (tries++ === 0) throw error;
          return { kind: "file", path: "f", isNew: false, password: false };
        },
      });
      const outcome = await runInMemory(["login", "host"], { engine: { accounts: given }, stdin: "me\nnew\n", stdinIsTTY: true });
      assert.deepEqual([outcome.code, outcome.stdout.split("\n").at(-2)], [0, "Login Succeeded"]);
      assert.match(outcome.stderr, said);
    });
  }

  const bad: readonly [words: string[], stderr: string][] = [
    [["-u", "me", "--password-stdin", "host"], "Error: Cannot perform an interactive login from a non TTY device\n"],
    [["-u", "", "host"], "username is empty\n"],
    [["-p", "", "host"], "password is empty\n"],
    [["-u", "", "-p", "x", "host"], "username is empty\n"],
    [["-u", "me", "-p", "", "--password-stdin", "host"], "conflicting options: cannot specify both --password and --password-stdin\n"],
    [["-p", "x", "host"], `${insecure}Error: Cannot perform an interactive login from a non TTY device\n`],
    [["host"], "Error: Cannot perform an interactive login from a non TTY device\n"],
    [["--password-stdin", "host"], "the --password-stdin option requires --username to be set\n"],
    [["-u", "", "--password-stdin", "host"], "username is empty\n"],
    [["-u", "me", "-p", "x", "--password-stdin", "host"], "conflicting options: cannot specify both --password and --password-stdin\n"],
  ];
  for (const [words, stderr] of bad) {
    test(`fails: ${words.join(" ")}`, async () => {
      const outcome = await runInMemory(["login", ...words], { engine: { accounts: accounts().accounts } });
      assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [1, "", stderr]);
    });
  }
});

describe("a helper that fails", () => {
  const broken = new SlipwayError("failed_precondition", "CREDENTIAL_HELPER_FAILED", "error storing credentials - err: exit status 1, out: `locked`");
  const fails = async (): Promise<never> => {
    throw broken;
  };
  test("to keep: nothing is kept", async () => {
    const { accounts: given } = accounts({ login: fails });
    const outcome = await runInMemory(["login", "-u", "me", "--password-stdin", "host"], { engine: { accounts: given }, stdin: "x" });
    assert.deepEqual([outcome.code, outcome.stderr], [1, `Error saving credentials: ${broken.message}\n`]);
  });
  test("to tell: the user is asked", async () => {
    const { accounts: given, calls } = accounts({ known: fails });
    const outcome = await runInMemory(["login", "host"], { engine: { accounts: given }, stdin: "me\nx\n", stdinIsTTY: true });
    assert.deepEqual([outcome.code, outcome.stderr, calls], [0, `WARNING: ${broken.message}\n${stored}`, [["host", basic("me", "x")]]]);
  });
  test("to forget: a warning", async () => {
    const { accounts: given } = accounts({ logout: fails });
    const outcome = await runInMemory(["logout", "host"], { engine: { accounts: given } });
    assert.deepEqual([outcome.code, outcome.stdout], [0, "Removing login credentials for host\n"]);
    assert.equal(outcome.stderr, `WARNING: could not erase credentials:\nhost: ${broken.message}\n`);
  });
});

test("Enter takes the name that was there", async () => {
  let tries = 0;
  const { accounts: given, calls } = accounts({
    known: async () => ({ kind: "basic", username: "me", password: "old" }),
    login: async (host, credential) => {
      if (tries++ === 0) throw new SlipwayError("unauthenticated", "LOGIN_REFUSED", "no");
      calls.push([host, credential]);
      return { kind: "file", path: "f", isNew: false, password: false };
    },
  });
  const outcome = await runInMemory(["login", "host"], { engine: { accounts: given }, stdin: "\nnew\n", stdinIsTTY: true });
  assert.match(outcome.stdout, /^Username \(me\): Password: /);
  assert.deepEqual(calls, [["host", basic("me", "new")]]);
});

test("DOCKER_AUTH_CONFIG goes before what is kept, and that is said", async () => {
  const world = { engine: { accounts: accounts().accounts }, env: { DOCKER_AUTH_CONFIG: "{}" }, stdin: "x" };
  for (const words of [
    ["login", "-u", "me", "--password-stdin", "host"],
    ["logout", "host"],
  ])
    assert.match((await runInMemory(words, world)).stderr, /^\n Warn -> DOCKER_AUTH_CONFIG is set and takes precedence\.\n/);
});

test("logout", async () => {
  const { calls, accounts: given } = accounts();
  const outcome = await runInMemory(["logout", "host"], { engine: { accounts: given } });
  assert.deepEqual([outcome.code, outcome.stdout], [0, "Removing login credentials for host\n"]);
  assert.equal((await runInMemory(["logout"], { engine: { accounts: given } })).stdout, "Removing login credentials for https://index.docker.io/v1/\n");
  assert.deepEqual(calls, ["host", "docker.io"]);
});

describe("login at Docker Hub by the browser", () => {
  const known = { SLIPWAY_HUB_CLIENT_ID: "us" };
  const kept = { kind: "file", path: "/home/me/.docker/config.json", isNew: true, password: true } as const;
  const byDevice: NonNullable<Accounts["loginByDevice"]> = async ({ onCode }) => {
    onCode({ userCode: "AB-CD", url: "https://x.example/go?c=AB-CD" });
    return kept;
  };
  test("the code and the address are shown", async () => {
    const { calls, accounts: given } = accounts({ loginByDevice: byDevice });
    const outcome = await runInMemory(["login"], { engine: { accounts: given }, stdinIsTTY: true, env: { ...known, PATH: "/nonexistent" } });
    assert.deepEqual([outcome.code, outcome.stdout, calls], [0, "Login Succeeded\n", []]);
    assert.match(outcome.stderr, /^\nUSING WEB-BASED LOGIN\n/);
    assert.match(
      outcome.stderr,
      /^Your one-time device confirmation code is: AB-CD\nPress ENTER to open your browser or submit your device code here: https:\/\/x\.example\/go$/m,
    );
    assert.ok(outcome.stderr.endsWith(stored));
  });

  test("what was kept is refused: the browser signs in anew", async () => {
    const { accounts: given } = accounts({
      known: async () => ({ kind: "basic", username: "me", password: "old" }),
      login: async () => {
        throw new SlipwayError("unauthenticated", "LOGIN_REFUSED", "no");
      },
      loginByDevice: byDevice,
    });
    const outcome = await runInMemory(["login"], { engine: { accounts: given }, stdinIsTTY: true, env: { ...known, PATH: "/nonexistent" } });
    assert.deepEqual([outcome.code, outcome.stdout], [0, "Login Succeeded\n"], outcome.stderr);
  });

  const asked: readonly [name: string, words: readonly string[], env: Record<string, string>, login: Accounts["loginByDevice"], said: RegExp][] = [
    [
      "where it cannot be started",
      [],
      known,
      async () => {
        throw new SlipwayError("unavailable", "HUB_LOGIN_UNAVAILABLE", "no");
      },
      /^Failed to start web-based login - falling back to command line login\.\.\.\n\n/,
    ],
    ["where it is switched off", [], { ...known, DOCKER_CLI_DISABLE_OAUTH_LOGIN: "1" }, undefined, /^\nWARNING! Your credentials/],
    ["where the Hub does not know us", [], {}, undefined, /^\nWARNING! Your credentials/],
    ["for a user who is named", ["-u", "me"], known, undefined, /^\nWARNING! Your credentials/],
  ];
  for (const [name, words, env, loginByDevice, said] of asked) {
    test(`${name}, the password is asked for`, async () => {
      const { calls, accounts: given } = accounts(loginByDevice === undefined ? {} : { loginByDevice });
      const stdin = words.length === 0 ? "me\nx\n" : "x\n";
      const outcome = await runInMemory(["login", ...words], { engine: { accounts: given }, stdin, stdinIsTTY: true, env });
      assert.deepEqual([outcome.code, calls], [0, [["docker.io", basic("me", "x")]]], outcome.stderr);
      assert.match(outcome.stderr, said);
    });
  }
});
