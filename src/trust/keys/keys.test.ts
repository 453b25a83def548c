import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { formatPem, formatPublicKey, generatePrivateKey, keyTypes, parsePem, readPrivateKey, readPublicKey, sealPrivateKey } from "./index.ts";

const recorded = (name: string): string => readFileSync(path.join(import.meta.dirname, "testdata", name), "utf8");
const password = (text: string) => () => Promise.resolve(Buffer.from(text));
const noPassword = () => assert.fail("no password was to be asked for");
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
const pkcs8 = ec.export({ type: "pkcs8", format: "der" });
const publicPem = formatPublicKey(createPublicKey(ec));

interface SealedFile {
  kdf?: { name: string; params: { N: number; r: number; p: number } };
  cipher: { name: string; nonce: string };
  ciphertext: string;
}

/** cosign's file with other fields in its JSON */
function changed(change: (file: SealedFile, params: { N: number; r: number; p: number }) => void): string {
  const file = JSON.parse(parsePem(recorded("cosign.key"), "x")[0].bytes.toString()) as SealedFile;
  change(file, file.kdf!.params);
  return formatPem("ENCRYPTED SIGSTORE PRIVATE KEY", Buffer.from(JSON.stringify(file)));
}

describe("private keys", () => {
  test("cosign's file opens with its password, and has the public key that cosign wrote beside it", async () => {
    const key = await readPrivateKey(recorded("cosign.key"), "cosign.key", password("pw"));
    assert.deepEqual([formatPublicKey(key.publicKey), key.description], [recorded("cosign.pub"), "ECDSA P-256"]);
  });

  test("what is sealed opens again, under its former label too", async () => {
    const sealed = await sealPrivateKey(pkcs8, Buffer.from("secret"));
    for (const text of [sealed, sealed.replaceAll("SIGSTORE", "COSIGN")]) {
      const key = await readPrivateKey(text, "k", password("secret"));
      assert.equal(formatPublicKey(key.publicKey), publicPem);
    }
  });

  const forms: readonly [name: string, pem: string, asks: boolean][] = [
    ["PKCS#8", ec.export({ type: "pkcs8", format: "pem" }).toString(), false],
    ["traditional", ec.export({ type: "sec1", format: "pem" }).toString(), false],
    ["encrypted PKCS#8", ec.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" }).toString(), true],
    ["encrypted traditional", ec.export({ type: "sec1", format: "pem", cipher: "aes-256-cbc", passphrase: "secret" }).toString(), true],
    [
      "behind parameters",
      `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${ec.export({ type: "sec1", format: "pem" }).toString()}`,
      false,
    ],
  ];
  for (const [name, pem, asks] of forms) {
    test(`${name} is read`, async () => {
      const key = await readPrivateKey(pem, "k", asks ? password("secret") : noPassword);
      assert.equal(formatPublicKey(key.publicKey), publicPem);
    });
  }

  for (const type of keyTypes) {
    test(`a new ${type} key signs what its public key verifies, and nothing else`, async () => {
      const made = await generatePrivateKey(type);
      const key = await readPrivateKey(made.export({ type: "pkcs8", format: "pem" }).toString(), "k", noPassword);
      const signature = key.sign(Buffer.from("text"));
      const verifier = readPublicKey(formatPublicKey(key.publicKey), "k");
      assert.deepEqual([verifier.verify(Buffer.from("text"), signature), verifier.verify(Buffer.from("test"), signature)], [true, false]);
      assert.equal(verifier.verify(Buffer.from("text"), Buffer.from("no signature")), false);
    });
  }

  test("a signature over P-384 with its own hash is taken as well", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-384" });
    assert.ok(readPublicKey(formatPublicKey(publicKey), "k").verify(Buffer.from("text"), sign("sha384", Buffer.from("text"), privateKey)));
  });

  const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const curve = generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const x25519 = generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const bad: readonly [name: string, text: string, code: string][] = [
    ["wrong password", recorded("cosign.key"), "KEY_PASSWORD"],
    ["wrong password of PKCS#8", forms[2]![1], "KEY_PASSWORD"],
    ["damaged ciphertext", changed((file) => (file.ciphertext = `AAAA${file.ciphertext.slice(4)}`)), "KEY_PASSWORD"],
    ["no PEM", "hello", "KEY_INVALID"],
    ["no base64", "-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----", "KEY_INVALID"],
    ["no key in it", formatPem("PRIVATE KEY", Buffer.from("hello")), "KEY_INVALID"],
    ["a public key", publicPem, "KEY_INVALID"],
    ["endless text", "x".repeat(1 << 20), "KEY_INVALID"],
    ["another KDF", changed((file) => (file.kdf!.name = "pbkdf2")), "KEY_INVALID"],
    ["another cipher", changed((file) => (file.cipher.name = "aes")), "KEY_INVALID"],
    ["short nonce", changed((file) => (file.cipher.nonce = "AAAA")), "KEY_INVALID"],
    ["no fields", changed((file) => delete file.kdf), "KEY_INVALID"],
    ["deep JSON", formatPem("ENCRYPTED SIGSTORE PRIVATE KEY", Buffer.from(`{"a":${"[".repeat(900)}${"]".repeat(900)}}`)), "INVALID_DOCUMENT"],
    ["cost: memory of 1 TiB", changed((_, params) => (params.N = 2 ** 30)), "KEY_COST"],
    ["cost: hours", changed((_, params) => (params.p = 100_000)), "KEY_COST"],
    ["cost: wide blocks", changed((_, params) => (params.r = 2 ** 28)), "KEY_COST"],
    ["cost: no power of two", changed((_, params) => (params.N = 65_537)), "KEY_COST"],
    ["cost: negative", changed((_, params) => (params.N = -2)), "KEY_COST"],
    ["weak RSA", weak, "KEY_UNSUPPORTED"],
    ["foreign curve", curve, "KEY_UNSUPPORTED"],
    ["a key that cannot sign", x25519, "KEY_UNSUPPORTED"],
  ];
  for (const [name, text, code] of bad) {
    test(`refused: ${name}`, async () => {
      await assert.rejects(readPrivateKey(text, "k", password("wrong")), { code });
    });
  }
});

