/** Signatures of ours in others' programs, and theirs here: accepted, and refused when something was changed. Absent programs skip with a line. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { generateKey } from "../../src/engine/signing/keys.ts";
import { issue, noOpenssl, usages, type Issued } from "./certificates.ts";
import { refusals } from "./keys.ts";
import { call, fails, need, password, startMeeting, succeeds } from "./meeting.ts";
import { pushImage } from "./repository.ts";
import { stampUsage, startStamping } from "./stamping.ts";

const meeting = await startMeeting();
after(() => meeting[Symbol.asyncDispose]());
const { slipway, files, read, there, ownKey, ownKeys, freshImage } = meeting;

describe("cosign", need("cosign"), () => {
  const verify = (key: string, image: string, more: readonly string[] = []): readonly string[] => [
    "verify",
    "--key",
    there(`${key}.pub`),
    "--insecure-ignore-tlog=true",
    ...more,
    image,
  ];
  const bundles: readonly string[] = ["--signing-config", there("offline.json"), "-y"];
  const legacy: readonly string[] = ["--new-bundle-format=false", "--use-signing-config=false", "--tlog-upload=false", "-y"];

  test("makes keys for us", async () => {
    await succeeds("cosign", ["generate-key-pair", "--output-key-prefix", there("theirs")]);
    const nothing = ["fulcio", "oidc", "rekor", "tsa"].map((service) => `--no-default-${service}`);
    await succeeds("cosign", ["signing-config", "create", ...nothing, "--out", there("offline.json")]);
  });

  test("reads our private key", async () => {
    const { image, digest } = await freshImage();
    await succeeds("cosign", ["sign", "--key", there("own.key"), ...bundles, image.replace(/:1$/, `@${digest}`)]);
    assert.equal((await slipway.trust.verify(image, ownKeys)).signatures.length, 1);
  });

  const ways: readonly [name: string, flags: readonly string[]][] = [
    ["as a bundle", ["--new-bundle-format=true"]],
    ["as a tag", ["--new-bundle-format=false"]],
  ];
  for (const [name, flags] of ways) {
    test(`accepts ours ${name}, with annotations, and nothing else`, async () => {
      const { image, digest, place } = await freshImage();
      await slipway.trust.sign(image, { ...ownKey, annotations: { commit: "4f1c2d" } });
      await succeeds("cosign", verify("own", image, [...flags, "-a", "commit=4f1c2d"]));
      await fails("cosign", verify("own", image, [...flags, "-a", "commit=other"]));
      await fails("cosign", verify("theirs", image, flags));
      await pushImage(place, "1", `moved ${digest}`);
      await fails("cosign", verify("own", image, flags));
    });
  }

  const keyTypes = ["rsa-3072", "ecdsa-p384", "ed25519"] as const;
  for (const type of keyTypes) {
    test(`accepts ours with a key of type ${type}${type === "ed25519" ? ", as a tag" : ""}`, async () => {
      const { image } = await freshImage();
      await generateKey({ output: path.join(files.here, type), password, type });
      await slipway.trust.sign(image, { key: { pem: read(`${type}.key`), password } });
      await succeeds("cosign", verify(type, image, ["--new-bundle-format=false"]));
      if (type !== "ed25519") await succeeds("cosign", verify(type, image));
    });
  }

  const attestationOf = (key: string, image: string, more: readonly string[]): readonly string[] => [
    "verify-attestation",
    ...verify(key, image, more).slice(1),
  ];
  for (const [name, flags] of ways) {
    test(`accepts our attestation ${name}, and nothing else`, async () => {
      const { image } = await freshImage();
      await slipway.trust.attest(image, { ...ownKey, type: "spdxjson", predicate: Buffer.from('{"spdxVersion":"SPDX-2.3"}') });
      await succeeds("cosign", attestationOf("own", image, [...flags, "--type", "spdxjson"]));
      await fails("cosign", attestationOf("own", image, [...flags, "--type", "vuln"]));
      await fails("cosign", attestationOf("theirs", image, [...flags, "--type", "spdxjson"]));
    });
  }

  const forms: readonly [format: string, flags: readonly string[]][] = [
    ["bundle", bundles],
    ["tag", legacy],
  ];
  for (const [format, flags] of forms) {
    test(`attests as a ${format} that is accepted here`, async () => {
      const { image, digest } = await freshImage();
      writeFileSync(path.join(files.here, "vex.json"), '{"@context":"https://openvex.dev/ns/v0.2.0","statements":[]}');
      const words = ["attest", "--key", there("theirs.key"), "--type", "openvex", "--predicate", there("vex.json"), ...flags];
      await succeeds("cosign", [...words, image.replace(/:1$/, `@${digest}`)]);
      const { attestations } = await slipway.trust.verifyAttestations(image, { keys: [{ pem: read("theirs.pub") }], type: "openvex" });
      assert.deepEqual(
        attestations.map((one) => one.format),
        [format],
      );
    });
  }

  const textTypes: readonly [type: string, cosignReads: boolean][] = [
    ["custom", true],
    // what it writes itself, it does not read
    ["spdx", false],
  ];
  for (const [type, cosignReads] of textTypes) {
    test(`attests a text as ${type} that is accepted here${cosignReads ? ", and reads ours" : ""}`, async () => {
      const [ours, theirs] = [await freshImage(), await freshImage()];
      writeFileSync(path.join(files.here, "text.spdx"), "SPDXVersion: SPDX-2.3\n");
      const words = ["attest", "--key", there("theirs.key"), "--type", type, "--predicate", there("text.spdx"), ...bundles];
      await succeeds("cosign", [...words, theirs.image.replace(/:1$/, `@${theirs.digest}`)]);
      const { attestations } = await slipway.trust.verifyAttestations(theirs.image, { keys: [{ pem: read("theirs.pub") }], type });
      assert.match(JSON.stringify(attestations.map(({ predicate }) => predicate)), /SPDXVersion: SPDX-2.3/);
      if (!cosignReads) return;
      await slipway.trust.attest(ours.image, { ...ownKey, type, predicate: Buffer.from("SPDXVersion: SPDX-2.3\n") });
      await succeeds("cosign", attestationOf("own", ours.image, ["--type", type]));
    });
  }

  for (const [name, flags] of ways) {
    test(`looks for our signatures ${name} in another repository, and keeps its own there`, async () => {
      const [ours, theirs] = [await freshImage(), await freshImage()];
      const signatureRepository = `${ours.place.name.split("/")[0]}/acme/signatures`;
      const env = { COSIGN_REPOSITORY: signatureRepository };
      await slipway.trust.sign(ours.image, { ...ownKey, signatureRepository });
      await succeeds("cosign", verify("own", ours.image, flags), env);
      await fails("cosign", verify("own", ours.image, flags));
      const form = name === "as a tag" ? legacy : bundles;
      await succeeds("cosign", ["sign", "--key", there("theirs.key"), ...form, theirs.image.replace(/:1$/, `@${theirs.digest}`)], env);
      const trusted = { keys: [{ pem: read("theirs.pub") }], signatureRepository };
      assert.equal((await slipway.trust.verify(theirs.image, trusted)).signatures.length, 1);
    });
  }

  const layouts: readonly [name: string, flags: readonly string[], env: string, format: string][] = [
    ["a bundle", bundles, "0", "bundle"],
    ["a tag", legacy, "0", "tag"],
    ["a referrer", [...legacy, "--registry-referrers-mode=oci-1-1"], "1", "referrer"],
  ];
  for (const [name, flags, experimental, format] of layouts) {
    test(`signs ${name} that is accepted here, beside ours`, async () => {
      const { image, digest } = await freshImage();
      await succeeds("cosign", ["sign", "--key", there("theirs.key"), "-a", "by=them", ...flags, image.replace(/:1$/, `@${digest}`)], {
        COSIGN_EXPERIMENTAL: experimental,
      });
      await slipway.trust.sign(image, ownKey);
      const theirs = { keys: [{ pem: read("theirs.pub") }], annotations: { by: "them" } };
      const { signatures, refused } = await slipway.trust.verify(image, theirs);
      assert.deepEqual([signatures.map((one) => one.format), refused.length], [[format], 2]);
      await succeeds("cosign", verify("own", image));
    });
  }
});

describe("notation", { skip: need("notation").skip || noOpenssl }, () => {
  if (noOpenssl !== false) return;
  const authority = issue(files.here, "root", usages.root);
  const release = issue(files.here, "release", usages.leaf, authority);
  const stranger = issue(files.here, "stranger", usages.root);
  const clock = issue(files.here, "clock", usages.root);
  const tsa = issue(files.here, "tsa", stampUsage, clock);
  const env = { HOME: files.there, XDG_CONFIG_HOME: path.join(files.there, ".config") };
  const config = path.join(files.here, ".config/notation");
  mkdirSync(path.join(config, "truststore/x509/ca/acme"), { recursive: true });
  writeFileSync(path.join(config, "truststore/x509/ca/acme/root.crt"), authority.certificate);
  const policy = { name: "p", registryScopes: ["*"], signatureVerification: { level: "strict" }, trustStores: ["ca:acme"] };
  const trustPolicies = [{ ...policy, trustedIdentities: ["x509.subject: C=US, ST=WA, O=Acme"] }];
  writeFileSync(path.join(config, "trustpolicy.json"), JSON.stringify({ version: "1.0", trustPolicies }), { mode: 0o600 });
  const strangeTsa = issue(files.here, "strange-tsa", stampUsage, stranger);
  const stamping = path.join(files.here, ".stamps/notation");
  for (const [kind, certificate] of [
    ["ca", authority.certificate],
    ["tsa", clock.certificate],
  ] as const) {
    mkdirSync(path.join(stamping, `truststore/x509/${kind}/acme`), { recursive: true });
    writeFileSync(path.join(stamping, `truststore/x509/${kind}/acme/root.crt`), certificate);
  }
  const stampPolicies = [{ ...trustPolicies[0], trustStores: ["ca:acme", "tsa:acme"], signatureVerification: { level: "strict", verifyTimestamp: "always" } }];
  writeFileSync(path.join(stamping, "trustpolicy.json"), JSON.stringify({ version: "1.0", trustPolicies: stampPolicies }), { mode: 0o600 });
  const keys = [{ name: "acme", keyPath: there("release.key"), certPath: there("release.chain") }];
  writeFileSync(path.join(config, "signingkeys.json"), JSON.stringify({ default: "acme", keys }), { mode: 0o600 });
  const signing = (signer: Issued) => ({ key: { pem: signer.key }, certificates: { pem: signer.chain } });

  for (const format of ["jws", "cose"] as const) {
    test(`accepts ours as ${format}, and not another authority's`, async () => {
      const [ours, others] = [await freshImage(), await freshImage()];
      await slipway.trust.sign(ours.image, { ...signing(release), formats: [format], annotations: { commit: "4f1c2d" } });
      const verify = ["verify", "--insecure-registry", `${ours.place.name}@${ours.digest}`];
      await succeeds("notation", [...verify, "-m", "commit=4f1c2d"], env);
      const elsewhere = issue(files.here, `elsewhere-${format}`, usages.leaf, stranger);
      await slipway.trust.sign(others.image, { ...signing(elsewhere), formats: [format] });
      assert.notEqual((await call("notation", ["verify", "--insecure-registry", `${others.place.name}@${others.digest}`], env)).status, 0);
    });

    test(`accepts ours as ${format} with a time stamp of an authority that it trusts, and no other`, async () => {
      const [ours, others] = [await freshImage(), await freshImage()];
      await using stamps = await startStamping(files.here, tsa);
      await using wrong = await startStamping(files.here, strangeTsa);
      await slipway.trust.sign(ours.image, { ...signing(release), formats: [format], timestampUrl: stamps.url });
      await slipway.trust.sign(others.image, { ...signing(release), formats: [format], timestampUrl: wrong.url });
      // with an authority for time stamps in its policy it wants one on every signature
      const stampEnv = { ...env, XDG_CONFIG_HOME: there(".stamps") };
      const verify = ["verify", "--insecure-registry"];
      await succeeds("notation", [...verify, `${ours.place.name}@${ours.digest}`], stampEnv);
      await fails("notation", [...verify, "--verbose", `${others.place.name}@${others.digest}`], /timestamp/iu, stampEnv);
    });

    test(`has ${format} stamped, which is accepted here when its certificate has expired`, async () => {
      const { image, digest, place } = await freshImage();
      await using stamps = await startStamping(files.here, tsa);
      const stamping = ["--timestamp-url", stamps.url, "--timestamp-root-cert", there("clock.crt")];
      const words = ["sign", "--insecure-registry", "--key", "acme", "--signature-format", format, ...stamping, `${place.name}@${digest}`];
      await succeeds("notation", words, env);
      const later = new Date(Date.now() + 15 * 365 * 24 * 3600 * 1000);
      const trusted = { authorities: [{ pem: authority.certificate }], now: later };
      assert.deepEqual(await refusals(slipway.trust.verify(image, trusted)), ["certificate"]);
      const { signatures } = await slipway.trust.verify(image, { ...trusted, timestampAuthorities: [{ pem: clock.certificate }] });
      assert.equal(signatures.length, 1);
    });

    test(`signs ${format} that is accepted here, beside ours`, async () => {
      const { image, digest, place } = await freshImage();
      await slipway.trust.sign(image, ownKey);
      await succeeds(
        "notation",
        ["sign", "--insecure-registry", "--key", "acme", "--signature-format", format, "-m", "by=them", `${place.name}@${digest}`],
        env,
      );
      const trusted = { authorities: [{ pem: authority.certificate }], annotations: { by: "them" } };
      const { signatures } = await slipway.trust.verify(image, trusted);
      assert.deepEqual(
        signatures.map((one) => one.format),
        ["notation"],
      );
      assert.equal((await slipway.trust.verify(image, ownKeys)).signatures.length, 2);
    });
  }
});
