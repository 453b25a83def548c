/** What refers to an image, seen and moved by oras: ours look as cosign's and notation's do, hold where they are moved, and imitations do not. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { after, describe, test } from "node:test";
import { generateKey } from "../../src/engine/signing/keys.ts";
import type { VerifyOptions } from "../../src/engine/index.ts";
import { issue, noOpenssl, usages } from "./certificates.ts";
import { refusals } from "./keys.ts";
import { need, password, startMeeting, succeeds, type FreshImage } from "./meeting.ts";

interface Discovered {
  readonly digest: string;
  readonly artifactType: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
const notationType = "application/vnd.cncf.notary.signature";
const signaturePredicate = "https://sigstore.dev/cosign/sign/v1";

const kinds: readonly [name: string, referrers: boolean][] = [
  ["with lists of referrers", true],
  ["without", false],
];
for (const [name, referrers] of kinds) {
  const meeting = await startMeeting({ referrers });
  after(() => meeting[Symbol.asyncDispose]());
  const { slipway, files, there, ownKey, ownKeys, freshImage, registry } = meeting;

  const discover = async (image: string): Promise<readonly Discovered[]> => {
    const printed = await succeeds("oras", ["discover", "--plain-http", "--format", "json", image]);
    return (JSON.parse(printed) as { readonly referrers: readonly Discovered[] }).referrers;
  };
  /** what each list has of it besides times and names of its own */
  const shapes = (found: readonly Discovered[]): readonly unknown[] => {
    const shown = found.map(({ artifactType, annotations = {} }) => [artifactType, Object.keys(annotations), annotations["dev.sigstore.bundle.predicateType"]]);
    return shown.toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
  };
  const noServices = async (): Promise<readonly string[]> => {
    const none = ["fulcio", "oidc", "rekor", "tsa"].map((service) => `--no-default-${service}`);
    await succeeds("cosign", ["signing-config", "create", ...none, "--out", there("offline.json")]);
    return ["--signing-config", there("offline.json"), "-y"];
  };
  const copy = async (fresh: FreshImage, target: string): Promise<string> => {
    await succeeds("oras", ["copy", "-r", "--from-plain-http", "--to-plain-http", fresh.image, `${registry.host}/${target}:1`]);
    return `${registry.host}/${target}:1`;
  };

  describe(`oras at a registry ${name}`, need("oras"), () => {
    test("lists our signatures and attestations by their types", async () => {
      const { image } = await freshImage();
      await slipway.trust.sign(image, ownKey);
      await slipway.trust.attest(image, { ...ownKey, type: "spdxjson", predicate: Buffer.from("{}") });
      const found = await discover(image);
      const annotations = ["dev.sigstore.bundle.content", "dev.sigstore.bundle.predicateType", "org.opencontainers.image.created"];
      assert.deepEqual(shapes(found), [
        [bundleType, annotations, signaturePredicate],
        [bundleType, annotations, "https://spdx.dev/Document"],
      ]);
    });

    test(
      "lists them as it does those that cosign wrote",
      { skip: need("cosign").skip || (!referrers && "cosign's lists have another type than its manifests") },
      async () => {
        const [ours, theirs] = [await freshImage(), await freshImage()];
        await slipway.trust.sign(ours.image, ownKey);
        await succeeds("cosign", ["sign", "--key", there("own.key"), ...(await noServices()), `${theirs.place.name}@${theirs.digest}`]);
        assert.deepEqual(shapes(await discover(ours.image)), shapes(await discover(theirs.image)));
      },
    );

    test("fetches our bundle's manifest and its bytes", async () => {
      const { image, digest, place } = await freshImage();
      const { images } = await slipway.trust.sign(image, { ...ownKey, formats: ["bundle"] });
      const referrer = `${place.name}@${images[0]?.signatures[0]?.manifest}`;
      const manifest = JSON.parse(await succeeds("oras", ["manifest", "fetch", "--plain-http", referrer])) as {
        readonly layers: readonly { readonly digest: string }[];
        readonly subject: { readonly digest: string };
      };
      assert.equal(manifest.subject.digest, digest);
      const bundle = await succeeds("oras", ["blob", "fetch", "--plain-http", "--output", "-", `${place.name}@${manifest.layers[0]?.digest}`]);
      assert.equal((JSON.parse(bundle) as { readonly mediaType: string }).mediaType, bundleType);
    });

    test("moves an image with its bundles: they count where they were made for, and for who says so", async () => {
      const fresh = await freshImage();
      await slipway.trust.sign(fresh.image, ownKey);
      await slipway.trust.attest(fresh.image, { ...ownKey, type: "vuln", predicate: Buffer.from("{}") });
      const moved = await copy(fresh, "moved/app");
      assert.deepEqual(await refusals(slipway.trust.verify(moved, ownKeys)), ["repository"]);
      const asOriginal: VerifyOptions = { ...ownKeys, repositories: [fresh.place.name] };
      assert.equal((await slipway.trust.verify(moved, asOriginal)).digest, fresh.digest);
      assert.equal((await slipway.trust.verifyAttestations(moved, { ...asOriginal, type: "vuln" })).attestations.length, 1);
      assert.deepEqual(await refusals(slipway.trust.verifyAttestations(moved, { ...ownKeys, type: "vuln" })), ["repository"]);
    });

    test("moves an image with cosign's bundle, which counts anywhere", need("cosign"), async () => {
      const fresh = await freshImage();
      const words = ["sign", "--key", there("own.key"), ...(await noServices()), `${fresh.place.name}@${fresh.digest}`];
      await succeeds("cosign", words);
      assert.equal((await slipway.trust.verify(await copy(fresh, "moved/cosign"), ownKeys)).digest, fresh.digest);
    });

    test("lists and moves notation's signatures, which count anywhere", { skip: noOpenssl }, async () => {
      const authority = issue(files.here, "root", usages.root);
      const release = issue(files.here, "release", usages.leaf, authority);
      const fresh = await freshImage();
      await slipway.trust.sign(fresh.image, { key: { pem: release.key }, certificates: { pem: release.chain } });
      const found = await discover(fresh.image);
      assert.deepEqual(shapes(found), [[notationType, ["io.cncf.notary.x509chain.thumbprint#S256", "org.opencontainers.image.created"], undefined]]);
      const moved = await copy(fresh, "moved/notation");
      const { signatures } = await slipway.trust.verify(moved, { authorities: [{ pem: authority.certificate }] });
      assert.deepEqual(
        signatures.map(({ format }) => format),
        ["notation"],
      );
    });

    const bundleOf = async (fresh: FreshImage, key: string): Promise<string> => {
      const { images } = await slipway.trust.sign(fresh.image, { key: { pem: meeting.read(`${key}.key`), password }, formats: ["bundle"] });
      const manifest = JSON.parse((await fresh.place.fetch(`manifests/${images[0]?.signatures[0]?.manifest}`))?.text ?? "") as {
        readonly layers: readonly { readonly digest: string }[];
      };
      return (await fresh.place.fetch(`blobs/${manifest.layers[0]?.digest}`))?.text ?? "";
    };
    const attach = async ({ image }: Pick<FreshImage, "image">, type: string, text: string, mediaType = type): Promise<void> => {
      const file = "attached.json";
      writeFileSync(path.join(files.here, file), text);
      const hints = type === bundleType ? ["dev.sigstore.bundle.content=dsse-envelope", `dev.sigstore.bundle.predicateType=${signaturePredicate}`] : [];
      const annotations = hints.flatMap((hint) => ["--annotation", hint]);
      await succeeds("oras", [
        "attach",
        "--plain-http",
        "--disable-path-validation",
        "--artifact-type",
        type,
        ...annotations,
        image,
        `${there(file)}:${mediaType}`,
      ]);
    };

    test("attaches our bundle by itself, which counts as if we had", async () => {
      const fresh = await freshImage();
      const bundle = await bundleOf(fresh, "own");
      const image = `${registry.host}/moved/alone:1`;
      await succeeds("oras", ["copy", "--from-plain-http", "--to-plain-http", fresh.image, image]);
      await refusals(slipway.trust.verify(image, ownKeys), "SIGNATURE_MISSING");
      await attach({ image }, bundleType, bundle);
      assert.deepEqual(await refusals(slipway.trust.verify(image, ownKeys)), ["repository"]);
      assert.equal((await slipway.trust.verify(image, { ...ownKeys, repositories: [fresh.place.name] })).digest, fresh.digest);
    });

    interface Imitation {
      readonly name: string;
      readonly make: (fresh: FreshImage) => Promise<void>;
      readonly refused: readonly string[] | "SIGNATURE_MISSING";
    }
    const imitations: readonly Imitation[] = [
      {
        name: "another key's",
        make: async (fresh) => {
          await generateKey({ output: path.join(files.here, "third"), password, force: true });
          await attach(fresh, bundleType, await bundleOf({ ...(await freshImage()) }, "third"));
        },
        refused: ["signer"],
      },
      {
        name: "ours of another image",
        make: async (fresh) => await attach(fresh, bundleType, await bundleOf(await freshImage(), "own")),
        refused: ["subject"],
      },
      { name: "no bundle", make: async (fresh) => await attach(fresh, bundleType, '{"verified":true}'), refused: ["unreadable"] },
      { name: "no JSON", make: async (fresh) => await attach(fresh, bundleType, "signed"), refused: ["unreadable"] },
      {
        name: "a bundle in a layer of another type",
        make: async (fresh) => await attach(fresh, bundleType, await bundleOf(await freshImage(), "own"), "application/json"),
        refused: "SIGNATURE_MISSING",
      },
      { name: "notation's type", make: async (fresh) => await attach(fresh, notationType, "{}", "application/jose+json"), refused: ["signer"] },
      { name: "an SBOM", make: async (fresh) => await attach(fresh, "application/spdx+json", "{}"), refused: "SIGNATURE_MISSING" },
    ];
    for (const { name: what, make, refused } of imitations) {
      test(`attaches an imitation: ${what}`, async () => {
        const fresh = await freshImage();
        await make(fresh);
        const verification = slipway.trust.verify(fresh.image, ownKeys);
        if (refused === "SIGNATURE_MISSING") await refusals(verification, refused);
        else assert.deepEqual(await refusals(verification), refused);
      });
    }
  });
}
