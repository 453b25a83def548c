/** Signatures by identities: a bundle that cosign made with a certificate of a private authority and a signed time stamp. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Slipway, type VerifyOptions } from "../../src/engine/index.ts";
import { anchored } from "../../src/engine/signing/patterns.ts";
import { pair, refusals } from "./keys.ts";
import { pushImage, pushRecorded, readRecorded, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-keyless-"));
const slipway = await Slipway.open({ root });
const repository = await startRepository("acme/keyless");
await pushRecorded(repository, readRecorded("keyless.json"));
after(async () => {
  await slipway.close();
  await repository[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const image = `${repository.name}:1`;
const json = readFileSync(path.join(import.meta.dirname, "recorded/trusted-root.json"));
const trustedRoot = { json, ignoreLog: true, ignoreCertificateLog: true };
const signer = { identity: "dev@acme.test", issuer: "https://oidc.acme.test" };
const trusted: VerifyOptions = { identities: [signer], trustedRoot };

describe("an identity", () => {
  const good: readonly [name: string, options: VerifyOptions][] = [
    ["by its name", trusted],
    ["by patterns", { trustedRoot, identities: [{ identity: anchored("[a-z]+@acme\\.test"), issuer: anchored("https://.*\\.acme\\.test") }] }],
    ["one of several", { trustedRoot, identities: [{ ...signer, identity: "ops@acme.test" }, signer] }],
    ["beside a key", { ...trusted, ...pair("ours") }],
  ];
  for (const [name, options] of good) {
    test(`is accepted: ${name}`, async () => {
      const { signatures } = await slipway.trust.verify(image, options);
      assert.deepEqual(
        signatures.map((one) => one.signer),
        [{ kind: "identity", name: "dev@acme.test", issuer: "https://oidc.acme.test", description: "ECDSA P-256" }],
      );
    });
  }

  const empty = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}');
  const bad: readonly [name: string, options: VerifyOptions, refusal: string][] = [
    ["another's", { trustedRoot, identities: [{ ...signer, identity: "ops@acme.test" }] }, "signer"],
    ["a part of the name", { trustedRoot, identities: [{ ...signer, identity: "dev@acme" }] }, "signer"],
    ["a pattern for a part", { trustedRoot, identities: [{ ...signer, identity: anchored("dev|ops") }] }, "signer"],
    ["another issuer's", { trustedRoot, identities: [{ ...signer, issuer: "https://accounts.example.com" }] }, "signer"],
    ["no entry in a log", { ...trusted, trustedRoot: { ...trustedRoot, ignoreLog: false } }, "certificate"],
    ["no entry in a log of certificates", { ...trusted, trustedRoot: { ...trustedRoot, ignoreCertificateLog: false } }, "certificate"],
    ["an authority that is not trusted", { ...trusted, trustedRoot: { ...trustedRoot, json: empty } }, "certificate"],
    ["annotations that it has not", { ...trusted, annotations: { a: "b" } }, "annotations"],
    ["by a key alone", pair("ours"), "signer"],
  ];
  for (const [name, options, refusal] of bad) {
    test(`is refused: ${name}`, async () => assert.deepEqual(await refusals(slipway.trust.verify(image, options)), [refusal]));
  }

  const changes: readonly [name: string, change: (text: string) => string][] = [
    ["the payload", (text) => text.replace('"payload":"eyJfd', '"payload":"eyJfe')],
    ["the time stamp", (text) => text.replace(/("signedTimestamp":"[A-Za-z0-9+/]{200})[A-Za-z0-9+/]{8}/, "$1AAAAAAAA")],
    ["no time stamp", (text) => text.replace(/"rfc3161Timestamps":\[[^\]]*\]/, '"rfc3161Timestamps":[]')],
    ["the certificate", (text) => text.replace(/("rawBytes":"[A-Za-z0-9+/]{200})[A-Za-z0-9+/]{8}/, "$1AAAAAAAA")],
  ];
  for (const [name, change] of changes) {
    test(`is refused: changed in ${name}`, async () => {
      await using tampered = await startRepository("acme/keyless");
      await pushRecorded(tampered, readRecorded("keyless.json"), change);
      const found = await refusals(slipway.trust.verify(`${tampered.name}:1`, trusted));
      assert.deepEqual(found, ["certificate"]);
    });
  }

  test("a signature by a key is none of an identity", async () => {
    await using other = await startRepository();
    await pushImage(other, "1");
    await slipway.trust.sign(`${other.name}:1`, { ...pair("ours"), formats: ["bundle"] });
    assert.deepEqual(await refusals(slipway.trust.verify(`${other.name}:1`, trusted)), ["signer"]);
  });

  const wrong: readonly [name: string, options: VerifyOptions, code: string][] = [
    ["no trusted root", { identities: [signer] }, "USAGE"],
    ["a root that is no JSON", { ...trusted, trustedRoot: { json: Buffer.from("x") } }, "TRUSTED_ROOT_INVALID"],
    [
      "a root with nonsense",
      { ...trusted, trustedRoot: { json: Buffer.from('{"tlogs":[{"publicKey":{"rawBytes":"AAAA","keyDetails":"x"}}]}') } },
      "TRUSTED_ROOT_INVALID",
    ],
  ];
  for (const [name, options, code] of wrong) {
    test(`cannot be asked for: ${name}`, async () => await assert.rejects(slipway.trust.verify(image, options), { code }));
  }
});
