/** Attestations beside images of a registry: written, read in both layouts, refused where they are about something else or by somebody else. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../../src/base/errors.ts";
import { Slipway, type AttestOptions } from "../../src/engine/index.ts";
import { pair, refusals } from "./keys.ts";
import { pushImage, pushRecorded, readRecorded, repositoryOf, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-attestations-"));
const slipway = await Slipway.open({ root });
after(async () => {
  await slipway.close();
  rmSync(root, { recursive: true });
});

const ours = pair("ours");
const others = pair("others");
const spdx = { spdxVersion: "SPDX-2.3", name: "app" };
const predicate = Buffer.from(JSON.stringify(spdx));
const sbom: AttestOptions = { key: ours.key, type: "spdxjson", predicate };

describe("attest", () => {
  test("in both formats, once; the predicate comes back", async () => {
    await using repository = await startRepository();
    const digest = await pushImage(repository, "1");
    const image = `${repository.name}:1`;
    await refusals(slipway.trust.verifyAttestations(image, ours), "SIGNATURE_MISSING");
    for (const existed of [false, true]) {
      const { images } = await slipway.trust.attest(image, sbom);
      const written = images.flatMap((one) => one.signatures.map((signature) => `${one.digest} ${signature.format} ${signature.existed}`));
      assert.deepEqual(written, [`${digest} bundle ${existed}`, `${digest} legacy ${existed}`]);
    }
    const { attestations, reference } = await slipway.trust.verifyAttestations(image, { ...ours, type: "spdxjson" });
    assert.equal(reference, `${image}@${digest}`);
    const expected = ["tag", "bundle"].map((format) => [format, "https://spdx.dev/Document", repository.name, spdx]);
    assert.deepEqual(
      attestations.map((one) => [one.format, one.predicateType, one.reference, one.predicate]),
      expected,
    );
    const listed = await slipway.trust.attestations(image);
    assert.deepEqual(
      listed.attestations.map(({ format, predicateType }) => `${format} ${predicateType}`),
      ["tag https://spdx.dev/Document", "bundle https://spdx.dev/Document"],
    );
  });

  test("an attestation is no signature, and a signature no attestation", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    const image = `${repository.name}:1`;
    await slipway.trust.attest(image, sbom);
    await refusals(slipway.trust.verify(image, ours), "SIGNATURE_MISSING");
    await slipway.trust.sign(image, ours);
    assert.equal((await slipway.trust.verifyAttestations(image, ours)).attestations.length, 2);
    assert.equal((await slipway.trust.verify(image, ours)).signatures.length, 2);
  });

  test("another type, another key, another repository: refused with the reason", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    const image = `${repository.name}:1`;
    await slipway.trust.attest(image, sbom);
    await slipway.trust.attest(image, { ...sbom, type: "https://example.com/own/v1", key: others.key });
    assert.deepEqual(new Set(await refusals(slipway.trust.verifyAttestations(image, { ...ours, type: "vuln" }))), new Set(["type", "signer"]));
    assert.deepEqual(new Set(await refusals(slipway.trust.verifyAttestations(image, pair("third")))), new Set(["signer"]));
    const own = await slipway.trust.verifyAttestations(image, { ...others, type: "https://example.com/own/v1" });
    assert.deepEqual([own.attestations.length, own.refused.length], [2, 2]);
    const copy = repositoryOf(repository.registry, "evil/app");
    await slipway.transfer.copy(`docker://${image}`, `docker://${copy.name}:1`, { referrers: true }).result;
    assert.deepEqual(new Set(await refusals(slipway.trust.verifyAttestations(`${copy.name}:1`, ours))), new Set(["repository", "signer"]));
    const mirrored = { ...ours, repositories: [repository.name] };
    assert.equal((await slipway.trust.verifyAttestations(`${copy.name}:1`, mirrored)).attestations.length, 2);
  });

  test("of type custom, any text is signed and comes back", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    const image = `${repository.name}:1`;
    const custom = { ...ours, type: "custom" };
    for (const existed of [false, true]) {
      const { images } = await slipway.trust.attest(image, { ...custom, predicate: Buffer.from("any text\n") });
      assert.deepEqual(
        images[0]?.signatures.map((one) => one.existed),
        [existed, existed],
      );
    }
    const { attestations } = await slipway.trust.verifyAttestations(image, custom);
    assert.deepEqual(
      attestations.map((one) => [one.predicateType, JSON.stringify(one.predicate)]),
      [1, 2].map(() => ["https://cosign.sigstore.dev/attestation/v1", '{"Data":"any text\\n"}']),
    );
    const binary = slipway.trust.attest(image, { ...custom, predicate: Buffer.from([0xff]) });
    await assert.rejects(binary, (error) => isSlipwayError(error, "INVALID_DOCUMENT"));
  });

  test("cosign's are accepted, and no more when they were changed", async () => {
    const recorded = readRecorded("cosign.json");
    const pem = readFileSync(path.join(import.meta.dirname, "recorded/cosign.pub"), "utf8");
    const trusted = { keys: [{ pem }], repositories: [recorded.repository], type: "spdxjson" };
    await using repository = await startRepository();
    await pushRecorded(repository, recorded);
    const { attestations } = await slipway.trust.verifyAttestations(`${repository.name}:1`, trusted);
    assert.deepEqual(attestations.map(({ format }) => format).toSorted(), ["bundle", "tag"]);
    assert.match(JSON.stringify(attestations[0]?.predicate), /"spdxVersion":"SPDX-2.3"/);
    const tampered = repositoryOf(repository.registry, "acme/tampered");
    await pushRecorded(tampered, recorded, (text) => text.replaceAll('"payload":"eyJfd', '"payload":"eyJfe'));
    assert.deepEqual(await refusals(slipway.trust.verifyAttestations(`${tampered.name}:1`, trusted)), ["signer", "signer"]);
  });

  const bad: readonly [name: string, options: Partial<AttestOptions>, code: string][] = [
    ["an unknown word as type", { type: "sbom" }, "INVALID_PREDICATE_TYPE"],
    ["the type of signatures", { type: "https://sigstore.dev/cosign/sign/v1" }, "INVALID_PREDICATE_TYPE"],
    ["no type", { type: "" }, "INVALID_PREDICATE_TYPE"],
    ["a word of JavaScript", { type: "constructor" }, "INVALID_PREDICATE_TYPE"],
    ["no JSON", { predicate: Buffer.from("hello") }, "INVALID_DOCUMENT"],
    ["a list", { predicate: Buffer.from("[]") }, "INVALID_DOCUMENT"],
    ["deep JSON", { predicate: Buffer.from(`{"a":${"[".repeat(500)}${"]".repeat(500)}}`) }, "INVALID_DOCUMENT"],
    ["a predicate that nobody would read", { predicate: Buffer.alloc(46 << 20, " ") }, "DOCUMENT_TOO_LARGE"],
  ];
  for (const [name, options, code] of bad) {
    test(`refused: ${name}`, async () => {
      await assert.rejects(slipway.trust.attest("registry.example/app", { ...sbom, ...options }), { code });
    });
  }
});
