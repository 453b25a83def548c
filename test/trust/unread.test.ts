/** Whoever may write to a repository may put any amount of anything beside an image: the work is bounded, what was read is judged, and what was not is told. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Slipway, type Verification } from "../../src/engine/index.ts";
import type { FaultRule } from "../../src/testing/index.ts";
import { pair, refusals } from "./keys.ts";
import { indexType, manifestType, pushImage, sha256, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-unread-"));
const slipway = await Slipway.open({ root });
after(async () => {
  await slipway.close();
  rmSync(root, { recursive: true });
});

const ours = pair("ours");
const others = pair("others");
const formats = ({ signatures }: Verification): readonly string[] => signatures.map(({ format }) => format).toSorted();

const junk = (count: number, artifactType?: string): string => {
  const manifests = Array.from({ length: count }, (_, index) => ({ mediaType: manifestType, digest: sha256(String(index)), size: 100, artifactType }));
  return JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests });
};
const answering = (where: RegExp, body: string, mediaType = indexType): FaultRule => ({
  path: where,
  fault: { type: "status", status: 200, headers: { "content-type": mediaType }, body },
});
const next = (page: string): FaultRule["fault"] => ({ type: "headers", headers: { link: `<?last=${page}>; rel="next"` } });
const list = /referrers\/sha256:[0-9a-f]+$/;
const listTag = /manifests\/sha256-[0-9a-f]{64}$/;
const tag = /manifests\/sha256-[0-9a-f]{64}\.sig$/;

interface Case {
  readonly name: string;
  readonly referrers?: false;
  readonly rules: (digest: string, bundle: string, layer: string) => readonly FaultRule[];
  /** what counts all the same */
  readonly accepted: readonly string[];
  /** undefined: it is told as a refused one */
  readonly unread?: RegExp;
}

const endless = { type: "endless" } as const;
const cases: readonly Case[] = [
  { name: "a bundle without an end", rules: (_, __, layer) => [{ path: `blobs/${layer}`, fault: endless }], accepted: ["tag"] },
  { name: "a bundle's manifest without an end", rules: (_, bundle) => [{ path: `manifests/${bundle}`, fault: endless }], accepted: ["tag"] },
  {
    name: "a tag without an end",
    rules: () => [{ path: tag, fault: endless }],
    accepted: ["bundle"],
    unread: /^the tag sha256-[0-9a-f]+\.sig cannot be read: /,
  },
  { name: "a tag that is no JSON", rules: () => [answering(tag, "signed", manifestType)], accepted: ["bundle"], unread: /cannot be read: / },
  { name: "a tag that is an index", rules: () => [answering(tag, junk(3))], accepted: ["bundle"], unread: /cannot be read: / },
  { name: "a list without an end", rules: () => [{ path: list, fault: endless }], accepted: ["tag"], unread: /list of referrers .* larger than/ },
  { name: "a list that is no JSON", rules: () => [answering(list, "{")], accepted: ["tag"], unread: /./ },
  { name: "pages that lead in a circle", rules: () => [{ path: list, fault: next("1") }], accepted: ["bundle", "tag"], unread: /lead in a circle/ },
  {
    name: "pages without an end",
    rules: () => Array.from({ length: 300 }, (_, page) => ({ path: list, nth: page + 1, fault: next(String(page)) })),
    accepted: ["bundle", "tag"],
    unread: /lists more than 20000 referrers, 200 pages or/,
  },
  {
    name: "a second page that is none",
    rules: () => [
      { path: list, nth: 1, fault: next("1") },
      { path: list, nth: 2, fault: { type: "status", status: 404 } },
    ],
    accepted: ["bundle", "tag"],
    unread: /a page of .* is none/,
  },
  { name: "ten thousand referrers", rules: () => [answering(list, junk(10_000))], accepted: ["tag"], unread: /more than 200 in the list/ },
  {
    name: "ten thousand referrers that call themselves signatures",
    rules: () => [answering(list, junk(10_000, "application/vnd.dev.sigstore.bundle.v0.3+json"))],
    accepted: ["tag"],
    unread: /more than 200 in the list/,
  },
  { name: "ten thousand referrers by a tag", referrers: false, rules: () => [answering(listTag, junk(10_000))], accepted: ["tag"], unread: /more than 200/ },
  { name: "a list by a tag without an end", referrers: false, rules: () => [{ path: listTag, fault: endless }], accepted: ["tag"], unread: /./ },
  { name: "ten thousand referrers of other types", rules: () => [answering(list, junk(10_000, "x/sbom"))], accepted: ["tag"] },
];

describe("beside a good signature", () => {
  for (const { name, referrers = true, rules, accepted, unread } of cases) {
    test(`${name}: ${accepted.join(" and ")} of it is accepted, with a bounded number of requests`, { timeout: 60_000 }, async () => {
      await using repository = await startRepository("acme/app", { referrers });
      const digest = await pushImage(repository, "1");
      const image = `${repository.name}:1`;
      const { images } = await slipway.trust.sign(image, ours);
      const bundle = images[0]?.signatures.find(({ format }) => format === "bundle")?.manifest ?? "";
      const { layers } = JSON.parse((await repository.fetch(`manifests/${bundle}`))?.text ?? "{}") as {
        readonly layers: readonly { readonly digest: string }[];
      };
      for (const rule of rules(digest, bundle, layers[0]?.digest ?? "")) repository.registry.addFault({ method: ["GET", "HEAD"], ...rule });
      repository.registry.clearRequests();
      const verified = await slipway.trust.verify(image, ours);
      assert.deepEqual(formats(verified), accepted);
      assert.match(verified.unread.join("\n"), unread ?? /^$/);
      assert.ok(repository.registry.requests.length < 500, `${repository.registry.requests.length} requests`);
      if (rules(digest, "", "").some(({ nth }) => nth !== undefined)) return;
      await assert.rejects(slipway.trust.verify(image, others), (error: { readonly code: string; readonly message: string }) => {
        assert.equal(error.code, "SIGNATURE_REFUSED");
        assert.equal(error.message.includes("not all was looked at"), unread !== undefined, error.message);
        return true;
      });
    });
  }
});

describe("without any other signature", () => {
  for (const [name, rule] of [
    ["an endless list", { path: list, fault: endless }],
    ["a tag that is none", answering(tag, "signed", manifestType)],
  ] as const) {
    test(`${name}: it is not said that there is none`, async () => {
      await using repository = await startRepository();
      await pushImage(repository, "1");
      repository.registry.addFault(rule);
      assert.deepEqual(await refusals(slipway.trust.verify(`${repository.name}:1`, ours)), []);
    });
  }

  test("the image's own manifest without an end is a failure", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    await slipway.trust.sign(`${repository.name}:1`, ours);
    repository.registry.addFault({ path: /manifests\/1$/, fault: endless });
    await assert.rejects(slipway.trust.verify(`${repository.name}:1`, ours), (error: { readonly code: string }) => !error.code.startsWith("SIGNATURE"));
  });

  test("an image is signed beside a list that has no end", async () => {
    await using repository = await startRepository();
    await pushImage(repository, "1");
    repository.registry.addFault({ path: list, fault: next("1") });
    await slipway.trust.sign(`${repository.name}:1`, ours);
    await slipway.trust.attest(`${repository.name}:1`, { ...ours, type: "vuln", predicate: Buffer.from("{}") });
    const { attestations, unread } = await slipway.trust.attestations(`${repository.name}:1`);
    assert.deepEqual([attestations.length, unread.length], [2, 1]);
  });
});
