/** Signatures and attestations that are kept in another repository than the image's: written there, found there, and for the image's all the same. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../../src/base/errors.ts";
import { Slipway, type SignOptions } from "../../src/engine/index.ts";
import { issue, noOpenssl, usages } from "./certificates.ts";
import { pair, refusals } from "./keys.ts";
import { pushImage, repositoryOf, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-signature-repository-"));
const slipway = await Slipway.open({ root });
after(async () => {
  await slipway.close();
  rmSync(root, { recursive: true });
});
const ours = pair("ours");

for (const referrers of [true, false]) {
  describe(`a registry ${referrers ? "with lists of referrers" : "without"}`, () => {
    test("keeps signatures beside the image, and they are not looked for anywhere else", async () => {
      await using repository = await startRepository("acme/app", { referrers });
      const image = `${repository.name}:1`;
      await pushImage(repository, "1");
      const signatureRepository = repositoryOf(repository.registry, "acme/signatures").name;
      for (const existed of [false, true]) {
        const { images } = await slipway.trust.sign(image, { ...ours, signatureRepository });
        assert.deepEqual(
          images[0]?.signatures.map((one) => one.existed),
          [existed, existed],
        );
      }
      await slipway.trust.attest(image, { ...ours, signatureRepository, type: "vuln", predicate: Buffer.from("{}") });
      const there = { ...ours, signatureRepository };
      const { signatures, reference } = await slipway.trust.verify(image, there);
      assert.deepEqual(
        signatures.map((one) => [one.format, one.reference]),
        [
          ["tag", image],
          ["bundle", repository.name],
        ],
      );
      assert.ok(reference.startsWith(`${image}@`));
      assert.equal((await slipway.trust.verifyAttestations(image, { ...there, type: "vuln" })).attestations.length, 2);
      assert.equal((await slipway.trust.signatures(image, { signatureRepository })).signatures.length, 2);
      assert.equal((await slipway.trust.attestations(image, { signatureRepository })).attestations.length, 2);
      await refusals(slipway.trust.verify(image, ours), "SIGNATURE_MISSING");
      await refusals(slipway.trust.verifyAttestations(image, ours), "SIGNATURE_MISSING");
      const written = repository.registry.requests.filter(({ method }) => method === "PUT" || method === "POST").map(({ url }) => url);
      assert.ok(
        written.slice(3).every((url) => url.startsWith("/v2/acme/signatures/")),
        written.join("\n"),
      );
    });

    test("a signature for another repository is none there either", async () => {
      await using repository = await startRepository("acme/app", { referrers });
      const other = repositoryOf(repository.registry, "evil/app");
      for (const place of [repository, other]) await pushImage(place, "1");
      const signatureRepository = repositoryOf(repository.registry, "acme/signatures").name;
      await slipway.trust.sign(`${repository.name}:1`, { ...ours, signatureRepository });
      assert.deepEqual(await refusals(slipway.trust.verify(`${other.name}:1`, { ...ours, signatureRepository })), ["repository", "repository"]);
    });
  });
}

test("notation's are kept there too", { skip: noOpenssl }, async () => {
  await using repository = await startRepository();
  await pushImage(repository, "1");
  const authority = issue(root, "root", usages.root);
  const release = issue(root, "release", usages.leaf, authority);
  const signatureRepository = repositoryOf(repository.registry, "acme/signatures").name;
  const signing: SignOptions = { key: { pem: release.key }, certificates: { pem: release.chain }, signatureRepository };
  for (const existed of [false, true]) {
    const { images } = await slipway.trust.sign(`${repository.name}:1`, signing);
    assert.equal(images[0]?.signatures[0]?.existed, existed);
  }
  const trusted = { authorities: [{ pem: authority.certificate }] };
  assert.equal((await slipway.trust.verify(`${repository.name}:1`, { ...trusted, signatureRepository })).signatures.length, 1);
  await refusals(slipway.trust.verify(`${repository.name}:1`, trusted), "SIGNATURE_MISSING");
});

test("what is named has to be a repository", async () => {
  await using repository = await startRepository();
  await pushImage(repository, "1");
  for (const signatureRepository of [`${repository.name}:1`, "BAD NAME"]) {
    await assert.rejects(
      slipway.trust.sign(`${repository.name}:1`, { ...ours, signatureRepository }),
      (error) => isSlipwayError(error) && error.kind === "invalid_argument",
    );
  }
});
