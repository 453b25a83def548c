/** Signatures beside images of a registry: written, read in every layout, and refused for every reason that there is. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createHash, createPublicKey, sign as signBytes, type KeyObject } from "node:crypto";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../../src/base/errors.ts";
import { Slipway, type Verification, type VerifyOptions } from "../../src/engine/index.ts";
import type { RegistryOptions } from "../../src/testing/index.ts";
import { pair, refusals } from "./keys.ts";
import { indexType, manifestType, pushImage, pushRecorded, readRecorded, repositoryOf, sha256, startRepository, type Repository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-signatures-"));
const slipway = await Slipway.open({ root });
after(async () => {
  await slipway.close();
  rmSync(root, { recursive: true });
});

const ours = pair("ours");
const others = pair("others");
const byFirst = (a: readonly unknown[], b: readonly unknown[]): number => String(a[0]).localeCompare(String(b[0]));
const formats = ({ signatures }: Verification): readonly string[] => signatures.map(({ format }) => format).toSorted();

const registries: readonly [name: string, options: RegistryOptions][] = [
  ["with lists of referrers", {}],
  ["without", { referrers: false }],
];
for (const [name, options] of registries) {
  describe(`a registry ${name}`, () => {
    test("an image is signed in both formats, once, and verified", async () => {
      await using repository = await startRepository("acme/app", options);
      const digest = await pushImage(repository, "1");
      const image = `${repository.name}:1`;
      const annotations = { commit: "4f1c2d" };
      await refusals(slipway.trust.verify(image, ours), "SIGNATURE_MISSING");
      const first = await slipway.trust.sign(image, { ...ours, annotations });
      assert.deepEqual([first.digest, first.reference], [digest, `${image}@${digest}`]);
      assert.deepEqual(
        first.images.map(({ signatures }) => signatures.map(({ format, existed }) => [format, existed])),
        [
          [
            ["bundle", false],
            ["legacy", false],
          ],
        ],
      );
      const again = await slipway.trust.sign(image, { ...ours, annotations });
      assert.deepEqual(
        again.images[0]?.signatures.map(({ existed }) => existed),
        [true, true],
      );
      const verified = await slipway.trust.verify(image, { ...ours, annotations });
      assert.equal(verified.reference, `${image}@${digest}`);
      assert.deepEqual(
        verified.signatures.map(({ format, reference, signer }) => [format, reference, signer.kind === "key" && signer.name]).toSorted(byFirst),
        [
          ["bundle", repository.name, "ours.pub"],
          ["tag", image, "ours.pub"],
        ],
      );
    });

    test("several signers stand beside each other", async () => {
      await using repository = await startRepository("acme/app", options);
      await pushImage(repository, "1");
      const image = `${repository.name}:1`;
      for (const signer of [ours, others]) await slipway.trust.sign(image, signer);
      await slipway.trust.sign(image, { ...ours, annotations: { round: "2" } });
      const verified = await slipway.trust.verify(image, ours);
      assert.deepEqual([formats(verified), verified.refused.length], [["bundle", "bundle", "tag", "tag"], 2]);
      assert.deepEqual(formats(await slipway.trust.verify(image, { ...ours, annotations: { round: "2" } })), ["bundle", "tag"]);
      assert.deepEqual(formats(await slipway.trust.verify(image, { keys: [...others.keys, ...pair("third").keys] })), ["bundle", "tag"]);
    });

    test("what cosign has written is accepted, and no more when it was changed", async () => {
      const recorded = readRecorded("cosign.json");
      const trusted: VerifyOptions = {
        keys: [{ pem: readFileSync(path.join(import.meta.dirname, "recorded/cosign.pub"), "utf8") }],
        repositories: [recorded.repository],
      };
      await using repository = await startRepository("acme/app", options);
      await pushRecorded(repository, recorded);
      const image = `${repository.name}:1`;
      const verified = await slipway.trust.verify(image, { ...trusted, annotations: { by: "cosign" } });
      assert.deepEqual(formats(verified), options.referrers === false ? ["tag"] : ["bundle", "referrer", "tag"]);

      const tampered = repositoryOf(repository.registry, "acme/tampered");
      await pushRecorded(tampered, recorded, (text) => text.replaceAll('"by":"cosign"', '"by":"nobody"').replaceAll('"payload":"eyJfd', '"payload":"eyJfe'));
      assert.deepEqual(new Set(await refusals(slipway.trust.verify(`${tampered.name}:1`, trusted))), new Set(["signer"]));
    });
  });
}

describe("an index", () => {
  test("is signed alone, or with all its images", async () => {
    await using repository = await startRepository();
    const children = await Promise.all(
      ["amd64", "arm64"].map(async (architecture) => ({ architecture, digest: await pushImage(repository, architecture, architecture) })),
    );
    const manifests = children.map(({ architecture, digest }) => ({ mediaType: manifestType, digest, size: 282, platform: { os: "linux", architecture } }));
    await repository.pushManifest("all", JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests }), indexType);
    const image = `${repository.name}:all`;
    await slipway.trust.sign(image, ours);
    await slipway.trust.verify(image, ours);
    await refusals(slipway.trust.verify(`${repository.name}:arm64`, ours), "SIGNATURE_MISSING");
    const { images } = await slipway.trust.sign(image, { ...ours, recursive: true });
    assert.deepEqual(
      images.map(({ platform }) => platform),
      ["", "linux/amd64", "linux/arm64"],
    );
    await slipway.trust.verify(`${repository.name}:arm64`, ours);
  });

  test("is verified alone, with all its images, or for one platform, whose own signature counts", async () => {
    await using repository = await startRepository();
    const children = await Promise.all(
      ["amd64", "arm64"].map(async (architecture) => ({ architecture, digest: await pushImage(repository, architecture, architecture) })),
    );
    const manifests = children.map(({ architecture, digest }) => ({ mediaType: manifestType, digest, size: 282, platform: { os: "linux", architecture } }));
    const attestation = { mediaType: manifestType, digest: children[0]!.digest, size: 282, platform: { os: "unknown", architecture: "unknown" } };
    await repository.pushManifest("all", JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [...manifests, attestation] }), indexType);
    const image = `${repository.name}:all`;
    await slipway.trust.sign(image, ours);
    await slipway.trust.sign(`${repository.name}:arm64`, ours);
    await refusals(slipway.trust.verify(image, { ...ours, recursive: true }), "SIGNATURE_MISSING");
    await refusals(slipway.trust.verify(image, { ...ours, platform: "linux/amd64" }), "SIGNATURE_MISSING");
    const { digest } = await slipway.trust.verify(image, { ...ours, platform: "linux/arm64" });
    assert.equal(digest, children[1]!.digest);
    await assert.rejects(slipway.trust.verify(image, { ...ours, platform: "linux/riscv64" }), (error) => isSlipwayError(error, "NO_MATCHING_PLATFORM"));
    for (const name of ["all", "arm64"]) {
      await assert.rejects(slipway.trust.verify(`${repository.name}:${name}`, { ...ours, platform: "of no/such/form/at/all" }), { kind: "invalid_argument" });
    }
    await slipway.trust.sign(`${repository.name}:amd64`, ours);
    const { images = [] } = await slipway.trust.verify(image, { ...ours, recursive: true });
    assert.deepEqual(
      images.map((one) => [one.platform, one.digest]),
      children.map((one) => [`linux/${one.architecture}`, one.digest]),
    );
  });
});

describe("refused", () => {
  const payloadOf = (changes: object, identity: string, digest: string): string =>
    JSON.stringify({
      critical: {
        identity: { "docker-reference": identity },
        image: { "docker-manifest-digest": digest },
        type: "cosign container image signature",
        ...changes,
      },
      optional: null,
    });

  /** One signature under cosign's tag, by our key. */
  async function pushLegacy(repository: Repository, digest: string, payload: string, key = ours.privateKey): Promise<void> {
    const layer = await repository.pushBlob(payload, "application/vnd.dev.cosign.simplesigning.v1+json");
    const annotations = { "dev.cosignproject.cosign/signature": signBytes("sha256", Buffer.from(payload), key).toString("base64") };
    const config = await repository.pushBlob("{}", "application/vnd.oci.image.config.v1+json");
    await repository.pushManifest(
      `${digest.replace(":", "-")}.sig`,
      JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [{ ...layer, annotations }] }),
    );
  }

  const legacy: readonly [name: string, make: (repository: string, digest: string) => string, refusal: string | undefined][] = [
    ["nothing: it is as it should be", (repository, digest) => payloadOf({}, repository, digest), undefined],
    ["another image", (repository) => payloadOf({}, repository, sha256("other")), "subject"],
    ["no image", (repository, digest) => payloadOf({ image: {} }, repository, digest), "subject"],
    ["another repository", (repository, digest) => payloadOf({}, `${repository}2:1`, digest), "repository"],
    ["the same repository elsewhere", (_, digest) => payloadOf({}, "docker.io/acme/app", digest), "repository"],
    ["no repository", (_, digest) => payloadOf({}, "", digest), "repository"],
    ["a payload of another type", (repository, digest) => payloadOf({ type: "atomic" }, repository, digest), "unreadable"],
    [
      "its digest in upper case",
      (repository, digest) =>
        payloadOf(
          {},
          repository,
          digest.replace(/[a-f]/g, (c) => c.toUpperCase()),
        ),
      "subject",
    ],
    ["its digest without the algorithm", (repository, digest) => payloadOf({}, repository, digest.slice(7)), "subject"],
    ["its digest as another algorithm's", (repository, digest) => payloadOf({}, repository, digest.replace("sha256", "sha512")), "subject"],
    ["an empty digest", (repository) => payloadOf({}, repository, ""), "subject"],
    ["a digest that is no text", (repository) => payloadOf({ image: { "docker-manifest-digest": 1 } }, repository, ""), "unreadable"],
    ["two digests", (repository, digest) => payloadOf({}, repository, digest).replace('"image":{', '$&"docker-manifest-digest":"sha256:0",'), "unreadable"],
    ["two images", (repository, digest) => payloadOf({}, repository, digest).replace('"image":', '"image":{},$&'), "unreadable"],
    ["two images, one of them escaped", (repository, digest) => payloadOf({}, repository, digest).replace('"image":', '"\\u0069mage" : {},$&'), "unreadable"],
    [
      "two repositories",
      (repository, digest) => payloadOf({}, repository, digest).replace('"identity":', '"identity":{"docker-reference":"x"},$&'),
      "unreadable",
    ],
    ["text behind it", (repository, digest) => `${payloadOf({}, repository, digest)} {}`, "unreadable"],
    ["a byte order mark", (repository, digest) => `\uFEFF${payloadOf({}, repository, digest)}`, "unreadable"],
    ["the registry's name in upper case", (repository, digest) => payloadOf({}, repository.replace("127", "LOCALHOST"), digest), "repository"],
    ["the registry without its port", (repository, digest) => payloadOf({}, repository.replace(/:\d+/, ""), digest), "repository"],
    ["a registry that begins like it", (repository, digest) => payloadOf({}, repository.replace(/:\d+/, "$&1"), digest), "repository"],
    ["a repository below it", (repository, digest) => payloadOf({}, `${repository}/sub`, digest), "repository"],
    ["the repository above it", (repository, digest) => payloadOf({}, repository.replace("acme/", ""), digest), "repository"],
    ["no JSON", () => "{", "unreadable"],
    ["deep JSON", () => `{"critical":${"[".repeat(5000)}${"]".repeat(5000)}}`, "unreadable"],
  ];
  for (const [name, make, refusal] of legacy) {
    test(`under cosign's tag: ${name}`, async () => {
      await using repository = await startRepository();
      const digest = await pushImage(repository, "1");
      await pushLegacy(repository, digest, make(repository.name, digest));
      const verification = slipway.trust.verify(`${repository.name}:1`, ours);
      if (refusal === undefined) assert.equal((await verification).signatures.length, 1);
      else assert.deepEqual(await refusals(verification), [refusal]);
    });
  }

  interface BundleParts {
    statement: { _type: string; subject: { name?: string; digest: Record<string, string> }[]; predicateType: string; predicate: object };
    payloadType: string;
    signedType: string;
    /** the statement as it is signed */
    write: (statement: string) => string;
    key: KeyObject;
    bundle: { mediaType: string; [key: string]: unknown };
    subject: string;
  }

  async function pushBundle(repository: Repository, digest: string, change: (parts: BundleParts) => void): Promise<void> {
    const parts: BundleParts = {
      statement: {
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ digest: { sha256: digest.slice(7) } }],
        predicateType: "https://sigstore.dev/cosign/sign/v1",
        predicate: {},
      },
      payloadType: "application/vnd.in-toto+json",
      signedType: "application/vnd.in-toto+json",
      write: (statement) => statement,
      key: ours.privateKey,
      bundle: { mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json", verificationMaterial: { publicKey: { hint: "" } } },
      subject: digest,
    };
    change(parts);
    const payload = Buffer.from(parts.write(JSON.stringify(parts.statement)));
    const signed = Buffer.concat([Buffer.from(`DSSEv1 ${parts.signedType.length} ${parts.signedType} ${payload.length} `), payload]);
    const envelope = {
      payload: payload.toString("base64"),
      payloadType: parts.payloadType,
      signatures: [{ sig: signBytes("sha256", signed, parts.key).toString("base64") }],
    };
    const type = "application/vnd.dev.sigstore.bundle.v0.3+json";
    const layer = await repository.pushBlob(JSON.stringify({ dsseEnvelope: envelope, ...parts.bundle }), type);
    const config = await repository.pushBlob("{}", "application/vnd.oci.empty.v1+json");
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType: type,
      config,
      layers: [layer],
      subject: { mediaType: manifestType, digest: parts.subject, size: 1 },
    };
    await repository.pushManifest(sha256(JSON.stringify(manifest)), JSON.stringify(manifest));
  }

  const hintOf = (pem: string): string =>
    createHash("sha256")
      .update(createPublicKey(pem).export({ type: "spki", format: "der" }))
      .digest("base64");
  const hex = (text: string): string => sha256(text).slice(7);
  const nested = (depth: number): object => JSON.parse(`{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`) as object;
  const bundles: readonly [name: string, change: (parts: BundleParts) => void, refusal: string | undefined][] = [
    ["nothing: it is as cosign makes it", () => undefined, undefined],
    ["nothing: one of several subjects is the image", ({ statement }) => statement.subject.unshift({ digest: { sha256: hex("other") } }), undefined],
    ["another key", (parts) => (parts.key = others.privateKey), "signer"],
    ["another image", ({ statement }) => (statement.subject = [{ digest: { sha256: hex("other") } }]), "subject"],
    ["another algorithm's digest", ({ statement }) => (statement.subject = [{ digest: { sha512: statement.subject[0]!.digest["sha256"]! } }]), "subject"],
    ["an empty digest", ({ statement }) => (statement.subject = [{ digest: { sha256: "" } }]), "subject"],
    ["no digest", ({ statement }) => (statement.subject = [{ digest: {} }]), "subject"],
    [
      "its digest in upper case",
      ({ statement }) => (statement.subject = [{ digest: { sha256: statement.subject[0]!.digest["sha256"]!.toUpperCase().replace(/^\d+$/, "") } }]),
      "subject",
    ],
    [
      "its digest with the algorithm in it",
      ({ statement }) => (statement.subject = [{ digest: { sha256: `sha256:${statement.subject[0]!.digest["sha256"]!}` } }]),
      "subject",
    ],
    ["the algorithm in upper case", ({ statement }) => (statement.subject = [{ digest: { SHA256: statement.subject[0]!.digest["sha256"]! } }]), "subject"],
    ["a hundred thousand subjects", ({ statement }) => (statement.subject = Array.from({ length: 100_000 }, () => statement.subject[0]!)), "unreadable"],
    ["two subjects' lists", (parts) => (parts.write = (text) => text.replace('"subject":', '"subject":[{"digest":{"sha256":"0"}}],$&')), "unreadable"],
    ["two types", (parts) => (parts.write = (text) => text.replace('"predicateType":', '"predicateType":"https://spdx.dev/Document",$&')), "unreadable"],
    ["text behind the statement", (parts) => (parts.write = (text) => `${text}{}`), "unreadable"],
    ["a byte order mark", (parts) => (parts.write = (text) => `\uFEFF${text}`), "unreadable"],
    [
      "another key that calls itself ours",
      (parts) =>
        Object.assign(parts, { key: others.privateKey, bundle: { ...parts.bundle, verificationMaterial: { publicKey: { hint: hintOf(ours.keys[0]!.pem) } } } }),
      "signer",
    ],
    [
      "a million lists in each other",
      (parts) => (parts.write = (text) => text.replace('"predicate":{}', `"predicate":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`)),
      "unreadable",
    ],
    ["no subject", ({ statement }) => (statement.subject = []), "unreadable"],
    ["another repository", ({ statement }) => (statement.subject[0]!.name = "registry.example/acme/app"), "repository"],
    ["a name that is none", ({ statement }) => (statement.subject[0]!.name = "../.."), "repository"],
    ["an attestation", ({ statement }) => (statement.predicateType = "https://spdx.dev/Document"), "type"],
    ["no statement", ({ statement }) => (statement._type = "https://example.com/Other"), "unreadable"],
    ["the payload's type exchanged", (parts) => (parts.payloadType = "text/plain"), "signer"],
    ["signed as another type", (parts) => (parts.payloadType = parts.signedType = "text/plain"), "type"],
    ["a bundle of another version", ({ bundle }) => (bundle.mediaType = "application/vnd.dev.sigstore.bundle+json;version=9.9"), "unreadable"],
    ["deep JSON", ({ bundle }) => (bundle["verificationMaterial"] = nested(1000)), "unreadable"],
    ["a deep statement", ({ statement }) => (statement.predicate = nested(1000)), "unreadable"],
    ["no envelope", ({ bundle }) => (bundle["dsseEnvelope"] = null), "unreadable"],
    ["no signature", ({ bundle }) => (bundle["dsseEnvelope"] = { payload: "e30=", payloadType: "x", signatures: [] }), "unreadable"],
    [
      "a thousand signatures",
      ({ bundle }) => (bundle["dsseEnvelope"] = { payload: "e30=", payloadType: "x", signatures: Array.from({ length: 1000 }, () => ({ sig: "AAAA" })) }),
      "unreadable",
    ],
    ["of a file", ({ bundle }) => Object.assign(bundle, { dsseEnvelope: undefined, messageSignature: { signature: "AAAA" } }), "unreadable"],
  ];
  for (const [name, change, refusal] of bundles) {
    test(`a bundle: ${name}`, async () => {
      await using repository = await startRepository();
      await pushBundle(repository, await pushImage(repository, "1"), change);
      const verification = slipway.trust.verify(`${repository.name}:1`, ours);
      if (refusal === undefined) assert.equal((await verification).signatures.length, 1);
      else assert.deepEqual(await refusals(verification), [refusal]);
    });
  }

  test("a copy in another repository, in both formats; not where that is expected", async () => {
    await using repository = await startRepository();
    const digest = await pushImage(repository, "1");
    await slipway.trust.sign(`${repository.name}:1`, ours);
    const copy = repositoryOf(repository.registry, "evil/app");
    await slipway.transfer.copy(`docker://${repository.name}:1`, `docker://${copy.name}:1`, { referrers: true }).result;
    assert.deepEqual(await refusals(slipway.trust.verify(`${copy.name}:1`, ours)), ["repository", "repository"]);
    const verified = await slipway.trust.verify(`${copy.name}:1`, { ...ours, repositories: [repository.name] });
    assert.deepEqual([verified.digest, formats(verified)], [digest, ["bundle", "tag"]]);
  });

  test("a tag that was moved since: what it means now has no signature", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    await slipway.trust.sign(`${repository.name}:1`, ours);
    await pushImage(repository, "1", "moved");
    await refusals(slipway.trust.verify(`${repository.name}:1`, ours), "SIGNATURE_MISSING");
  });

  test("a list of referrers that names another image's signature", async () => {
    await using repository = await startRepository("acme/app", { referrers: false });
    const [signed, unsigned] = [await pushImage(repository, "1"), await pushImage(repository, "2", "other")];
    await slipway.trust.sign(`${repository.name}:1`, { ...ours, formats: ["bundle"] });
    const list = await repository.fetch(`manifests/${signed.replace(":", "-")}`);
    await repository.pushManifest(unsigned.replace(":", "-"), list?.text ?? "", indexType);
    await refusals(slipway.trust.verify(`${repository.name}:2`, ours), "SIGNATURE_MISSING");
  });

  test("a signature that is larger than any is not fetched", async () => {
    await using repository = await startRepository();
    const digest = await pushImage(repository, "1");
    const layer = await repository.pushBlob(Buffer.alloc((4 << 20) + 1), "application/vnd.dev.sigstore.bundle.v0.3+json");
    const config = await repository.pushBlob("{}", "application/vnd.oci.empty.v1+json");
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType: layer.mediaType,
      config,
      layers: [layer],
      subject: { mediaType: manifestType, digest, size: 1 },
    });
    await repository.pushManifest(sha256(manifest), manifest);
    repository.registry.clearRequests();
    assert.deepEqual(await refusals(slipway.trust.verify(`${repository.name}:1`, ours)), ["unreadable"]);
    assert.ok(!repository.registry.requests.some(({ url: asked }) => asked.includes(layer.digest)));
  });

  test("many signatures that are large together: no more is fetched than a bound, and ours among them counts", async () => {
    await using repository = await startRepository();
    const digest = await pushImage(repository, "1");
    const type = "application/vnd.dev.cosign.simplesigning.v1+json";
    const layers: { readonly digest: string }[] = [];
    for (let at = 0; at < 40; at++) layers.push(await repository.pushBlob(Buffer.alloc(4 << 20, at), type));
    const config = await repository.pushBlob("{}", "application/vnd.oci.image.config.v1+json");
    await repository.pushManifest(`${digest.replace(":", "-")}.sig`, JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers }));
    await slipway.trust.sign(`${repository.name}:1`, { ...ours, formats: ["bundle"] });
    repository.registry.clearRequests();
    const { signatures, refused } = await slipway.trust.verify(`${repository.name}:1`, ours);
    assert.deepEqual([signatures.length, refused.length], [1, 40]);
    const fetched = repository.registry.requests.filter(({ url }) => layers.some((layer) => url.includes(layer.digest)));
    assert.equal(fetched.length, 16);
  });

  test("a registry that fails is a failure, not an image without signature", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    await slipway.trust.sign(`${repository.name}:1`, ours);
    repository.registry.addFault({ path: /\.sig$/, fault: { type: "status", status: 403 } });
    await assert.rejects(slipway.trust.verify(`${repository.name}:1`, ours), (error: { readonly code: string }) => !error.code.startsWith("SIGNATURE"));
  });
});
