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
const [services, others] = [await startKeylessServer(), await startKeylessServer()];
type Root = Record<"tlogs", readonly object[]>;
const [ownRoot, otherRoot] = [services, others].map(({ trustedRoot }) => JSON.parse(trustedRoot.toString()) as Root) as [Root, Root];
/** trusts the logs of both */
const both = Buffer.from(JSON.stringify({ ...ownRoot, tlogs: [...ownRoot.tlogs, ...otherRoot.tlogs] }));
after(async () => {
  await slipway.close();
  for (const server of [services, others]) await server[Symbol.asyncDispose]();
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
  const signingConfig = (logs: readonly object[], tsaUrls: readonly object[] = []): Required<Pick<KeylessOptions, "signingConfig">> => {
    const mediaType = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
    const all = { rekorTlogConfig: { selector: "ALL" }, tsaConfig: { selector: "ALL" } };
    const config = { mediaType, caUrls: [{ url: services.url, majorApiVersion: 1 }], rekorTlogUrls: logs, tsaUrls, ...all };
    return { signingConfig: { json: Buffer.from(JSON.stringify(config)), name: "sc.json" } };
  };
  const at = (url: string, majorApiVersion: number): object => ({ url, majorApiVersion });
  const [v1, v2] = [at(services.url, 1), at(services.url, 2)];
  const stamps = [at(`${services.url}/api/v1/timestamp`, 1)];
  const configured: readonly [name: string, options: Pick<KeylessOptions, "signingConfig">, code?: string][] = [
    ["with a log of Rekor 1", signingConfig([v1])],
    ["with a log of Rekor 2 and a time stamp", signingConfig([v2], stamps)],
    ["with several logs", signingConfig([v2, at(others.url, 2)], stamps)],
    ["with a log of Rekor 2 that tells no time", signingConfig([v2]), "USAGE"],
    ["with nothing", signingConfig([]), "USAGE"],
  ];
  for (const [name, options, code] of configured) {
    test(`by a signing config: ${name}: ${code ?? "accepted"}`, async () => {
      await using fresh = await freshImage("acme/keyless-configured");
      const signing = slipway.trust.sign(fresh.image, { keyless: { token, env: {}, ...options } });
      if (code !== undefined) {
        await assert.rejects(signing, (error) => isSlipwayError(error, code));
        return;
      }
      await signing;
      const { signatures } = await slipway.trust.verify(fresh.image, { ...trusted, trustedRoot: { json: both } });
      assert.equal(signatures[0]?.signer.name, claims.sub);
    });
  }

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
    ["a signing config that is none", { token, env: {}, signingConfig: { json: Buffer.from("{}") } }, "SIGNING_CONFIG_INVALID"],
    ["services named twice", { ...keyless, signingConfig: { json: Buffer.from("{}") } }, "USAGE"],
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
