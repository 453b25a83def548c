/** Commands about trust: keys, signatures, attestations. */
import type { Command } from "../command.ts";
import type { FlagSpec } from "../flags.ts";
import { flag } from "./flag.ts";
import { samenessFlags, stepFlags } from "./build.ts";
import { keylessFlags, signatureRepositoryFlag } from "./keyless-flags.ts";

const password =
  "The private key is kept under a password, which comes from SLIPWAY_KEY_PASSWORD or COSIGN_PASSWORD where one of them is set, else from the terminal.";

const outputFlags = [
  flag("force", "f", "bool", "Replace files that are there"),
  flag("output", "o", "string", "Name of the two files, without .key and .pub", { default: '"slipway"', complete: "file" }),
  flag("quiet", "q", "bool", "Print the fingerprint only"),
];

function annotationsFlag(usage: string): FlagSpec {
  return flag("annotations", "a", "stringArray", `${usage} (KEY=VALUE)`);
}

const types = ["spdxjson", "cyclonedx", "slsaprovenance1", "slsaprovenance02", "openvex", "vuln", "link", "custom"];
const typeNames =
  "spdxjson, cyclonedx, slsaprovenance1, slsaprovenance02, openvex, vuln and link, or any URI, whose predicate is the JSON file itself; and custom, whose predicate is any text";
const repositoryFlag = flag("repository", "", "stringArray", "Accept signatures that were made for this repository too, as for copies");
const formatFlag = flag("signature-format", "", "stringArray", 'Only in this format ("bundle", "legacy")', { complete: ["bundle", "legacy"] });

