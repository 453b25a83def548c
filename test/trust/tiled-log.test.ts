/** Bundles with entries of Rekor 2: a proof and a time stamp are all that there is. Accepted, and refused when either does not hold. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Slipway, type VerifyOptions } from "../../src/engine/index.ts";
import { refusals } from "./keys.ts";
import { identityToken, startKeylessServer } from "./keyless-services.ts";
import { pushImage, sha256, startRepository } from "./repository.ts";
import { attachBundle, createTiledLog, stampedBundle, tiledBundle, type LoggedBundle, type TiledEntry } from "./tiled-log.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-tiled-"));
const slipway = await Slipway.open({ root });
const services = await startKeylessServer();
after(async () => {
  await slipway.close();
  await services[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const issuer = "https://oidc.test";
const identity = "repo:acme/app:ref:refs/heads/main";
const token = identityToken({ iss: issuer, sub: identity, exp: Math.floor(Date.now() / 1000) + 600 });
const log = createTiledLog();
const trustedRoot = JSON.parse(services.trustedRoot.toString()) as { readonly tlogs: readonly object[] };
const rootWith = (tlogs: readonly object[]): Buffer => Buffer.from(JSON.stringify({ ...trustedRoot, tlogs }));
const trusted: VerifyOptions = { identities: [{ identity, issuer }], trustedRoot: { json: rootWith([...trustedRoot.tlogs, log.trusted]) } };

interface Parts {
  entry: TiledEntry;
  stamps: readonly object[];
}

interface Case {
  readonly name: string;
  readonly change?: (parts: Parts, other: LoggedBundle) => void;
  readonly options?: VerifyOptions;
  /** undefined: it is accepted */
  readonly refusal?: string;
}

const changedText = (text: string, from: RegExp, to: string): string => {
  const changed = text.replace(from, to);
  assert.notEqual(changed, text);
  return changed;
};

const cases: readonly Case[] = [
  { name: "as it should be" },
  { name: "no time stamp: when was it signed?", change: (parts) => (parts.stamps = []), refusal: "certificate" },
  {
    name: "a time that nobody vouches for instead of the time stamp",
    change: (parts) => {
      parts.stamps = [];
      Object.assign(parts.entry, { integratedTime: String(Math.floor(Date.now() / 1000)) });
    },
    refusal: "certificate",
  },
  { name: "the log is not trusted", options: { ...trusted, trustedRoot: { json: services.trustedRoot } }, refusal: "certificate" },
  { name: "an entry of another signature", change: (parts, other) => (parts.entry = log.write(other, "hashedrekord")), refusal: "certificate" },
  {
    name: "a checkpoint of another size",
    change: ({ entry: { inclusionProof } }) => (inclusionProof.checkpoint.envelope = changedText(inclusionProof.checkpoint.envelope, /\n2\n/u, "\n3\n")),
    refusal: "certificate",
  },
  {
    name: "a checkpoint that only others signed",
    change: ({ entry: { inclusionProof } }) => {
      inclusionProof.checkpoint.envelope = changedText(inclusionProof.checkpoint.envelope, /\u2014 log2025\S* \S+\n/u, "");
    },
    refusal: "certificate",
  },
  { name: "another path", change: ({ entry: { inclusionProof } }) => (inclusionProof.hashes = [sha256("x").slice(7, 51)]), refusal: "certificate" },
  { name: "another place", change: ({ entry: { inclusionProof } }) => (inclusionProof.logIndex = "0"), refusal: "certificate" },
  { name: "an entry of a kind that is none", change: ({ entry }) => (entry.kindVersion.version = "0.0.9"), refusal: "certificate" },
  { name: "no checkpoint", change: ({ entry: { inclusionProof } }) => (inclusionProof.checkpoint.envelope = ""), refusal: "certificate" },
  { name: "neither proof nor promise", change: ({ entry }) => Object.assign(entry, { inclusionProof: undefined }), refusal: "certificate" },
];

describe("an entry of a tiled log", () => {
  for (const kind of ["hashedrekord", "dsse"] as const) {
    for (const { name, change, options = trusted, refusal } of cases) {
      test(`${kind}: ${name}: ${refusal ?? "accepted"}`, async () => {
        await using repository = await startRepository("acme/tiled");
        const digest = await pushImage(repository, "1");
        const bundle = await stampedBundle(services, token, repository.name, digest);
        const parts: Parts = { entry: log.write(bundle, kind), stamps: bundle.verificationMaterial.timestampVerificationData.rfc3161Timestamps };
        if (change !== undefined) change(parts, await stampedBundle(services, token, repository.name, digest));
        await attachBundle(repository, digest, tiledBundle(bundle, log, kind, parts));
        const verification = slipway.trust.verify(`${repository.name}:1`, options);
        if (refusal === undefined) assert.deepEqual((await verification).signatures[0]?.signer.name, identity);
        else assert.deepEqual(await refusals(verification), [refusal]);
      });
    }
  }

  test("the same bundle without its entry needs one", async () => {
    await using repository = await startRepository("acme/tiled");
    const digest = await pushImage(repository, "1");
    await attachBundle(repository, digest, await stampedBundle(services, token, repository.name, digest));
    assert.deepEqual(await refusals(slipway.trust.verify(`${repository.name}:1`, trusted)), ["certificate"]);
  });
});
