/** Notation's signatures: made, accepted by the rules for certificates, refused for every reason that there is. */
import assert from "node:assert/strict";
import { createPrivateKey, sign as signBytes, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Slipway, type SignOptions, type VerifyOptions } from "../../src/engine/index.ts";
import { issue, noOpenssl, usages, type Issued } from "./certificates.ts";
import { pair, refusals } from "./keys.ts";
import { manifestType, pushImage, pushRecorded, readRecorded, sha256, startRepository, type Repository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-notation-"));
const slipway = await Slipway.open({ root: path.join(root, "store") });
after(async () => {
  await slipway.close();
  rmSync(root, { recursive: true });
});

/** An envelope as notation's signatures lie in a registry: a manifest about the image that carries it. */
async function pushSignature(repository: Repository, digest: string, envelope: string | Uint8Array, mediaType: string): Promise<void> {
  const layer = await repository.pushBlob(envelope, mediaType);
  const config = await repository.pushBlob("{}", "application/vnd.cncf.notary.signature");
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config,
    layers: [layer],
    subject: { mediaType: manifestType, digest, size: 1 },
  });
  await repository.pushManifest(sha256(manifest), manifest);
}

describe("recorded", () => {
  test("notation's signatures are accepted, at their time", async () => {
    await using repository = await startRepository("acme/noted", { referrers: false });
    await pushRecorded(repository, readRecorded("notation.json"));
    const image = `${repository.name}:1`;
    const pem = readFileSync(path.join(import.meta.dirname, "recorded/notation-root.crt"), "utf8");
    const trusted: VerifyOptions = { authorities: [{ pem }], annotations: { by: "them" }, now: new Date("2027-01-01T00:00:00Z") };
    const { signatures } = await slipway.trust.verify(image, trusted);
    assert.deepEqual(
      signatures.map(({ format, signer }) => `${format} ${signer.name}`),
      ["notation C=US, ST=WA, O=Acme, CN=release", "notation C=US, ST=WA, O=Acme, CN=release"],
    );
    for (const now of ["2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z"]) {
      assert.deepEqual(await refusals(slipway.trust.verify(image, { ...trusted, now: new Date(now) })), ["certificate", "certificate"]);
    }
    assert.deepEqual(await refusals(slipway.trust.verify(image, pair("ours"))), ["signer", "signer"]);
  });
});

