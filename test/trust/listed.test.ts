/** What says to be a signature, by whomever: listed by its own words, and never believed. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Slipway, type SignOptions } from "../../src/engine/index.ts";
import { issue, noOpenssl, usages } from "./certificates.ts";
import { pair } from "./keys.ts";
import { identityToken, startKeylessServer } from "./keyless-services.ts";
import { manifestType, pushImage, pushRecorded, readRecorded, sha256, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-listed-"));
const slipway = await Slipway.open({ root });
const services = await startKeylessServer();
after(async () => {
  await slipway.close();
  await services[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const rows = async (image: string): Promise<readonly unknown[]> => {
  const { signatures } = await slipway.trust.signatures(image);
  return signatures.map(({ format, isReadable, claimedBy, claimedFor }) => [format, isReadable, claimedBy, claimedFor]);
};

describe("signatures", () => {
  test("an image without", async () => {
    await using repository = await startRepository();
    const digest = await pushImage(repository, "1");
    const image = `${repository.name}:1`;
    assert.deepEqual(await slipway.trust.signatures(image), { reference: `${image}@${digest}`, signatures: [], unread: [] });
  });

  test("by keys: a bundle tells which, as key generate prints it", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    const image = `${repository.name}:1`;
    const ours = pair("ours");
    await slipway.trust.sign(image, ours);
    await slipway.trust.attest(image, { ...ours, type: "vuln", predicate: Buffer.from("{}") });
    const { signatures } = await slipway.trust.verify(image, ours);
    const [signer] = signatures.map((one) => one.signer);
    assert.ok(signer?.kind === "key");
    assert.deepEqual(await rows(image), [
      ["tag", true, "a key", image],
      ["bundle", true, `the key ${signer.fingerprint}`, repository.name],
    ]);
  });

  const identity = identityToken({ iss: "https://oidc.test", sub: "https://example.com/workflow", exp: Math.floor(Date.now() / 1000) + 600 });
  const keyless: SignOptions = { keyless: { token: identity, fulcioUrl: services.url, rekorUrl: services.url, env: {} } };
  test("for identities, in a bundle", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    const image = `${repository.name}:1`;
    await slipway.trust.sign(image, keyless);
    assert.deepEqual(await rows(image), [["bundle", true, "https://example.com/workflow, as https://oidc.test says", repository.name]]);
  });

  test("for identities, in cosign's older form", async () => {
    await using repository = await startRepository();
    const recorded = readRecorded("keyless-older.json");
    await pushRecorded(repository, recorded);
    const row = ["tag", true, "dev@acme.test, as https://oidc.test says", recorded.repository];
    assert.deepEqual(await rows(`${repository.name}:1`), [row, row]);
  });

  test("of notation", { skip: noOpenssl }, async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    const authority = issue(root, "root", usages.root);
    const release = issue(root, "release", usages.leaf, authority);
    for (const format of ["jws", "cose"] as const) {
      await slipway.trust.sign(`${repository.name}:1`, { key: { pem: release.key }, certificates: { pem: release.chain }, formats: [format] });
    }
    const row = ["notation", true, "C=US, ST=WA, O=Acme, CN=release", undefined];
    assert.deepEqual(await rows(`${repository.name}:1`), [row, row]);
  });

  const damaged: readonly [name: string, type: string, layerType: string, text: string][] = [
    ["no bundle", "application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle.v0.3+json", "{}"],
    ["no JSON", "application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle.v0.3+json", "signed"],
    ["no JWS", "application/vnd.cncf.notary.signature", "application/jose+json", "{}"],
    ["no COSE", "application/vnd.cncf.notary.signature", "application/cose", "x"],
    ["no payload", "application/vnd.dev.cosign.artifact.sig.v1+json", "application/vnd.dev.cosign.simplesigning.v1+json", "x"],
  ];
  for (const [name, artifactType, layerType, text] of damaged) {
    test(`what cannot be read is said to be so: ${name}`, async () => {
      await using repository = await startRepository();
      const digest = await pushImage(repository, "1");
      const layer = await repository.pushBlob(text, layerType);
      const config = await repository.pushBlob("{}", "application/vnd.oci.empty.v1+json");
      const subject = { mediaType: manifestType, digest, size: 1 };
      const manifest = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, artifactType, config, layers: [layer], subject });
      await repository.pushManifest(sha256(manifest), manifest);
      const [[, isReadable, by]] = (await rows(`${repository.name}:1`)) as [[string, boolean, string | undefined]];
      assert.deepEqual([isReadable, by], [false, undefined]);
    });
  }
});
