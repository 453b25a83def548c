/** Signing for an identity, against sigstore's own mock of its services. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { inspect } from "node:util";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../../src/base/errors.ts";
import { Slipway, type KeylessOptions, type VerifyOptions } from "../../src/engine/index.ts";
import { refusals } from "./keys.ts";
import { identityToken, startKeylessServer } from "./keyless-services.ts";
import { pushImage, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-sign-keyless-"));
const slipway = await Slipway.open({ root });
const services = await startKeylessServer();
after(async () => {
  await slipway.close();
  await services[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const issuer = "https://oidc.test";
const future = Math.floor(Date.now() / 1000) + 600;
const claims = { iss: issuer, sub: "repo:acme/app:ref:refs/heads/main", exp: future };
const token = identityToken(claims);
const keyless: KeylessOptions = { token, fulcioUrl: services.url, rekorUrl: services.url, env: {} };
const trusted: VerifyOptions = { identities: [{ identity: claims.sub, issuer }], trustedRoot: { json: services.trustedRoot } };

async function freshImage(name: string): Promise<{ readonly image: string } & AsyncDisposable> {
  const repository = await startRepository(name);
  await pushImage(repository, "1");
  return { image: `${repository.name}:1`, [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose]() };
}

describe("signing for an identity", () => {
  const good: readonly [name: string, options: KeylessOptions, verified?: Partial<VerifyOptions>][] = [
    ["with an entry in a log", keyless],
    ["with addresses that end in a slash", { ...keyless, fulcioUrl: `${services.url}/`, rekorUrl: `${services.url}/` }],
    ["with a time stamp besides", { ...keyless, timestampUrl: services.url }],
    ["with a time stamp alone", { ...keyless, rekorUrl: "", timestampUrl: services.url }, { trustedRoot: { json: services.trustedRoot, ignoreLog: true } }],
    ["with a token of the environment", { ...keyless, token: undefined as unknown as string, env: { SIGSTORE_ID_TOKEN: token } }],
    ["of the issuer that is asked for", { ...keyless, issuer: `${issuer}/` }],
  ];
  for (const [name, options, verified] of good) {
    test(`is accepted by it: ${name}`, async () => {
      await using fresh = await freshImage("acme/keyless-signed");
      await slipway.trust.sign(fresh.image, { keyless: options, annotations: { a: "b" } });
      const { signatures } = await slipway.trust.verify(fresh.image, { ...trusted, ...verified, annotations: { a: "b" } });
      assert.deepEqual(
        signatures.map(({ signer, format }) => [signer.kind, signer.name, format]),
        [["identity", claims.sub, "bundle"]],
      );
      assert.deepEqual(await refusals(slipway.trust.verify(fresh.image, { ...trusted, ...verified, identities: [{ identity: "other", issuer }] })), ["signer"]);
    });
  }

  test("attestations are signed and verified the same way, and count as no signature", async () => {
    await using fresh = await freshImage("acme/keyless-attested");
    await slipway.trust.attest(fresh.image, { keyless, type: "openvex", predicate: Buffer.from('{"statements":[]}') });
    const { attestations } = await slipway.trust.verifyAttestations(fresh.image, { ...trusted, type: "openvex" });
    assert.deepEqual(
      attestations.map(({ signer, predicate }) => [signer.name, JSON.stringify(predicate)]),
      [[claims.sub, '{"statements":[]}']],
    );
    assert.deepEqual(await refusals(slipway.trust.verifyAttestations(fresh.image, { ...trusted, type: "vuln" })), ["type"]);
    await refusals(slipway.trust.verify(fresh.image, trusted), "SIGNATURE_MISSING");
  });

  test("a GitHub workflow's token is asked for", async () => {
    await using fresh = await freshImage("acme/keyless-workflow");
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.end(JSON.stringify({ value: token }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2`;
    try {
      const env = { ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "workflow" };
      await slipway.trust.sign(fresh.image, { keyless: { fulcioUrl: services.url, rekorUrl: services.url, env } });
    } finally {
      server.closeAllConnections();
      server.close();
    }
    assert.deepEqual(asked, ["/token?api-version=2&audience=sigstore Bearer workflow"]);
    await slipway.trust.verify(fresh.image, trusted);
  });

  const bad: readonly [name: string, options: KeylessOptions, code: string][] = [
    ["no token", { env: {} }, "IDENTITY_TOKEN_MISSING"],
    ["no signed token", { ...keyless, token: "secret-token" }, "IDENTITY_TOKEN_INVALID"],
    ["an expired token", { ...keyless, token: identityToken({ ...claims, exp: 1 }) }, "IDENTITY_TOKEN_INVALID"],
    ["another issuer's token", { ...keyless, issuer: "https://other.test" }, "IDENTITY_TOKEN_INVALID"],
    ["an address that nobody verified", { ...keyless, token: identityToken({ ...claims, email: "a@b.c", email_verified: false }) }, "IDENTITY_TOKEN_INVALID"],
    ["a token about nobody", { ...keyless, token: identityToken({ iss: issuer, exp: future }) }, "IDENTITY_TOKEN_INVALID"],
    ["an authority that is not there", { ...keyless, fulcioUrl: "http://127.0.0.1:1" }, "KEYLESS_UNAVAILABLE"],
    ["an authority that answers nonsense", { ...keyless, fulcioUrl: `${services.url}/nonsense` }, "KEYLESS_INVALID"],
    ["an authority that never ends", { ...keyless, fulcioUrl: `${services.url}/endless` }, "RESPONSE_TOO_LARGE"],
    ["an authority that is none", { ...keyless, fulcioUrl: `${services.url}/none` }, "KEYLESS_REFUSED"],
    ["a log that is none", { ...keyless, rekorUrl: `${services.url}/none` }, "KEYLESS_REFUSED"],
    ["neither log nor time stamp", { ...keyless, rekorUrl: "" }, "USAGE"],
  ];
  for (const [name, options, code] of bad) {
    test(`fails with ${code}: ${name}, and never shows the token`, async () => {
      await using fresh = await freshImage("acme/keyless-bad");
      await assert.rejects(slipway.trust.sign(fresh.image, { keyless: options }), (error) => {
        assert.ok(isSlipwayError(error, code), String(error));
        assert.ok(!JSON.stringify([error.message, error.details, inspect(error.cause)]).includes(options.token ?? token), error.message);
        return true;
      });
      assert.deepEqual((await slipway.trust.attestations(fresh.image)).attestations, []);
    });
  }
});
