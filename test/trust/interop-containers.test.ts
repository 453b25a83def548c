/** policy.json of skopeo and podman: what `sign` writes is accepted under the plain rule, and nothing else is. Absent programs skip with a line. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, before, describe, test } from "node:test";
import { generateKey } from "../../src/engine/signing/keys.ts";
import type { PeerName } from "../lab/peers.ts";
import { fails, need, password, startMeeting, succeeds, type FreshImage } from "./meeting.ts";
import { pushImage, repositoryOf } from "./repository.ts";

const meeting = await startMeeting();
after(() => meeting[Symbol.asyncDispose]());
const { slipway, files, there, ownKey, ownKeys, freshImage, registry } = meeting;

writeFileSync(path.join(files.here, "registries.conf"), "");
const env = { HOME: files.there, CONTAINERS_REGISTRIES_CONF: there("registries.conf") };
const lookaside = ".config/containers/registries.d";
let count = 0;

/** What asks for a signature by the key, as it is written for every host alike. */
function policyOf(key: string): string {
  const requirement = { type: "sigstoreSigned", keyPath: there(`${key}.pub`) };
  writeFileSync(
    path.join(files.here, `${key}.json`),
    JSON.stringify({ default: [{ type: "reject" }], transports: { docker: { [registry.host]: [requirement] } } }),
  );
  return there(`${key}.json`);
}

/** podman's own storage would be the machine's */
const podman = ["--root", there("storage"), "--runroot", there("run"), "--storage-driver", "vfs"];

const programs: readonly [name: PeerName, fetch: (key: string, image: string) => readonly string[]][] = [
  [
    "skopeo",
    (key, image) => {
      const trust = ["--policy", policyOf(key), "--registries.d", there(lookaside)];
      return [...trust, "copy", "--src-tls-verify=false", `docker://${image}`, `dir:${there(`out${++count}`)}`];
    },
  ],
  ["podman", (key, image) => [...podman, "pull", "-q", "--tls-verify=false", "--signature-policy", policyOf(key), image]],
];

/** The image under our signature, whose payload somebody has changed. */
async function tamper({ place, digest }: FreshImage): Promise<void> {
  const tag = `${digest.replace(":", "-")}.sig`;
  const manifest = JSON.parse((await place.fetch(`manifests/${tag}`))?.text ?? "") as { readonly layers: readonly { readonly digest: string }[] };
  const [layer] = manifest.layers;
  const payload = (await place.fetch(`blobs/${layer?.digest}`))?.text ?? "";
  const changed = await place.pushBlob(payload.replace('"optional":null', '"optional":{}'), "application/vnd.dev.cosign.simplesigning.v1+json");
  assert.notEqual(changed.digest, layer?.digest);
  await place.pushManifest(tag, JSON.stringify({ ...manifest, layers: [{ ...layer, ...changed }] }));
}

interface Case {
  readonly name: string;
  readonly key?: "third";
  /** answers the name that is asked for */
  readonly prepare: (fresh: FreshImage) => Promise<string>;
  /** undefined: it is accepted */
  readonly refused?: RegExp;
}

const signed = async ({ image }: FreshImage): Promise<string> => {
  await slipway.trust.sign(image, ownKey);
  return image;
};

const cases: readonly Case[] = [
  { name: "by its tag", prepare: signed },
  {
    name: "by its digest",
    prepare: async (fresh) => {
      await signed(fresh);
      return `${fresh.place.name}@${fresh.digest}`;
    },
  },
  {
    name: "beside a signature that others have made",
    prepare: async (fresh) => {
      await generateKey({ output: path.join(files.here, `other${++count}`), password });
      await slipway.trust.sign(fresh.image, { key: { pem: meeting.read(`other${count}.key`), password } });
      return await signed(fresh);
    },
  },
  { name: "unsigned", prepare: async ({ image }) => image, refused: /no signature exists/u },
  { name: "by another key", key: "third", prepare: signed, refused: /verification failed/u },
  {
    name: "as a bundle alone, which they cannot read",
    prepare: async ({ image }) => {
      await slipway.trust.sign(image, { ...ownKey, formats: ["bundle"] });
      return image;
    },
    refused: /no signature exists/u,
  },
  {
    name: "with a changed payload",
    prepare: async (fresh) => {
      await signed(fresh);
      await tamper(fresh);
      return fresh.image;
    },
    refused: /verification failed/u,
  },
  {
    name: "copied into another repository",
    prepare: async (fresh) => {
      const copy = repositoryOf(registry, `evil/app${++count}`);
      await slipway.transfer.copy(`docker://${await signed(fresh)}`, `docker://${copy.name}:1`, { referrers: true }).result;
      return `${copy.name}:1`;
    },
    refused: /identity .* is not accepted/u,
  },
  {
    name: "under another tag than was signed",
    prepare: async (fresh) => {
      await signed(fresh);
      await pushImage(fresh.place, "2", fresh.place.name.replace(/.*app/, ""));
      return `${fresh.place.name}:2`;
    },
    refused: /identity .* is not accepted/u,
  },
];

for (const [program, fetch] of programs) {
  describe(program, need(program), () => {
    before(async () => {
      mkdirSync(path.join(files.here, lookaside), { recursive: true });
      writeFileSync(path.join(files.here, lookaside, "all.yaml"), "default-docker: {use-sigstore-attachments: true}\n");
      await generateKey({ output: path.join(files.here, "third"), password, force: true });
    });

    for (const { name, key = "own", prepare, refused } of cases) {
      test(`${refused === undefined ? "accepts" : "refuses"} an image of ours: ${name}`, async () => {
        const words = fetch(key, await prepare(await freshImage()));
        if (refused === undefined) await succeeds(program, words, env);
        else await fails(program, words, refused, env);
      });
    }
  });
}

describe("skopeo and podman", () => {
  const signing = ["--sign-by-sigstore-private-key", there("own.key"), "--sign-passphrase-file", there("password")];
  const signers: readonly [name: PeerName, sign: (from: string, to: string) => readonly (readonly string[])[]][] = [
    [
      "skopeo",
      (from, to) => {
        const plain = ["--registries.d", there(lookaside), "copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
        return [[...plain, ...signing, `docker://${from}`, `docker://${to}`]];
      },
    ],
    [
      "podman",
      (from, to) => [
        [...podman, "pull", "-q", "--tls-verify=false", from],
        [...podman, "push", "-q", "--tls-verify=false", ...signing, from, `docker://${to}`],
      ],
    ],
  ];
  for (const [program, sign] of signers) {
    test(`${program} signs what is accepted here, for that place alone`, need(program), async () => {
      const { image } = await freshImage();
      const target = repositoryOf(registry, `by/${program}`);
      writeFileSync(path.join(files.here, "password"), "secret");
      for (const words of sign(image, `${target.name}:1`)) await succeeds(program, words, env);
      const { signatures } = await slipway.trust.verify(`${target.name}:1`, ownKeys);
      assert.deepEqual(
        signatures.map(({ format, reference }) => [format, reference]),
        [["tag", `${target.name}:1`]],
      );
    });
  }
});
