import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import type { KeylessOptions, VerifyOptions } from "../../engine/api.ts";
import { digestOf } from "../../oci/index.ts";
import { runInMemory } from "../memory-cli.ts";

const cwd = mkdtempSync(path.join(tmpdir(), "slipway-cli-keyless-"));
writeFileSync(path.join(cwd, "token"), "from.a.file\n");
writeFileSync(path.join(cwd, "root.json"), "{}");
after(() => rmSync(cwd, { recursive: true }));
const digest = digestOf("x");
const publicOnes = { fulcioUrl: "https://fulcio.sigstore.dev", rekorUrl: "https://rekor.sigstore.dev" };

describe("who signs without a key", () => {
  const good: readonly [words: string[], keyless: KeylessOptions][] = [
    [[], publicOnes],
    [["--identity-token", "a.b.c"], { ...publicOnes, token: "a.b.c" }],
    [["--identity-token", "token", "--oidc-issuer", "https://o"], { ...publicOnes, token: "from.a.file\n", issuer: "https://o" }],
    [["--fulcio-url", "https://f", "--rekor-url", "http://r:3000"], { fulcioUrl: "https://f", rekorUrl: "http://r:3000" }],
    [["--signing-config", "root.json"], { signingConfig: { json: Buffer.from("{}"), name: "root.json" } }],
    [["--tlog-upload=false", "--timestamp-server-url", "https://t"], { ...publicOnes, rekorUrl: "", timestampUrl: "https://t" }],
  ];
  for (const [words, keyless] of good) {
    test(`sign --keyless ${words.join(" ")}`, async () => {
      let seen: KeylessOptions | undefined;
      const outcome = await runInMemory(["sign", "--keyless", ...words, "reg/app"], {
        cwd,
        engine: {
          trust: {
            sign: async (reference, { key, keyless: given }) => {
              assert.equal(key, undefined);
              seen = given;
              return { reference, digest, images: [] };
            },
          },
        },
      });
      assert.equal(outcome.code, 0, outcome.stderr);
      const { env: _, ...rest } = seen ?? {};
      assert.deepEqual(rest, keyless);
    });
  }

  const bad: readonly [words: string[], stderr: RegExp][] = [
    [["sign", "--keyless", "--key", "x", "reg/app"], /^--key and --keyless exclude each other/],
    [["sign", "--keyless", "--notation", "--cert", "x", "reg/app"], /^--notation wants --key/],
    [["sign", "--keyless", "--fulcio-url", "fulcio", "reg/app"], /^--fulcio-url wants an address/],
    [["sign", "--keyless", "--tlog-upload=false", "reg/app"], /^--tlog-upload=false wants --timestamp-server-url/],
    [["sign", "--keyless", "--identity-token", "nowhere", "reg/app"], /^open nowhere: no such file/],
    [["sign", "--keyless", "--signing-config", "token", "--rekor-url", "https://r", "reg/app"], /^--signing-config and --rekor-url exclude each other/],
    [["sign", "--signing-config", "token", "reg/app"], /^--signing-config wants --keyless/],
    [["sign", "--keyless", "--identity-token", "", "reg/app"], /^--identity-token is empty/],
    [["sign", "--key", "token", "--timestamp-server-url", "https://t", "reg/app"], /^--timestamp-server-url wants --keyless/],
    [["sign", "--notation", "--key", "token", "--cert", "token", "--timestamp-server-url", "t", "reg/app"], /^--timestamp-server-url wants an address/],
    [["sign", "--rekor-url", "https://r", "reg/app"], /^--rekor-url wants --keyless/],
    [["build", "--keyless", "."], /--keyless wants --sign/],
    [["sign", "--keyless", "--fulcio-auth-flow", "normal", "reg/app"], /^unknown --fulcio-auth-flow "normal": want token or device/],
    [["sign", "--keyless", "--fulcio-auth-flow", "device", "--identity-token", "a.b.c", "reg/app"], /^--identity-token and --fulcio-auth-flow device exclude/],
    [["sign", "--keyless", "--oidc-issuer", "dex", "reg/app"], /^--oidc-issuer wants an address/],
    [["sign", "--fulcio-auth-flow", "device", "reg/app"], /^--fulcio-auth-flow wants --keyless/],
    [["build", "--push", "--sign", "--keyless", "-t", "reg/app", "."], /no identity token says who signs/],
    [["build", "--push", "--sign", "--keyless", "--identity-token", "a.b.c", "-t", "reg/app", "."], /the identity token cannot be read/],
  ];
  for (const [words, stderr] of bad) {
    test(words.join(" "), async () => {
      const outcome = await runInMemory(words, { cwd });
      assert.match(outcome.stderr, stderr);
      assert.equal(outcome.code, 1);
    });
  }
});

describe("whose signatures are accepted, in cosign's words", () => {
  const verified = async (...words: readonly string[]): Promise<readonly string[]> => {
    let seen: VerifyOptions | undefined;
    await runInMemory(["verify", ...words, "--trusted-root", "root.json", "reg/app"], {
      cwd,
      engine: {
        trust: {
          verify: async (reference, options) => {
            seen = options;
            return { reference, digest, signatures: [], refused: [], unread: [] };
          },
        },
      },
    });
    return (seen?.identities ?? []).flatMap(({ identity, issuer }) => [String(identity), String(issuer)]);
  };
  test("whole texts", async () => assert.deepEqual(await verified("--certificate-identity", "a", "--certificate-oidc-issuer", "b"), ["a", "b"]));
  test("patterns for parts", async () => {
    assert.deepEqual(await verified("--certificate-identity-regexp", "^a", "--certificate-oidc-issuer-regexp", "b"), ["/^a/u", "/b/u"]);
  });
  test("beside ours", async () => assert.deepEqual(await verified("--identity-regexp", "a", "--certificate-oidc-issuer", "b"), ["/^(?:a)$/u", "b"]));
  test("not twice", async () => assert.deepEqual(await verified("--identity", "a", "--certificate-identity", "a", "--issuer", "b"), []));
});
