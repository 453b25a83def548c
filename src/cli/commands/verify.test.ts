import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { SlipwayError } from "../../base/errors.ts";
import type { BuildResult, SignOptions, Verification, VerifyOptions } from "../../engine/api.ts";
import { digestOf } from "../../oci/digest.ts";
import { runInMemory, type World } from "../memory-cli.ts";

const cwd = mkdtempSync(path.join(tmpdir(), "slipway-verify-"));
after(() => rmSync(cwd, { recursive: true }));
writeFileSync(path.join(cwd, "a.pub"), "A");
writeFileSync(path.join(cwd, "b.key"), "B");

const digest = digestOf("x");
const signer = { kind: "key", name: "a.pub", description: "ECDSA P-256", fingerprint: "sha256:ab" } as const;
const attempt = { format: "tag", manifest: digest, refusal: "signer", message: "it was made by \u001b[31mothers" } as const;
const otherType = { format: "bundle", manifest: digest, refusal: "type", message: "it is an attestation" } as const;
const verification: Verification = {
  reference: `reg/app:1@${digest}`,
  digest,
  signatures: [
    { format: "bundle", manifest: digest, signer, reference: undefined, annotations: {} },
    { format: "tag", manifest: digest, signer, reference: "reg/app:1", annotations: { a: "1" } },
  ],
  refused: [attempt, otherType],
  unread: ["its list has no end"],
};
const by = "    by a.pub (ECDSA P-256, sha256:ab)\n";
const text = `reg/app:1@${digest}: verified
  bundle ${digest}\n${by}    for this digest in any repository
  tag ${digest}\n${by}    for reg/app:1, with a=1
Not accepted:
  tag ${digest}: it was made by [31mothers
Not all was looked at: its list has no end
`;

function failing(code: string, kind: "denied" | "not_found", details: object = {}): World {
  const verify = () => Promise.reject(new SlipwayError(kind, code, "no", { bare: true, ...details }));
  return { cwd, engine: { trust: { verify } } };
}