describe("files that are no key say what they are, and what makes one of them", () => {
  const sec1 = ec.export({ type: "sec1", format: "der" }).toString();
  const openSsh = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
  const cases: readonly [name: string, text: string, remedy: RegExp | undefined, asPublic?: true][] = [
    ["empty", "\n", /the file is empty/],
    ["DER", sec1, /openssl pkey -inform DER -in k prints it as PEM, or PKCS #12/],
    ["OpenSSH's public form", "ecdsa-sha2-nistp256 AAAA me@host", /ssh-keygen -e -m PKCS8 -f k prints it/, true],
    ["OpenSSH's private form", openSsh, /ssh-keygen -p -m PKCS8/],
    ["the public key", publicPem, /that is the public one/],
    ["a certificate", formatPem("CERTIFICATE", Buffer.from("x")), /belongs to the certificate/],
    ["the private key", ec.export({ type: "pkcs8", format: "pem" }).toString(), /openssl pkey -in k -pubout/, true],
    ["cosign's private key", recorded("cosign.key"), /in the file \.pub/, true],
    ["text", "hello", undefined],
  ];
  for (const [name, text, remedy, asPublic] of cases) {
    test(name, async () => {
      const reading = asPublic === true ? (async () => readPublicKey(text, "k"))() : readPrivateKey(text, "k", noPassword);
      const error: unknown = await reading.catch((thrown: unknown) => thrown);
      assert.ok(isSlipwayError(error, "KEY_INVALID"), String(error));
      const said = error.details["remedy"];
      assert.match(typeof said === "string" ? said : "", remedy ?? /^$/);
      assert.equal(error.details["bare"], true);
    });
  }
});

describe("public keys", () => {
  test("PKCS#1 is read", () => {
    const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const key = readPublicKey(publicKey.export({ type: "pkcs1", format: "pem" }).toString(), "k");
    assert.deepEqual([key.description, formatPublicKey(key.publicKey)], ["RSA 2048", formatPublicKey(publicKey)]);
  });

  const bad: readonly [name: string, text: string, code: string][] = [
    ["a private key", ec.export({ type: "pkcs8", format: "pem" }).toString(), "KEY_INVALID"],
    ["noise", formatPem("PUBLIC KEY", Buffer.from("hello")), "KEY_INVALID"],
    ["noise as a certificate", formatPem("CERTIFICATE", Buffer.from("hello")), "KEY_INVALID"],
    [
      "weak RSA",
      formatPublicKey(
        createPublicKey(createPrivateKey(generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ type: "pkcs8", format: "pem" }))),
      ),
      "KEY_UNSUPPORTED",
    ],
  ];
  for (const [name, text, code] of bad) test(`refused: ${name}`, () => assert.throws(() => readPublicKey(text, "k"), { code }));
});