describe("made here", { skip: noOpenssl }, () => {
  if (noOpenssl !== false) return;
  const authority = issue(root, "root", usages.root);
  const stranger = issue(root, "stranger", usages.root);
  const middle = issue(root, "middle", [...usages.root, "subjectKeyIdentifier=hash"], authority);
  const release = issue(root, "release", usages.leaf, middle);
  const trusted: VerifyOptions = { authorities: [{ pem: authority.certificate }] };
  const by = ({ key, chain }: Issued): SignOptions => ({ key: { pem: key, name: "k.pem" }, certificates: { pem: chain, name: "k.chain" } });

  for (const format of ["jws", "cose"] as const) {
    test(`${format}: once, with annotations, accepted for who signed it`, async () => {
      await using repository = await startRepository();
      await pushImage(repository, "1");
      const image = `${repository.name}:1`;
      for (const existed of [false, true]) {
        const { images } = await slipway.trust.sign(image, { ...by(release), formats: [format], annotations: { commit: "4f1c2d" } });
        assert.deepEqual(
          images[0]?.signatures.map((one) => `${one.format} ${one.existed}`),
          [`${format} ${existed}`],
        );
      }
      const good: readonly VerifyOptions[] = [
        trusted,
        { ...trusted, annotations: { commit: "4f1c2d" } },
        { ...trusted, subjects: ["O=Other", "O=Acme, CN=release"] },
        { ...trusted, subjects: ["x509.subject: C=US, ST=WA, O=Acme"] },
        { authorities: [{ pem: middle.certificate }] },
        { authorities: [{ pem: stranger.certificate + authority.certificate }] },
      ];
      for (const options of good) assert.equal((await slipway.trust.verify(image, options)).signatures.length, 1);
      const bad: readonly [options: VerifyOptions, refusal: string][] = [
        [{ ...trusted, annotations: { commit: "other" } }, "annotations"],
        [{ ...trusted, subjects: ["O=Acme, CN=other"] }, "signer"],
        [{ authorities: [{ pem: stranger.certificate }] }, "signer"],
        [pair("ours"), "signer"],
      ];
      for (const [options, refusal] of bad) assert.deepEqual(await refusals(slipway.trust.verify(image, options)), [refusal]);
    });
  }

  test("a name with a comma in it is that name, and no two", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    const image = `${repository.name}:1`;
    await slipway.trust.sign(image, by(issue(root, "release, ST=night", usages.leaf, middle)));
    const verify = async (subject: string): Promise<number> => (await slipway.trust.verify(image, { ...trusted, subjects: [subject] })).signatures.length;
    assert.equal(await verify("CN=release\\, ST=night, O=Acme"), 1);
    for (const subject of ["CN=release", "ST=night", "CN=release, ST=night"]) assert.deepEqual(await refusals(verify(subject)), ["signer"]);
  });

  test("RSA, beside cosign's formats", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    const rsa = issue(root, "rsa", usages.leaf, authority, ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]);
    await slipway.trust.sign(`${repository.name}:1`, { ...by(rsa), formats: ["bundle", "jws", "cose"] });
    const keys = [{ pem: rsa.certificate }];
    const { signatures, refused } = await slipway.trust.verify(`${repository.name}:1`, { ...trusted, keys });
    assert.deepEqual(
      [signatures.map(({ signer }) => `${signer.kind} ${signer.description}`).toSorted(), refused],
      [["certificate RSA 3072", "certificate RSA 3072", "key RSA 3072"], []],
    );
  });

  const withoutUse = (name: string, ...extensions: readonly string[]): Issued => issue(root, name, extensions, authority);
  const [noAuthority, signature, codeSigning] = usages.leaf;
  const notary = issue(root, "notary", [noAuthority, "keyUsage=critical,keyCertSign"], authority);
  const shallow = issue(root, "shallow", ["basicConstraints=critical,CA:TRUE,pathlen:0", usages.root[1]], authority);
  const chains: readonly [name: string, signer: Issued, why: RegExp][] = [
    ["no code signing", withoutUse("tls", noAuthority, signature, "extendedKeyUsage=serverAuth"), /is not for code signing/],
    ["no signatures", withoutUse("cipher", noAuthority, "keyUsage=critical,keyEncipherment", codeSigning), /may not be used for signatures/],
    ["no usage at all", withoutUse("bare", noAuthority), /may not be used for signatures/],
    ["an authority", middle, /is an authority's certificate/],
    ["issued by what is no authority", issue(root, "below", usages.leaf, notary), /is no authority, and issued a certificate/],
    ["more authorities than allowed", issue(root, "deep", usages.leaf, issue(root, "third", usages.root, shallow)), /has more authorities below it/],
    ["without its root", { ...release, chain: release.certificate + middle.certificate }, /was not issued by itself, and its issuer is not in the chain/],
    ["out of order", { ...release, chain: release.certificate + authority.certificate + middle.certificate }, /was not issued by/],
    ["of another key", { ...release, key: stranger.key }, /is not the certificate of the key/],
    ["without certificates", { ...release, chain: release.key }, /it has 0 certificates/],
  ];
  for (const [name, signer, why] of chains) {
    test(`a chain that signs nothing: ${name}`, async () => {
      await assert.rejects(slipway.trust.sign("registry.example/app", by(signer)), (error: { readonly code: string; readonly message: string }) => {
        assert.match(error.message, why);
        return error.code === "CERTIFICATE_INVALID";
      });
    });
  }

  interface Parts {
    header: Record<string, unknown>;
    artifact: Record<string, unknown>;
    signer: Issued;
    chain: string;
    after: (envelope: { payload: string; protected: string; signature: string }) => void;
  }

  async function pushJws(repository: Repository, digest: string, change: (parts: Parts) => void): Promise<void> {
    const header = {
      alg: "ES256",
      crit: ["io.cncf.notary.signingScheme"],
      cty: "application/vnd.cncf.notary.payload.v1+json",
      "io.cncf.notary.signingScheme": "notary.x509",
      "io.cncf.notary.signingTime": "2026-11-27T12:00:00Z",
    };
    const parts: Parts = { header, artifact: { mediaType: manifestType, digest, size: 1 }, signer: release, chain: release.chain, after: () => undefined };
    change(parts);
    const url = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    const [head, payload] = [url(parts.header), url({ targetArtifact: parts.artifact })];
    const key = createPrivateKey(parts.signer.key);
    const signed = signBytes("sha256", Buffer.from(`${head}.${payload}`), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
    const x5c = (parts.chain.match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem).raw.toString("base64"));
    const envelope = { payload, protected: head, header: { x5c }, signature: signed };
    parts.after(envelope);
    await pushSignature(repository, digest, JSON.stringify(envelope), "application/jose+json");
  }

  const envelopes: readonly [name: string, change: (parts: Parts) => void, refusal: string | undefined][] = [
    ["nothing: it is as it should be", () => undefined, undefined],
    ["nothing: it expires later", ({ header }) => (header["io.cncf.notary.expiry"] = "2999-01-01T00:00:00Z"), undefined],
    ["another image", ({ artifact }) => (artifact["digest"] = sha256("other")), "subject"],
    ["no image", ({ artifact }) => delete artifact["digest"], "subject"],
    ["another key", (parts) => (parts.signer = stranger), "signer"],
    ["a chain that ends elsewhere", (parts) => Object.assign(parts, { signer: foreign, chain: foreign.chain }), "signer"],
    [
      "a chain with a trusted certificate put to it",
      (parts) => Object.assign(parts, { signer: foreign, chain: foreign.chain + authority.certificate }),
      "certificate",
    ],
    ["no chain", (parts) => (parts.chain = ""), "certificate"],
    ["the payload changed", (parts) => (parts.after = (envelope) => (envelope.payload = `${envelope.payload}IA`)), "signer"],
    ["the algorithm none", ({ header }) => (header["alg"] = "none"), "signer"],
    ["the algorithm HS256", ({ header }) => (header["alg"] = "HS256"), "signer"],
    ["a critical header that is not known", ({ header }) => (header["crit"] = ["io.cncf.notary.signingScheme", "other"]), "type"],
    ["nothing critical", ({ header }) => delete header["crit"], "type"],
    ["another scheme", ({ header }) => (header["io.cncf.notary.signingScheme"] = "notary.x509.signingAuthority"), "type"],
    ["another content", ({ header }) => (header["cty"] = "text/plain"), "type"],
    ["it has expired", ({ header }) => (header["io.cncf.notary.expiry"] = "2020-01-01T00:00:00Z"), "certificate"],
    ["an expiry that is no time", ({ header }) => (header["io.cncf.notary.expiry"] = "soon"), "certificate"],
    ["no signature", (parts) => (parts.after = (envelope) => (envelope.signature = "")), "unreadable"],
  ];
  const foreign = issue(root, "foreign", usages.leaf, stranger);
  for (const [name, change, refusal] of envelopes) {
    test(`a JWS: ${name}`, async () => {
      await using repository = await startRepository();
      await pushJws(repository, await pushImage(repository, "1"), change);
      const verification = slipway.trust.verify(`${repository.name}:1`, trusted);
      if (refusal === undefined) assert.equal((await verification).signatures.length, 1);
      else assert.deepEqual(await refusals(verification), [refusal]);
    });
  }

  const noise: readonly [name: string, bytes: Buffer][] = [
    ["nothing", Buffer.alloc(0)],
    ["text", Buffer.from("hello")],
    ["another tag", Buffer.from("d38440a04040", "hex")],
    ["three parts", Buffer.from("d28340a040", "hex")],
    ["no headers", Buffer.from("d28440a04040", "hex")],
    ["a map with one key twice", Buffer.from("d28440a2010101024040", "hex")],
    ["a million arrays within each other", Buffer.alloc(1_000_000, 0x81)],
    ["a string of 4 GiB", Buffer.from("d2845bffffffff", "hex")],
  ];
  for (const [name, bytes] of noise) {
    test(`COSE that is none: ${name}`, async () => {
      await using repository = await startRepository();
      const digest = await pushImage(repository, "1");
      await pushSignature(repository, digest, bytes, "application/cose");
      assert.deepEqual(await refusals(slipway.trust.verify(`${repository.name}:1`, trusted)), ["unreadable"]);
    });
  }
});

describe("words", () => {
  const options: VerifyOptions = { authorities: [{ pem: readFileSync(path.join(import.meta.dirname, "recorded/notation-root.crt"), "utf8") }] };
  const bad: readonly [name: string, work: () => Promise<unknown>, code: string][] = [
    ["no subject", () => slipway.trust.verify("registry.example/app", { ...options, subjects: ["Acme"] }), "CERTIFICATE_INVALID"],
    ["an empty attribute", () => slipway.trust.verify("registry.example/app", { ...options, subjects: ["O=Acme,,CN=x"] }), "CERTIFICATE_INVALID"],
    ["no certificate", () => slipway.trust.verify("registry.example/app", { authorities: pair("ours").keys }), "CERTIFICATE_INVALID"],
    ["nobody is trusted", () => slipway.trust.verify("registry.example/app", {}), "USAGE"],
    ["jws without certificates", () => slipway.trust.sign("registry.example/app", { ...pair("ours"), formats: ["jws"] }), "USAGE"],
  ];
  for (const [name, work, code] of bad) test(name, async () => await assert.rejects(work(), { code }));
});