describe("verify", () => {
  const good: readonly [words: string[], stdout: string][] = [
    [[], text],
    [["--insecure-ignore-tlog=true"], text],
    [["-q"], `reg/app:1@${digest}\n`],
    [["-o", "json"], `${JSON.stringify({ verified: true, ...verification })}\n`],
  ];
  for (const [words, stdout] of good) {
    test(["verify", ...words].join(" "), async () => {
      const asked: unknown[] = [];
      const verify = async (...call: unknown[]): Promise<Verification> => {
        asked.push(call);
        return verification;
      };
      const flags = ["--key", "a.pub", "--key", "b.key", "-a", "k=v", "--repository", "other", "reg/app:1"];
      const outcome = await runInMemory(["verify", ...words, ...flags], { cwd, engine: { trust: { verify } } });
      assert.deepEqual([outcome.code, outcome.stdout, outcome.stderr], [0, stdout, ""]);
      const [[image, options]] = asked as [[string, { keys: unknown; annotations: unknown; repositories: unknown }]];
      const keys = [
        { pem: "A", name: "a.pub" },
        { pem: "B", name: "b.key" },
      ];
      assert.deepEqual([image, options.keys, options.annotations, options.repositories], ["reg/app:1", keys, { k: "v" }, ["other"]]);
    });
  }

  const bad: readonly [name: string, words: string[], world: World, code: number, stderr: RegExp, stdout: string][] = [
    ["no key", [], {}, 1, /^whose signatures are to be accepted\? --key/, ""],
    ["no such file", ["--key", "c.pub"], {}, 1, /^open c\.pub: no such file or directory\n$/, ""],
    ["a key of a service", ["--key", "awskms:///alias/x"], {}, 1, /^awskms:\/\/\/alias\/x: keys are read from files and, as env:\/\/NAME, from variables/, ""],
    ["a key by http", ["--key", "https://x/k.pub"], {}, 1, /^https:\/\/x\/k.pub: keys are read from files/, ""],
    ["no such variable", ["--key", "env://NONE"], {}, 1, /^env:\/\/NONE: there is no variable NONE\n$/, ""],
    ["an annotation without a value", ["--key", "a.pub", "-a", "k"], {}, 1, /^--annotations wants KEY=VALUE: "k"\n$/, ""],
    ["a log for nobody", ["--ca", "a.pub", "--insecure-ignore-tlog"], {}, 1, /^--insecure-ignore-tlog wants --identity and --issuer\n$/, ""],
    ["an issuer missing", ["--identity", "me"], {}, 1, /^--identity and --issuer, .* belong together\n$/, ""],
    ["a root missing", ["--identity", "me", "--issuer", "x"], {}, 1, /^--identity wants --trusted-root/, ""],
    ["a root for nobody", ["--key", "a.pub", "--trusted-root", "a.pub"], {}, 1, /^--trusted-root wants --identity and --issuer\n$/, ""],
    ["text and pattern", ["--identity", "a", "--identity-regexp", "b", "--issuer", "c"], {}, 1, /^--identity and --identity-regexp exclude/, ""],
    ["a pattern that is none", ["--identity-regexp", "(", "--issuer", "c"], {}, 1, /^invalid pattern "\("/, ""],
    ["an authority for the time of nobody", ["--key", "a.pub", "--tsa-ca", "a.pub"], {}, 1, /^--tsa-ca wants --ca/, ""],
    ["a subject for nobody", ["--key", "a.pub", "--subject", "O=x"], {}, 1, /^--subject wants --ca/, ""],
    ["unknown form", ["--key", "a.pub", "-o", "xml"], {}, 1, /^unknown --output "xml": want text or json\n$/, ""],
    ["not signed", ["--key", "a.pub"], failing("SIGNATURE_MISSING", "denied", { exitCode: 10, attempts: [] }), 10, /^no\n$/, ""],
    ["refused", ["--key", "a.pub"], failing("SIGNATURE_REFUSED", "denied", { exitCode: 12, attempts: [attempt] }), 12, /^no\n$/, ""],
    ["absent", ["--key", "a.pub"], failing("MANIFEST_NOT_FOUND", "not_found"), 11, /^no\n$/, ""],
    [
      "refused, for programs",
      ["--key", "a.pub", "-o", "json"],
      failing("SIGNATURE_REFUSED", "denied", { exitCode: 12, attempts: [attempt], digest, reference: "reg/app:1" }),
      12,
      /^no\n$/,
      `${JSON.stringify({ verified: false, reference: "reg/app:1", digest, code: "SIGNATURE_REFUSED", signatures: [], refused: [attempt] })}\n`,
    ],
  ];
  for (const [name, words, world, code, stderr, stdout] of bad) {
    test(name, async () => {
      const outcome = await runInMemory(["verify", ...words, "reg/app:1"], { cwd, ...world });
      assert.match(outcome.stderr, stderr);
      assert.deepEqual([outcome.code, outcome.stdout], [code, stdout]);
    });
  }
});

test("signatures are kept where it is said, else where cosign's variable says", async () => {
  const seen: unknown[] = [];
  const engine = {
    trust: {
      verify: async (_: string, { signatureRepository }: VerifyOptions) => {
        seen.push(signatureRepository);
        return verification;
      },
    },
  };
  const env = { COSIGN_REPOSITORY: "reg/theirs" };
  const words = ["verify", "--key", "a.pub", "reg/app"];
  await runInMemory(words, { cwd, engine });
  await runInMemory(words, { cwd, engine, env });
  await runInMemory([...words, "--signature-repository", "reg/ours"], { cwd, engine, env });
  assert.deepEqual(seen, [undefined, "reg/theirs", "reg/ours"]);
});

test("keys are read from variables, in cosign's words", async () => {
  const seen: unknown[] = [];
  const engine = {
    trust: {
      verify: async (_: string, { keys }: VerifyOptions) => {
        seen.push(keys);
        return verification;
      },
      sign: async (reference: string, { key }: SignOptions) => {
        seen.push([key?.pem, key?.name]);
        return { reference, digest, images: [] };
      },
    },
  };
  const env = { OURS: "PEM" };
  assert.equal((await runInMemory(["verify", "--key", "env://OURS", "reg/app"], { cwd, env, engine })).code, 0);
  assert.equal((await runInMemory(["sign", "--key", "env://OURS", "reg/app"], { cwd, env, engine })).code, 0);
  assert.deepEqual(seen, [[{ pem: "PEM", name: "env://OURS" }], ["PEM", "env://OURS"]]);
});

