import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { importKey } from "../../engine/signing/keys.ts";
import { runInMemory, type World } from "../memory-cli.ts";

const cwd = mkdtempSync(path.join(tmpdir(), "slipway-key-"));
const elsewhere = mkdtempSync(path.join(tmpdir(), "slipway-key-"));
after(() => [cwd, elsewhere].forEach((directory) => rmSync(directory, { recursive: true })));
const read = (name: string): string => readFileSync(path.join(cwd, name), "utf8");
const run = (words: readonly string[], world: World = {}) => runInMemory(["key", ...words], { cwd, ...world });
const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "old" });

async function opens(name: string, password: string): Promise<boolean> {
  const known = async (): Promise<Uint8Array> => Buffer.from(password);
  const { publicKey } = await importKey(read(`${name}.key`), name, known, { output: path.join(elsewhere, name), password: known, force: true });
  return publicKey === read(`${name}.pub`);
}

describe("key", () => {
  beforeEach(() => {
    for (const file of readdirSync(cwd)) rmSync(path.join(cwd, file));
    writeFileSync(path.join(cwd, "foreign.pem"), pem);
  });

  const good: readonly [name: string, words: string[], world: World, pair: string, password: string][] = [
    ["cosign's variable", ["generate"], { env: { COSIGN_PASSWORD: "a" } }, "slipway", "a"],
    ["our variable before cosign's", ["generate", "--output", "k"], { env: { COSIGN_PASSWORD: "a", SLIPWAY_KEY_PASSWORD: "b" } }, "k", "b"],
    ["an empty password", ["generate", "-o", "k"], { env: { COSIGN_PASSWORD: "" } }, "k", ""],
    ["typed", ["generate", "-o", "k"], { stdin: "xyz\nxyz\n", stdinIsTTY: true }, "k", "xyz"],
    ["named with its ending", ["generate", "-o", "k.key"], { stdin: "xyz\nxyz\n", stdinIsTTY: true }, "k", "xyz"],
    ["imported", ["import", "foreign.pem", "-o", "k"], { env: { COSIGN_PASSWORD: "new", SLIPWAY_IMPORT_PASSWORD: "old" } }, "k", "new"],
    ["imported, with one password", ["import", "foreign.pem", "-o", "k"], { env: { COSIGN_PASSWORD: "old" } }, "k", "old"],
    ["imported, typed", ["import", "foreign.pem", "-o", "k"], { stdin: "old\nnew\nnew\n", stdinIsTTY: true }, "k", "new"],
  ];
  for (const [name, words, world, pair, password] of good) {
    test(name, async () => {
      const outcome = await run(words, world);
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.match(outcome.stdout, new RegExp(`^Private key: ${pair}.key\nPublic key:  ${pair}.pub\nFingerprint: sha256:[0-9a-f]{64}\n$`));
      assert.doesNotMatch(outcome.stdout + outcome.stderr, /xyz|old|new\b(?! private)/);
      assert.deepEqual([await opens(pair, password), statSync(path.join(cwd, `${pair}.key`)).mode & 0o777], [true, 0o600]);
    });
  }

  test("what is there is replaced only if that is wanted", async () => {
    const env = { COSIGN_PASSWORD: "a" };
    await run(["generate", "-o", "k"], { env });
    rmSync(path.join(cwd, "k.key"));
    const before = read("k.pub");
    const refused = await run(["generate", "-o", "k"], { env });
    assert.match(refused.stderr, /k\.pub is there already\nHint: --force/);
    assert.deepEqual([refused.code, readdirSync(cwd), read("k.pub")], [1, ["foreign.pem", "k.pub"], before]);
    assert.equal((await run(["generate", "-o", "k", "--force"], { env })).code, 0);
    assert.deepEqual([await opens("k", "a"), readdirSync(cwd)], [true, ["foreign.pem", "k.key", "k.pub"]]);
  });

  const bad: readonly [name: string, words: string[], world: World, stderr: RegExp][] = [
    ["nobody to ask", ["generate"], {}, /there is no terminal to ask for it: set SLIPWAY_KEY_PASSWORD or COSIGN_PASSWORD\n/],
    ["typed differently", ["generate"], { stdin: "a\nb\n", stdinIsTTY: true }, /the two passwords differ: nothing was written\n/],
    ["unknown type", ["generate", "--type", "dsa"], {}, /unknown --type "dsa": want ecdsa-p256, rsa-3072/],
    ["no name", ["generate", "--output", ""], {}, /--output wants the name of two files/],
    ["no such folder", ["generate", "--output", "no/k"], { env: { COSIGN_PASSWORD: "" } }, /^cannot write .*no\/k\.key: no such file or directory\n$/],
    ["no such file", ["import", "absent.pem"], {}, /open absent\.pem: no such file or directory\n/],
    [
      "wrong password",
      ["import", "foreign.pem"],
      { env: { COSIGN_PASSWORD: "x" } },
      /^foreign\.pem: the password is wrong, or the file is damaged\nHint: SLIPWAY_IMPORT_PASSWORD is the password of foreign/,
    ],
    [
      "wrong password of its own",
      ["import", "foreign.pem"],
      { env: { COSIGN_PASSWORD: "x", SLIPWAY_IMPORT_PASSWORD: "y" } },
      /^foreign\.pem: the .*damaged\n$/,
    ],
  ];
  for (const [name, words, world, stderr] of bad) {
    test(`refused: ${name}`, async () => {
      const outcome = await run(words, world);
      assert.match(outcome.stderr, stderr);
      assert.deepEqual([outcome.code, readdirSync(cwd)], [1, ["foreign.pem"]]);
    });
  }
});
