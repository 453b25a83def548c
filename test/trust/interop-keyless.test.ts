/** Signatures for identities between cosign and us, with sigstore's services in this process: bundles, and cosign's older form under tags. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import type { KeylessOptions } from "../../src/engine/index.ts";
import { refusals } from "./keys.ts";
import { identityToken, startKeylessServer } from "./keyless-services.ts";
import { attachBundle, createTiledLog, stampedBundle, tiledBundle } from "./tiled-log.ts";
import { fails, need, startMeeting, succeeds } from "./meeting.ts";

const services = await startKeylessServer();
const meeting = await startMeeting();
const { slipway, files, there, freshImage } = meeting;
after(async () => {
  await meeting[Symbol.asyncDispose]();
  await services[Symbol.asyncDispose]();
});

const issuer = "https://oidc.test";
const email = "dev@acme.test";
const token = identityToken({ iss: issuer, sub: email, email, email_verified: true, exp: Math.floor(Date.now() / 1000) + 600 }, "RS256");
const trusted = { identities: [{ identity: email, issuer }], trustedRoot: { json: services.trustedRoot } };
const keyless: KeylessOptions = { token, fulcioUrl: services.url, rekorUrl: services.url, env: {} };
const put = (name: string, content: string | Buffer): string => {
  writeFileSync(path.join(files.here, name), content);
  return there(name);
};

describe("cosign and identities", need("cosign"), () => {
  const root = put("root.json", services.trustedRoot);
  const by = (who: string): readonly string[] => ["--certificate-identity", who, "--certificate-oidc-issuer", issuer, "--trusted-root", root];

  for (const [name, options] of [
    ["with an entry in a log", keyless],
    ["with a time stamp besides", { ...keyless, timestampUrl: services.url }],
  ] as const) {
    test(`accepts ours ${name}, and nobody else's`, async () => {
      const { image } = await freshImage();
      await slipway.trust.sign(image, { keyless: options, annotations: { commit: "4f1c2d" } });
      await slipway.trust.attest(image, { keyless: options, type: "openvex", predicate: Buffer.from('{"statements":[]}') });
      await succeeds("cosign", ["verify", ...by(email), "-a", "commit=4f1c2d", image]);
      await fails("cosign", ["verify", ...by("ops@acme.test"), image]);
      await succeeds("cosign", ["verify-attestation", "--type", "openvex", ...by(email), image]);
      await fails("cosign", ["verify-attestation", "--type", "openvex", ...by("ops@acme.test"), image]);
    });
  }

  test("accepts ours with a time stamp alone", async () => {
    const { image } = await freshImage();
    await slipway.trust.sign(image, { keyless: { ...keyless, rekorUrl: "", timestampUrl: services.url } });
    await succeeds("cosign", ["verify", ...by(email), "--insecure-ignore-tlog=true", "--use-signed-timestamps", image]);
  });

  test("accepts what the tests' tiled log says, as we do", async () => {
    const { image, digest, place } = await freshImage();
    const log = createTiledLog();
    await attachBundle(place, digest, tiledBundle(await stampedBundle(services, token, place.name, digest), log, "hashedrekord"));
    const known = JSON.parse(services.trustedRoot.toString()) as { readonly tlogs: readonly object[] };
    const json = Buffer.from(JSON.stringify({ ...known, tlogs: [...known.tlogs, log.trusted] }));
    assert.equal((await slipway.trust.verify(image, { ...trusted, trustedRoot: { json } })).signatures.length, 1);
    await succeeds("cosign", ["verify", ...by(email), "--trusted-root", put("tiled.json", json), "--use-signed-timestamps", image]);
    await fails("cosign", ["verify", ...by(email), "--use-signed-timestamps", image]);
  });

  test("signs by the same signing config as we do, with a log of Rekor 2: each is accepted by the other", async () => {
    const [ours, others] = [await freshImage(), await freshImage()];
    const at = (url: string, majorApiVersion: number): object => ({ url, majorApiVersion, validFor: { start: "2000-01-01T00:00:00Z" }, operator: "test" });
    const config = {
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      caUrls: [at(services.url, 1)],
      rekorTlogUrls: [at(services.url, 2)],
      tsaUrls: [at(`${services.url}/api/v1/timestamp`, 1)],
      rekorTlogConfig: { selector: "ANY" },
      tsaConfig: { selector: "ANY" },
    };
    const json = Buffer.from(JSON.stringify(config));
    await slipway.trust.sign(ours.image, { keyless: { token, env: {}, signingConfig: { json } } });
    await succeeds("cosign", ["verify", ...by(email), "--use-signed-timestamps", ours.image]);
    const signing = ["--signing-config", put("signing-config.json", json), "--trusted-root", root, "--identity-token", token, "-y"];
    await succeeds("cosign", ["sign", ...signing, `${others.place.name}@${others.digest}`]);
    const { signatures } = await slipway.trust.verify(others.image, trusted);
    assert.deepEqual(
      signatures.map(({ format, signer }) => [format, signer.name]),
      [["bundle", email]],
    );
  });

  const theirs = [`--fulcio-url=${services.url}`, `--rekor-url=${services.url}`];
  const stamp = [`--timestamp-server-url=${services.url}/api/v1/timestamp`];
  const signing = ["--use-signing-config=false", "--identity-token", token, "-y", ...theirs];
  const forms: readonly [name: string, format: string, flags: readonly string[]][] = [
    ["as a bundle", "bundle", ["--new-bundle-format=true"]],
    ["as a bundle with a time stamp", "bundle", ["--new-bundle-format=true", ...stamp]],
    ["under its tags", "tag", ["--new-bundle-format=false"]],
    ["under its tags with a time stamp", "tag", ["--new-bundle-format=false", ...stamp]],
  ];
  for (const [name, format, flags] of forms) {
    test(`signs ${name} what is accepted here`, async () => {
      const { image, digest, place } = await freshImage();
      const at = `${place.name}@${digest}`;
      await succeeds("cosign", ["sign", ...signing, ...flags, "--trusted-root", root, at]);
      await succeeds("cosign", ["attest", "--type", "openvex", "--predicate", put("vex.json", '{"statements":[]}'), ...signing, ...flags, at]);
      const { signatures } = await slipway.trust.verify(image, trusted);
      const { attestations } = await slipway.trust.verifyAttestations(image, { ...trusted, type: "openvex" });
      assert.deepEqual(
        [...signatures, ...attestations].map((one) => [one.format, one.signer.name]),
        [
          [format, email],
          [format, email],
        ],
      );
      assert.deepEqual(await refusals(slipway.trust.verify(image, { ...trusted, identities: [{ identity: "ops@acme.test", issuer }] })), ["signer"]);
    });
  }
});