describe("sign", () => {
  test("asks for the password once, tells what was written aside and prints the names", async () => {
    const passwords: string[] = [];
    const seen: unknown[] = [];
    const outcome = await runInMemory(["sign", "--key", "b.key", "-r", "-a", "k=v", "--signature-format", "bundle", "reg/one", "reg/two"], {
      cwd,
      stdin: "secret\n",
      stdinIsTTY: true,
      engine: {
        trust: {
          sign: async (reference, { key, annotations, recursive, formats }) => {
            passwords.push(Buffer.from((await key?.password?.()) ?? "").toString());
            seen.push([reference, annotations, recursive, formats]);
            const signatures = [{ format: "bundle", manifest: digest, existed: reference === "reg/two" }];
            return { reference: `${reference}@${digest}`, digest, images: [{ digest, platform: "", signatures }] };
          },
        },
      },
    });
    assert.deepEqual([outcome.code, outcome.stdout, passwords], [0, `reg/one@${digest}\nreg/two@${digest}\n`, ["secret", "secret"]]);
    assert.equal(outcome.stderr, `Password of b.key: \n${digest}: bundle written (${digest})\n${digest}: bundle was there already (${digest})\n`);
    assert.deepEqual(seen, [
      ["reg/one", { k: "v" }, true, ["bundle"]],
      ["reg/two", { k: "v" }, true, ["bundle"]],
    ]);
  });

  const bad: readonly [words: string[], stderr: RegExp][] = [
    [["reg/app"], /^--key names the private key to sign with/],
    [["--key", "b.key", "--signature-format", "pgp", "reg/app"], /^unknown --signature-format "pgp": want bundle, legacy\n$/],
    [["--key", "b.key", "-a", "=v", "reg/app"], /^--annotations wants KEY=VALUE: "=v"\n$/],
    [["--key", "b.key", "-a", "v", "reg/app"], /^--annotations wants KEY=VALUE: "v"\n$/],
    [["--key", "hashivault://x", "reg/app"], /^hashivault:\/\/x: keys are read from files/],
  ];
  for (const [words, stderr] of bad) {
    test(words.join(" "), async () => {
      const outcome = await runInMemory(["sign", ...words], { cwd });
      assert.match(outcome.stderr, stderr);
      assert.equal(outcome.code, 1);
    });
  }
});

describe("build --sign", () => {
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  writeFileSync(path.join(cwd, "plain.key"), key.export({ type: "pkcs8", format: "pem" }));
  writeFileSync(path.join(cwd, "secret.key"), key.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" }));
  const metadata = { "image.name": "reg/one:1,reg/two:1@sha256:0", "containerimage.digest": digest };
  const built: BuildResult = { imageId: digest, manifest: undefined, tags: [], metadata, warnings: [] };

  function world(signed: unknown[]): World {
    return {
      cwd,
      engine: {
        build: () => ({ result: Promise.resolve(built), async *[Symbol.asyncIterator]() {} }),
        trust: {
          sign: async (reference, { recursive }) => {
            signed.push([reference, recursive]);
            return { reference, digest, images: [{ digest, platform: "", signatures: [{ format: "bundle", manifest: digest, existed: false }] }] };
          },
        },
      },
    };
  }

  test("signs the digest under each name that it was pushed to, all platforms", async () => {
    const signed: unknown[] = [];
    const outcome = await runInMemory(["build", "-q", "--push", "-t", "reg/one:1", "--sign", "--key", "plain.key", "."], world(signed));
    assert.deepEqual([outcome.stderr, outcome.code, outcome.stdout], ["", 0, `${digest}\n`]);
    assert.deepEqual(signed, [
      [`reg/one:1@${digest}`, true],
      [`reg/two:1@${digest}`, true],
    ]);
  });

  const bad: readonly [name: string, words: string[], env: Record<string, string>, stderr: RegExp][] = [
    ["nothing is pushed", ["--sign", "--key", "plain.key"], {}, /--sign wants --push/],
    ["no key", ["--push", "-t", "reg/app", "--sign"], {}, /--key names the private key/],
    ["a key for nothing", ["--key", "plain.key"], {}, /--key wants --sign/],
    ["wrong password", ["--push", "-t", "reg/app", "--sign", "--key", "secret.key"], { COSIGN_PASSWORD: "no" }, /the password is wrong/],
  ];
  for (const [name, words, env, stderr] of bad) {
    test(`before anything is built: ${name}`, async () => {
      const outcome = await runInMemory(["build", ...words, "."], { cwd, env, engine: {} });
      assert.match(outcome.stderr, stderr);
      assert.equal(outcome.code, 1);
    });
  }
});