/** Signers by identity, in our words and cosign's. */
const identityFlags: readonly FlagSpec[] = [
  flag("certificate-identity", "", "string", "cosign's word for --identity"),
  flag("certificate-identity-regexp", "", "string", "As cosign has it: the identity has to have a match anywhere, unless ^ and $ say otherwise"),
  flag("certificate-oidc-issuer", "", "string", "cosign's word for --issuer"),
  flag("certificate-oidc-issuer-regexp", "", "string", "The same, by a pattern as cosign has it"),
  flag("identity", "", "string", "Accept what this signer made, by a certificate for an address or a workflow"),
  flag("identity-regexp", "", "string", "The same, by a pattern for the whole identity"),
  flag("insecure-ignore-sct", "", "bool", "With --identity, certificates need not be in a log of certificates"),
  flag("insecure-ignore-tlog", "", "bool", "With --identity, signatures need not be in a transparency log"),
  flag("issuer", "", "string", "With --identity, who has to vouch for it (an OpenID provider's address)"),
  flag("issuer-regexp", "", "string", "The same, by a pattern for the whole address"),
  flag("trusted-root", "", "string", "With --identity, file of the authorities and logs that are trusted (sigstore's trusted_root.json)", {
    complete: "file",
  }),
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
  {
    name: "sign",
    short: "Sign images of registries",
    long: `Signs what the registry has under the name, by its digest. The signature goes to the image's repository, in two formats at once: as a bundle that refers to the image, and as cosign's older tag .sig, which skopeo and podman read. With --notation it is one of notation's instead, with a chain of certificates. Signing again changes nothing, and signatures of others stay.\n\nPrints the name with the digest that was signed.\n\n${password}`,
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: [
      annotationsFlag("Sign this too"),
      flag("cert", "", "string", "With --notation, file of the key's certificate and its issuers up to the root", { complete: "file" }),
      flag("key", "", "string", "File of the private key, or env://NAME", { complete: "file" }),
      ...keylessFlags,
      flag("notation", "", "bool", "Sign as notation does, with a certificate"),
      flag("quiet", "q", "bool", "Print the signed name only"),
      flag("recursive", "r", "bool", "Sign every image of an index too"),
      flag("signature-format", "", "stringArray", 'Only in this format ("bundle", "legacy"; with --notation "jws" or "cose", by default "jws")', {
        complete: ["bundle", "legacy", "jws", "cose"],
      }),
      signatureRepositoryFlag,
    ],
    args: { min: 1 },
    paths: ["sign", "image sign"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "After a push", command: "slipway sign --key release.key registry.example/app:1.0" },
      { text: "As notation does", command: "slipway sign --notation --key release.key --cert chain.crt registry.example/app:1.0" },
      { text: "All platforms, with a note of the commit", command: "slipway sign --key release.key -r -a commit=4f1c2d registry.example/app:1.0" },
    ],
    load: async () => (await import("../commands/sign.ts")).runSign,
  },
  {
    name: "verify",
    short: "Check that an image was signed by somebody who is trusted",
    long: "Succeeds if the image that the name means now has a signature by one of the keys (--key), or by the holder of a certificate of one of the authorities (--ca), over its digest, and made for its repository: a signature that was copied from another repository is refused. Reads sigstore's bundles, all of cosign's layouts and notation's signatures. Every signature is told of, with the reason where it is not accepted. Nothing but the image's registry is asked.\n\nOf an index the index itself is verified; with --recursive every image in it besides, each by a signature of its own, and with --platform the image for that platform alone, whose digest is printed.\n\nWith --twice it is about a build instead, with the build's flags: PATH is built as ever and then once more from scratch, from a copy of the context at another place with other times and another umask. Every file and field that came out differently is named, with the line of the Dockerfile that brought it; the exit code is 1 then. No image stays.\n\nExit codes: 0 verified, 10 not signed, 11 no such image, 12 no signature is accepted, 1 anything else.",
    usage: "[OPTIONS] IMAGE | --twice PATH",
    flags: [
      annotationsFlag("Accept only signatures that have this"),
      ...identityFlags,
      flag("ca", "", "stringArray", "File of certificates that are trusted: accept notation's signatures by their holders", { complete: "file" }),
      flag("key", "", "stringArray", "File of a public key or certificate, or env://NAME; any of several will do", { complete: "file" }),
      flag("output", "o", "string", 'How to write the result ("text", "json")', { default: '"text"', complete: ["text", "json"] }),
      flag("policy", "", "bool", "Hold it against the policies instead (as policy check does)"),
      flag("quiet", "q", "bool", "Print the name with the digest that was verified only"),
      flag("recursive", "r", "bool", "Of an index, every image in it has to be signed too"),
      repositoryFlag,
      ...stepFlags,
      ...samenessFlags,
      signatureRepositoryFlag,
      flag("subject", "", "stringArray", 'With --ca, accept this signer only ("C=US, O=Acme, CN=release")'),
      flag("tsa-ca", "", "stringArray", "With --ca, file of authorities for time stamps: what they stamped while its certificate held counts after that", {
        complete: "file",
      }),
      flag("twice", "", "bool", "Build PATH twice, the second time from scratch and as on another machine, and tell what differs"),
      flag("type", "", "string", "Check for an attestation of this type instead (as for attest)", { complete: types }),
    ],
    args: { min: 1, max: 1 },
    paths: ["verify", "image verify"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "Is it ours?", command: "slipway verify --key release.pub registry.example/app:1.0" },
      { text: "Has it an SBOM of ours?", command: "slipway verify --key release.pub --type spdxjson registry.example/app:1.0" },
      { text: "Run exactly what was verified", command: "slipway run $(slipway verify -q --key release.pub registry.example/app:1.0)" },
      {
        text: "By a certificate of ours, as notation signs",
        command: "slipway verify --ca acme-root.crt --subject 'O=Acme, CN=release' registry.example/app:1.0",
      },
      { text: "Does the Dockerfile make the same image again?", command: "slipway verify --twice --frozen --reproducible ." },
      { text: "A copy on a mirror", command: "slipway verify --key release.pub --repository docker.io/acme/app mirror.example/acme/app:1.0" },
    ],
    load: async () => (await import("../commands/verify.ts")).runVerify,
  },
  {
    name: "attest",
    short: "Sign statements about images of registries",
    long: `Signs a statement about what the registry has under the name: an SBOM, a provenance, the result of a scan. It goes to the image's repository as sign's signatures do, as a bundle and under cosign's tag .att. The same again changes nothing.\n\nTypes are ${typeNames}.\n\n${password}`,
    usage: "[OPTIONS] IMAGE [IMAGE...]",
    flags: [
      flag("key", "", "string", "File of the private key, or env://NAME", { complete: "file" }),
      ...keylessFlags,
      flag("predicate", "", "string", 'File with the statement ("-": standard input)', { complete: "file" }),
      flag("quiet", "q", "bool", "Print the signed name only"),
      flag("recursive", "r", "bool", "About every image of an index too"),
      formatFlag,
      signatureRepositoryFlag,
      flag("type", "", "string", "Type of the statement", { complete: types }),
    ],
    args: { min: 1 },
    paths: ["attest"],
    group: "plain",
    complete: "image",
    examples: [
      {
        text: "The list of what is in it",
        command:
          "slipway sbom --format spdx-json -o app.json app:1.0 && slipway attest --key release.key --type spdxjson --predicate app.json registry.example/app:1.0",
      },
    ],
    load: async () => (await import("../commands/attest.ts")).runAttest,
  },
  {
    name: "signatures",
    short: "List the signatures of an image of a registry",
    long: "Lists what the image's repository has that says to be a signature of the image, in every format, and by whom and for which name it says to be: nothing of that is verified. verify does that.",
    usage: "[OPTIONS] IMAGE",
    flags: [
      flag("output", "o", "string", 'How to write the list ("text", "json")', { default: '"text"', complete: ["text", "json"] }),
      signatureRepositoryFlag,
    ],
    args: { min: 1, max: 1 },
    paths: ["signatures"],
    group: "plain",
    complete: "image",
    examples: [{ text: "Who says to have signed it?", command: "slipway signatures registry.example/app:1.0" }],
    load: async () => (await import("../commands/signatures.ts")).runSignatures,
  },
  {
    name: "attestations",
    short: "List what is attested about an image of a registry",
    long: "Lists the attestations that the image's repository has, by whomever: nothing of that is verified. With --key or --identity it prints the predicates of those that one of the keys or the identity signed instead, a line of JSON each, and fails as verify does where there is none.",
    usage: "[OPTIONS] IMAGE",
    flags: [
      ...identityFlags,
      flag("key", "", "stringArray", "Print what this public key verifies; any of several will do", { complete: "file" }),
      flag("output", "o", "string", 'How to write the list ("text", "json")', { default: '"text"', complete: ["text", "json"] }),
      repositoryFlag,
      signatureRepositoryFlag,
      flag("type", "", "string", "With --key or --identity, only those of this type (as for attest)", { complete: types }),
    ],
    args: { min: 1, max: 1 },
    paths: ["attestations"],
    group: "plain",
    complete: "image",
    examples: [
      { text: "What is there?", command: "slipway attestations registry.example/app:1.0" },
      { text: "Its SBOM, if it is ours", command: "slipway attestations --key release.pub --type spdxjson registry.example/app:1.0" },
    ],
    load: async () => (await import("../commands/attest.ts")).runAttestations,
  },
];
