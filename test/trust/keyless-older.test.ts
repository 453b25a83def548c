/** Signatures and attestations for identities in cosign's older form: certificate, log entry and time stamp in the annotations of layers under tags. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Slipway, type VerifyAttestationOptions, type VerifyOptions } from "../../src/engine/index.ts";
import { pair, refusals } from "./keys.ts";
import { identityToken, startKeylessServer } from "./keyless-services.ts";
import { attestOlder, type OlderParts } from "./older-signer.ts";
import { pushImage, pushRecorded, readRecorded, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-keyless-older-"));
const slipway = await Slipway.open({ root });
const recorded = readRecorded("keyless-older.json");
const repository = await startRepository("acme/older");
await pushRecorded(repository, recorded);
const services = await startKeylessServer();
after(async () => {
  await slipway.close();
  await services[Symbol.asyncDispose]();
  await repository[Symbol.asyncDispose]();
  rmSync(root, { recursive: true });
});

const image = `${repository.name}:1`;
const json = readFileSync(path.join(import.meta.dirname, "recorded/trusted-root-older.json"));
const signer = { identity: "dev@acme.test", issuer: "https://oidc.test" };
const trusted = { identities: [signer], trustedRoot: { json }, repositories: [recorded.repository] } satisfies VerifyOptions;
const identity = { kind: "identity", name: signer.identity, issuer: signer.issuer, description: "ECDSA P-256" };
const openvex: VerifyAttestationOptions = { ...trusted, type: "openvex" };
const empty = Buffer.from('{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}');

describe("what cosign signed for an identity, under its tags", () => {
  const good: readonly [name: string, options: VerifyOptions, count: number][] = [
    ["by the identity", trusted, 2],
    ["beside a key", { ...trusted, ...pair("ours") }, 2],
    ["with annotations", { ...trusted, annotations: { stamped: "yes" } }, 1],
    ["without a log, by the time stamp alone", { ...trusted, trustedRoot: { json, ignoreLog: true } }, 2],
  ];
  for (const [name, options, count] of good) {
    test(`is accepted ${name}`, async () => {
      const { signatures } = await slipway.trust.verify(image, options);
      assert.deepEqual(
        signatures.map(({ signer: by, format, reference }) => [by, format, reference]),
        Array.from({ length: count }, () => [identity, "tag", recorded.repository]),
      );
    });
  }
  for (const type of ["openvex", "vuln"]) {
    test(`is accepted as an attestation: ${type}`, async () => {
      const { attestations } = await slipway.trust.verifyAttestations(image, { ...trusted, type });
      assert.deepEqual(
        attestations.map(({ signer: by, format }) => [by, format]),
        [[identity, "tag"]],
      );
    });
  }

  const bad: readonly [name: string, options: VerifyOptions, refusal: string][] = [
    ["another's", { ...trusted, identities: [{ ...signer, identity: "ops@acme.test" }] }, "signer"],
    ["another issuer's", { ...trusted, identities: [{ ...signer, issuer: "https://accounts.example.com" }] }, "signer"],
    ["of another repository", { ...trusted, repositories: [] }, "repository"],
    ["of authorities that are not trusted", { ...trusted, trustedRoot: { json: empty } }, "certificate"],
    ["by a key alone", pair("ours"), "signer"],
  ];
  for (const [name, options, refusal] of bad) {
    test(`is refused: ${name}`, async () => {
      assert.deepEqual(await refusals(slipway.trust.verify(image, options)), [refusal, refusal]);
      assert.deepEqual(await refusals(slipway.trust.verifyAttestations(image, options)), [refusal, refusal]);
    });
  }

  test("by a key alone it is told what it was made with", async () => {
    await assert.rejects(slipway.trust.verify(image, pair("ours")), /it was made with a certificate: verify it by --identity and --issuer/);
  });

  const changes: readonly [name: string, change: (text: string) => string, refusal: string][] = [
    ["the payload", (text) => text.replace('"by":"cosign"', '"by":"nobody"').replace('"payload":"eyJfd', '"payload":"eyJfe'), "certificate"],
    ["the time in the log", (text) => text.replaceAll(/(integratedTime\\":)/gu, "$11"), "certificate"],
    ["the log's promise", (text) => text.replaceAll(/(SignedEntryTimestamp\\":\\"[A-Za-z0-9+/]{40})[A-Za-z0-9+/]{8}/gu, "$1AAAAAAAA"), "certificate"],
    ["the place in the log", (text) => text.replaceAll(/(logIndex\\":)/gu, "$11"), "certificate"],
    ["the log's name", (text) => text.replaceAll(/(logID\\":\\")[0-9a-f]{4}/gu, "$10000"), "certificate"],
    [
      "the certificate",
      (text) => text.replaceAll(/(cosign\/certificate":"-----BEGIN CERTIFICATE-----\\n[A-Za-z0-9+/]{64}\\n)[A-Za-z0-9+/]{8}/gu, "$1AAAAAAAA"),
      "unreadable",
    ],
    ["no certificate", (text) => text.replaceAll("dev.sigstore.cosign/certificate", "x"), "signer"],
    ["no entry and no time stamp", (text) => text.replaceAll(/dev\.sigstore\.cosign\/(?:bundle|rfc3161timestamp)/gu, "x$&"), "certificate"],
    ["an entry that is none", (text) => text.replaceAll("SignedEntryTimestamp", "x"), "unreadable"],
  ];
  for (const [name, change, refusal] of changes) {
    test(`is refused when changed: ${name}`, async () => {
      await using tampered = await startRepository("acme/older");
      let count = 0;
      await pushRecorded(tampered, recorded, (text) => {
        const changed = change(text);
        if (changed !== text) count++;
        return changed;
      });
      assert.ok(count > 0, "nothing was changed");
      assert.deepEqual(new Set(await refusals(slipway.trust.verify(`${tampered.name}:1`, trusted))), new Set([refusal]));
      assert.deepEqual(new Set(await refusals(slipway.trust.verifyAttestations(`${tampered.name}:1`, trusted))), new Set([refusal]));
    });
  }

  test("an entry of another signature does not count", async () => {
    await using tampered = await startRepository("acme/older");
    const exchanged = (text: string): string => {
      const entries = [...text.matchAll(/"dev\.sigstore\.cosign\/bundle":"(?:[^"\\]|\\.)*"/gu)].map(([entry]) => entry);
      return entries.length === 2
        ? entries.reduce((all, entry, at) => all.replace(entry, `@${1 - at}@`), text).replaceAll(/@([01])@/gu, (_, at) => entries[Number(at)]!)
        : text;
    };
    await pushRecorded(tampered, recorded, exchanged);
    assert.deepEqual(await refusals(slipway.trust.verify(`${tampered.name}:1`, trusted)), ["certificate", "certificate"]);
    assert.deepEqual(await refusals(slipway.trust.verifyAttestations(`${tampered.name}:1`, openvex)), ["certificate", "certificate"]);
  });
});

describe("attestations of cosign 1 and 2", () => {
  const claims = { iss: signer.issuer, sub: signer.identity, email: signer.identity, email_verified: true, exp: Math.floor(Date.now() / 1000) + 600 };
  const token = identityToken(claims);
  const own = { identities: [signer], trustedRoot: { json: services.trustedRoot }, type: "openvex" };
  const unlogged = { ...own, trustedRoot: { ...own.trustedRoot, ignoreLog: true } };
  interface Case {
    readonly name: string;
    readonly entry?: "none";
    readonly stamp?: "envelope";
    readonly options?: VerifyAttestationOptions;
    readonly change?: (parts: OlderParts) => void;
    /** undefined: it is accepted */
    readonly refusal?: string;
  }
  const changedBundle = (annotations: Record<string, string>, change: (text: string) => string): void => {
    annotations["dev.sigstore.cosign/bundle"] = change(annotations["dev.sigstore.cosign/bundle"] ?? "");
  };
  const cases: readonly Case[] = [
    { name: "an entry with the envelope's hash" },
    { name: "a time stamp over the envelope besides", stamp: "envelope" },
    { name: "a time stamp over the envelope alone", entry: "none", stamp: "envelope", options: unlogged },
    { name: "no entry", entry: "none", stamp: "envelope", refusal: "certificate" },
    { name: "an entry of another envelope", change: (parts) => (parts.hashed = "0".repeat(64)), refusal: "certificate" },
    { name: "an entry that names a key of nobody", change: (parts) => (parts.certificate = "x"), refusal: "certificate" },
    {
      name: "a time stamp over something else",
      entry: "none",
      stamp: "envelope",
      options: unlogged,
      change: (parts) => (parts.stamped = Buffer.from("x")),
      refusal: "certificate",
    },
    { name: "a bundle that is none", change: ({ annotations }) => changedBundle(annotations, () => "signed"), refusal: "unreadable" },
    { name: "neither entry nor stamp", entry: "none", options: unlogged, refusal: "certificate" },
  ];
  for (const { name, entry = "intoto", stamp = "none", options = own, change, refusal } of cases) {
    test(`${name}: ${refusal ?? "accepted"}`, async () => {
      await using fresh = await startRepository("acme/attested");
      const digest = await pushImage(fresh, "1");
      const request = { repository: fresh, digest, token, subject: signer.identity, services, entry, stamp } as const;
      await attestOlder(change === undefined ? request : { ...request, change });
      const verification = slipway.trust.verifyAttestations(`${fresh.name}:1`, options);
      if (refusal !== undefined) {
        assert.deepEqual(await refusals(verification), [refusal]);
        return;
      }
      const { attestations } = await verification;
      assert.deepEqual(
        attestations.map(({ signer: by, predicateType }) => [by, predicateType]),
        [[identity, "https://openvex.dev/ns"]],
      );
    });
  }

  test("an entry that no trusted log promised: refused", async () => {
    await using fresh = await startRepository("acme/attested");
    const digest = await pushImage(fresh, "1");
    await attestOlder({ repository: fresh, digest, token, subject: signer.identity, services, entry: "intoto", stamp: "none" });
    const others = await startKeylessServer();
    await others[Symbol.asyncDispose]();
    const mixed = {
      ...(JSON.parse(services.trustedRoot.toString()) as object),
      tlogs: (JSON.parse(others.trustedRoot.toString()) as { readonly tlogs: object }).tlogs,
    };
    const verification = slipway.trust.verifyAttestations(`${fresh.name}:1`, { ...own, trustedRoot: { json: Buffer.from(JSON.stringify(mixed)) } });
    assert.deepEqual(await refusals(verification), ["certificate"]);
  });
});
