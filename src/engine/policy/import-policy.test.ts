import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { readTrustedRoot } from "../../trust/keyless/index.ts";
import { parseReference, repositoryName } from "../../oci/reference.ts";
import { isSignedName } from "../../trust/signatures/index.ts";
import { parsePolicy } from "./policy-file.ts";
import { importPolicy } from "./import-policy.ts";

const directory = mkdtempSync(path.join(tmpdir(), "slipway-import-"));
after(() => rmSync(directory, { recursive: true }));
const certificates = path.join(directory, "truststore/x509/ca/acme");
mkdirSync(certificates, { recursive: true });
writeFileSync(path.join(certificates, "root.crt"), "");
const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
writeFileSync(path.join(directory, "rekor.pub"), pem);
writeFileSync(path.join(directory, "ca.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
const file = path.join(directory, "policy.json");

interface Read {
  readonly scopes: Readonly<Record<string, unknown>>;
  readonly default: unknown;
}
const convert = (text: object) => importPolicy(JSON.stringify(text), file);
const read = (text: object): Read => JSON.parse(convert(text).text) as Read;
const anything = [{ type: "insecureAcceptAnything" }];
const reject = [{ type: "reject" }];
const docker = (requirements: readonly object[]): object => ({ default: reject, transports: { docker: { "a.b/c": requirements } } });

test("containers: what accepts, what rejects, and the transport's own default", () => {
  const policy = { default: reject, transports: { docker: { "": anything, "a.b": reject, "docker.io/library/x:1": anything }, dir: { "": anything } } };
  const { text, notes } = convert(policy);
  assert.deepEqual(JSON.parse(text), {
    version: 1,
    mode: "enforce",
    loaded: "reject",
    scopes: { "a.b": { reject: true }, "docker.io/library/x:1": { accept: true } },
    default: { accept: true },
  });
  assert.deepEqual(notes, ['transports.dir is left out: what comes otherwise than from a registry is judged by "loaded"']);
  assert.deepEqual(read({ default: anything }).default, { accept: true });
  const files = { dir: { "": anything }, "docker-archive": { "": anything }, oci: { "": anything }, "oci-archive": { "": anything } };
  const loaded = (body: object): unknown => (JSON.parse(convert(body).text) as { readonly loaded: unknown }).loaded;
  assert.deepEqual([loaded({ default: anything }), loaded({ default: reject, transports: files })], ["accept", "accept"]);
  assert.deepEqual([loaded({ default: reject }), loaded({ default: anything, transports: { oci: { "": reject } } })], ["reject", "reject"]);
});

const matchRepository = { signedIdentity: { type: "matchRepository" } };
const demands: readonly { readonly name: string; readonly requirement: readonly object[]; readonly want: unknown; readonly note?: RegExp }[] = [
  { name: "a key", requirement: [{ type: "sigstoreSigned", keyPath: "/k.pub", ...matchRepository }], want: { signed: [{ keys: ["/k.pub"] }] } },
  {
    name: "keys beside the file",
    requirement: [{ type: "sigstoreSigned", keyPaths: ["k.pub", "/l.pub"], ...matchRepository }],
    want: { signed: [{ keys: [path.join(directory, "k.pub"), "/l.pub"] }] },
  },
  {
    name: "the default identity",
    requirement: [{ type: "sigstoreSigned", keyPath: "/k.pub" }],
    want: { signed: [{ keys: ["/k.pub"], signedName: { match: "exactOrDigest" } }] },
  },
  {
    name: "a mirror's original",
    requirement: [{ type: "sigstoreSigned", keyPath: "/k.pub", signedIdentity: { type: "exactRepository", dockerRepository: "o.r/x" } }],
    want: { signed: [{ keys: ["/k.pub"], signedName: { repository: "o.r/x" } }] },
  },
  {
    name: "a reference of elsewhere",
    requirement: [{ type: "sigstoreSigned", keyPath: "/k.pub", signedIdentity: { type: "exactReference", dockerReference: "o.r:5000/x:1" } }],
    want: { signed: [{ keys: ["/k.pub"], signedName: { reference: "o.r:5000/x:1" } }] },
  },
  {
    name: "GPG",
    requirement: [{ type: "signedBy", keyType: "GPGKeys", keyPath: "/k.gpg" }],
    want: { reject: true, reason: "signedBy wants GPG signatures, which cannot be verified: sign with slipway sign or cosign" },
    note: /everything of it is refused/,
  },
  {
    name: "a demand beside one that accepts anything",
    requirement: [...anything, { type: "sigstoreSigned", keyPath: "/k.pub", ...matchRepository }],
    want: { signed: [{ keys: ["/k.pub"] }] },
  },
  { name: "a demand beside one that rejects", requirement: [{ type: "sigstoreSigned", keyPath: "/k.pub" }, ...reject], want: { reject: true } },
  {
    name: "two demands",
    requirement: [
      { type: "sigstoreSigned", keyPath: "/k", ...matchRepository },
      { type: "sigstoreSigned", keyPath: "/l", ...matchRepository },
    ],
    want: { signedByAll: [{ keys: ["/k"] }, { keys: ["/l"] }] },
  },
  {
    name: "two demands, one of which cannot be met",
    requirement: [
      { type: "sigstoreSigned", keyPath: "/k", ...matchRepository },
      { type: "signedBy", keyType: "GPGKeys", keyPath: "/l" },
    ],
    want: { reject: true, reason: "signedBy wants GPG signatures, which cannot be verified: sign with slipway sign or cosign" },
    note: /everything of it is refused/,
  },
  {
    name: "identities that are mapped",
    requirement: [{ type: "sigstoreSigned", keyPath: "/k", signedIdentity: { type: "remapIdentity", prefix: "a", signedPrefix: "b" } }],
    want: { signed: [{ keys: ["/k"], signedName: { prefix: "a", signedPrefix: "b" } }] },
  },
];
describe("containers:", () => {
  for (const { name, requirement, want, note } of demands) {
    test(name, () => {
      const { text, notes } = convert(docker(requirement));
      assert.deepEqual((JSON.parse(text) as Read).scopes["a.b/c"], want);
      assert.deepEqual([notes.length, note === undefined || note.test(notes.join())], [note === undefined ? 0 : 1, true], notes.join());
    });
  }

  test("signed names compare as they do for skopeo", () => {
    const { identities, asked, signed, accepted } = JSON.parse(readFileSync(path.join(import.meta.dirname, "testdata/signed-names.json"), "utf8")) as {
      readonly identities: readonly object[];
      readonly asked: readonly string[];
      readonly signed: readonly string[];
      readonly accepted: readonly (readonly number[])[];
    };
    const found = identities.flatMap((signedIdentity, identity) => {
      const { text } = convert(docker([{ type: "sigstoreSigned", keyPath: "/k", signedIdentity }]));
      const rule = parsePolicy(text, "p").scopes[0]?.rule.signed[0];
      const name = rule?.kind === "keys" ? rule.signedName : assert.fail("no rule for a key");
      return asked.flatMap((image, ask) => {
        const reference = parseReference(image);
        // without a rule the repository has to be right
        const fits = (text: string): boolean => isSignedName(name ?? { kind: "repository", repository: repositoryName(reference) }, reference, text);
        return signed.flatMap((text, at) => (fits(text) ? [[identity, ask, at]] : []));
      });
    });
    const sorted = (rows: readonly (readonly number[])[]): readonly string[] => rows.map((row) => row.join()).toSorted();
    assert.deepEqual(sorted(found), sorted(accepted));
  });

  test("a key that stands in the file goes beside it", () => {
    const { text, files } = convert(docker([{ type: "sigstoreSigned", keyData: Buffer.from(pem).toString("base64"), ...matchRepository }]));
    assert.deepEqual(files, [{ name: "key-a.b-c-1.pub", text: pem }]);
    assert.deepEqual((JSON.parse(text) as Read).scopes["a.b/c"], { signed: [{ keys: ["key-a.b-c-1.pub"] }] });
  });

  test("an authority and a log become a trusted root", async () => {
    const fulcio = { caPath: path.join(directory, "ca.pem"), oidcIssuer: "https://i", subjectEmail: "a@b.c" };
    const { text, files } = convert(docker([{ type: "sigstoreSigned", fulcio, rekorPublicKeyPath: "rekor.pub", ...matchRepository }]));
    assert.deepEqual((JSON.parse(text) as Read).scopes["a.b/c"], {
      signed: [{ identity: "a@b.c", issuer: "https://i", trustedRoot: "trusted-root-a.b-c.json", ignoreCertificateLog: true }],
    });
    const root = JSON.parse(files[0]?.text ?? "") as { readonly tlogs: readonly unknown[] };
    assert.equal(root.tlogs.length, 1);
    // the certificate of this test is none: the reader comes as far as that
    await assert.rejects(readTrustedRoot(Buffer.from(files[0]?.text ?? ""), "r"), { code: "TRUSTED_ROOT_INVALID" });
  });
});

test("notation: levels, stores and identities", () => {
  const policy = (name: string, scopes: readonly string[], level: string, more: object = {}): object => ({
    name,
    registryScopes: scopes,
    signatureVerification: { level },
    trustStores: ["ca:acme"],
    trustedIdentities: ["*"],
    ...more,
  });
  const authorities = [certificates];
  const trustPolicies = [
    policy("strict", ["a.b/c"], "strict", { trustedIdentities: ["x509.subject: C=US, O=Acme"] }),
    policy("audit", ["a.b/d"], "audit"),
    policy("skip", ["a.b/e"], "skip", { trustStores: undefined }),
    policy("all", ["*"], "permissive"),
  ];
  const { text, notes } = convert({ version: "1.0", trustPolicies });
  assert.deepEqual(JSON.parse(text), {
    version: 1,
    mode: "enforce",
    scopes: {
      "a.b/c": { signed: [{ authorities, subjects: ["C=US, O=Acme"] }] },
      "a.b/d": { mode: "audit", signed: [{ authorities }] },
      "a.b/e": { accept: true },
    },
    default: { signed: [{ authorities }] },
  });
  assert.equal(notes.length, 2);
  assert.deepEqual(read({ version: "1.0", trustPolicies: [trustPolicies[0]] }).default, { reject: true, reason: "no trust policy is about it" });
});

const broken: readonly { readonly name: string; readonly text: object; readonly want: RegExp }[] = [
  { name: "neither of the two", text: { scopes: {} }, want: /neither containers' policy\.json nor notation's/ },
  { name: "an unknown key", text: { default: reject, transport: {} }, want: /:1: unknown key "transport"/ },
  { name: "an unknown requirement", text: { default: [{ type: "maybe" }] }, want: /unknown type "maybe"/ },
  { name: "no requirement", text: { default: [] }, want: /default has no requirement/ },
  { name: "a key to nothing", text: docker([{ type: "sigstoreSigned" }]), want: /names no key/ },
  {
    name: "a fulcio without a log",
    text: docker([{ type: "sigstoreSigned", fulcio: { caPath: path.join(directory, "ca.pem"), oidcIssuer: "i", subjectEmail: "s" } }]),
    want: /the log's key is needed/,
  },
  {
    name: "notation: a store that leads away",
    text: { version: "1.0", trustPolicies: [{ name: "n", signatureVerification: { level: "strict" }, trustStores: ["ca:.."] }] },
    want: /no trust store/,
  },
  { name: "notation: another version", text: { version: "2.0", trustPolicies: [] }, want: /want "version": "1\.0"/ },
];
describe("refused:", () => {
  for (const { name, text, want } of broken) test(name, () => assert.throws(() => convert(text), { code: "POLICY_IMPORT", message: want }));
});
