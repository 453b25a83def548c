/** Commands about trust: keys, signatures, attestations. */
import type { Command } from "../command.ts";
import { flag } from "./flag.ts";

const password =
  "The private key is kept under a password, which comes from SLIPWAY_KEY_PASSWORD or COSIGN_PASSWORD where one of them is set, else from the terminal.";

const outputFlags = [
  flag("force", "f", "bool", "Replace files that are there"),
  flag("output", "o", "string", "Name of the two files, without .key and .pub", { default: '"slipway"', complete: "file" }),
  flag("quiet", "q", "bool", "Print the fingerprint only"),
];

export const trustCommands: readonly Command[] = [
  {
    name: "generate",
    short: "Make a pair of keys to sign images with",
    long: `Writes NAME.key and NAME.pub. Both are as cosign keeps them, so each program takes the other's.\n\n${password}`,
    usage: "[OPTIONS]",
    flags: [
      ...outputFlags,
      flag("type", "", "string", "Kind of key", {
        default: '"ecdsa-p256"',
        complete: ["ecdsa-p256", "rsa-3072", "rsa-4096", "rsa-2048", "ecdsa-p384", "ecdsa-p521", "ed25519"],
      }),
    ],
    args: { min: 0, max: 0 },
    paths: ["key generate"],
    examples: [{ text: "A pair of keys, release.key and release.pub", command: "slipway key generate --output release" }],
    load: async () => (await import("../commands/key.ts")).runKeyGenerate,
  },
  {
    name: "import",
    short: "Keep a private key of elsewhere as a pair of keys to sign images with",
    long: `Reads a private key as PEM: PKCS#8, encrypted or not, OpenSSL's traditional forms, or cosign's. ECDSA, RSA and Ed25519 keys are taken.\n\n${password} Where the key that is read has another one, SLIPWAY_IMPORT_PASSWORD names that.`,
    usage: "[OPTIONS] FILE",
    flags: outputFlags,
    args: { min: 1, max: 1 },
    paths: ["key import"],
    complete: "file",
    examples: [{ text: "A key that OpenSSL made", command: "slipway key import --output release key.pem" }],
    load: async () => (await import("../commands/key.ts")).runKeyImport,
  },
];
