/** Notation's signatures whose certificates have expired since: they count where a trusted authority stamped them in time. */
import assert from "node:assert/strict";
import { randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../../src/base/errors.ts";
import { Slipway, type VerifyOptions } from "../../src/engine/index.ts";
import { timestampRequest } from "../../src/trust/keyless/timestamp-request.ts";
import { stampedTime } from "../../src/trust/notation/time-stamp.ts";
import { Refused } from "../../src/trust/signatures/evidence.ts";
import { issue, noOpenssl, usages } from "./certificates.ts";
import { refusals } from "./keys.ts";
import { manifestType, pushImage, sha256, startRepository, type Repository } from "./repository.ts";
import { stamp, stampUsage, startStamping } from "./stamping.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-time-stamp-"));
const slipway = await Slipway.open({ root: path.join(root, "store") });
after(async () => {
  await slipway.close();
  rmSync(root, { recursive: true });
});

interface Jws {
  readonly header: Record<string, unknown>;
  readonly signature: string;
}

/** The image's only signature, with another unsigned header, beside the same image in another repository. */
async function pushStamped(from: Repository, manifest: string, change: (jws: Jws) => void): Promise<Repository & AsyncDisposable> {
  const document = JSON.parse((await from.fetch(`manifests/${manifest}`))?.text ?? "") as { readonly layers: readonly { readonly digest: string }[] };
  const jws = JSON.parse((await from.fetch(`blobs/${document.layers[0]?.digest}`))?.text ?? "") as Jws;
  change(jws);
  const to = await startRepository("acme/stamped");
  const digest = await pushImage(to, "1");
  const layer = await to.pushBlob(JSON.stringify(jws), "application/jose+json");
  const config = await to.pushBlob("{}", "application/vnd.cncf.notary.signature");
  const text = JSON.stringify({ ...document, config, layers: [layer], subject: { mediaType: manifestType, digest, size: 1 } });
  await to.pushManifest(sha256(text), text);
  return to;
}

describe("a time stamp", { skip: noOpenssl }, () => {
  if (noOpenssl !== false) return;
  const authority = issue(root, "root", usages.root);
  const release = issue(root, "release", usages.leaf, authority);
  const clock = issue(root, "clock-root", usages.root);
  const middle = issue(root, "clock-middle", usages.root, clock);
  const tsa = issue(root, "tsa", stampUsage, middle);
  const rsa = issue(root, "tsa-rsa", stampUsage, clock, ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
  const later = new Date(Date.now() + 15 * 365 * 24 * 3600 * 1000);
  const trusted: VerifyOptions = { authorities: [{ pem: authority.certificate }], now: later };
  const withStamps: VerifyOptions = { ...trusted, timestampAuthorities: [{ pem: clock.certificate }] };
  const question = (jws: Jws): Buffer => timestampRequest(Buffer.from(jws.signature, "base64url"), randomBytes(8));
  const stamped = (jws: Jws, by = tsa, digest = "sha256"): Buffer => stamp(root, by, question(jws), "token", digest);
  const put = (jws: Jws, token: Buffer): void => void (jws.header["io.cncf.notary.timestampSignature"] = token.toString("base64"));

  interface Case {
    readonly name: string;
    readonly change?: (jws: Jws) => void;
    readonly options?: VerifyOptions;
    /** undefined: it is accepted */
    readonly why?: RegExp;
  }
  const cases: readonly Case[] = [
    { name: "in time" },
    { name: "by an RSA key", change: (jws) => put(jws, stamped(jws, rsa)) },
    { name: "by an RSA key with SHA-512", change: (jws) => put(jws, stamped(jws, rsa, "sha512")) },
    { name: "with SHA-384", change: (jws) => put(jws, stamped(jws, tsa, "sha384")) },
    { name: "by an authority between", options: { ...withStamps, timestampAuthorities: [{ pem: middle.certificate }] } },
    { name: "is not needed as long as the certificate holds", change: (jws) => put(jws, Buffer.from("x")), options: { ...withStamps, now: new Date() } },
    { name: "where none is trusted", options: trusted, why: /expired at/ },
    {
      name: "of nobody who is trusted",
      options: { ...trusted, timestampAuthorities: [{ pem: authority.certificate }] },
      why: /it ends at .*clock-root, which is not trusted/,
    },
    { name: "that is missing", change: ({ header }) => delete header["io.cncf.notary.timestampSignature"], why: /expired at/ },
    { name: "that is none", change: (jws) => put(jws, Buffer.from("x")), why: /it cannot be read/ },
    { name: "that is cut off", change: (jws) => put(jws, stamped(jws).subarray(0, 200)), why: /it cannot be read/ },
    { name: "with an answer around it", change: (jws) => put(jws, stamp(root, tsa, question(jws), "answer")), why: /it cannot be read/ },
    {
      name: "over something else",
      change: (jws) => put(jws, stamp(root, tsa, timestampRequest(Buffer.from("x"), randomBytes(8)), "token")),
      why: /over something else/,
    },
    {
      name: "with another signature",
      change: (jws) => {
        const token = stamped(jws, rsa);
        token[token.length - 8]! ^= 1;
        put(jws, token);
      },
      why: /not made with the key of its certificate/,
    },
    {
      name: "whose time was changed",
      change: (jws) => {
        const token = stamped(jws);
        const year = Buffer.from(String(new Date().getFullYear()));
        // the time in what is signed stands before that of the attributes, and after those of no certificate
        const at = token.indexOf(Buffer.concat([Buffer.from([0x18, 0x0f]), year]));
        assert.notEqual(at, -1);
        token[at + 5]! ^= 1;
        put(jws, token);
      },
      why: /what it says was changed/,
    },
  ];

  for (const format of ["jws", "cose"] as const) {
    test(`is asked for when ${format} is signed, once, and counts`, async () => {
      await using stamps = await startStamping(root, tsa);
      await using repository = await startRepository("acme/stamped");
      await pushImage(repository, "1");
      const image = `${repository.name}:1`;
      const signing = { key: { pem: release.key }, certificates: { pem: release.chain }, formats: [format] };
      const existed = async (timestampUrl?: string): Promise<boolean | undefined> => {
        const { images } = await slipway.trust.sign(image, timestampUrl === undefined ? signing : { ...signing, timestampUrl });
        return images[0]?.signatures[0]?.existed;
      };
      assert.equal(await existed(), false);
      assert.deepEqual(await refusals(slipway.trust.verify(image, withStamps)), ["certificate"]);
      // what was signed without a stamp is no reason to leave it without one
      assert.deepEqual([await existed(stamps.url), await existed(stamps.url), await existed()], [false, true, true]);
      assert.equal((await slipway.trust.verify(image, withStamps)).signatures.length, 1);
    });
  }

  const silent: readonly [name: string, answer: Buffer, code: string, status?: number][] = [
    ["refuses", Buffer.from("no"), "KEYLESS_REFUSED", 403],
    ["answers nonsense", Buffer.from("stamped"), "KEYLESS_INVALID"],
    ["does not grant it", Buffer.from("30053003020102", "hex"), "KEYLESS_INVALID"],
  ];
  for (const [name, answer, code, status = 200] of silent) {
    test(`is not written where the authority ${name}, and nothing is signed`, async () => {
      await using repository = await startRepository("acme/stamped");
      await pushImage(repository, "1");
      const server = createServer((request, response) => void request.resume().on("end", () => response.writeHead(status).end(answer)));
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      try {
        const timestampUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
        const signing = slipway.trust.sign(`${repository.name}:1`, { key: { pem: release.key }, certificates: { pem: release.chain }, timestampUrl });
        await assert.rejects(signing, (error) => isSlipwayError(error, code));
      } finally {
        server.close();
      }
      assert.deepEqual((await slipway.trust.signatures(`${repository.name}:1`)).signatures, []);
    });
  }

  test("with a byte changed anywhere is refused, or tells the same time", async () => {
    const signature = randomBytes(64);
    const token = stamp(root, tsa, timestampRequest(signature, randomBytes(8)), "token");
    const anchors = [new X509Certificate(clock.certificate)];
    const { earliest } = await stampedTime(token, signature, anchors);
    const bits = [1, 0x40, 0x80];
    for (let at = 0; at < token.length; at += 4) {
      const changed = Buffer.from(token);
      changed[at]! ^= bits[at % bits.length]!;
      const found = await stampedTime(changed, signature, anchors).catch((error: unknown) => error);
      // there are certificates in it that nobody needs: what is told may not be different for that
      if (!(found instanceof Refused)) assert.deepEqual((found as { readonly earliest: Date }).earliest, earliest, `byte ${at}`);
    }
  });

  test("belongs to certificates", async () => {
    const signing = slipway.trust.sign("registry.example/app", { key: { pem: release.key }, timestampUrl: "http://127.0.0.1:1" });
    await assert.rejects(signing, (error) => isSlipwayError(error, "USAGE"));
  });

  test("counts, and nothing else does", async (t) => {
    await using repository = await startRepository("acme/stamped");
    await pushImage(repository, "1");
    const signing = { key: { pem: release.key }, certificates: { pem: release.chain } };
    const { images } = await slipway.trust.sign(`${repository.name}:1`, signing);
    const manifest = images[0]?.signatures[0]?.manifest ?? "";
    for (const { name, change = () => undefined, options = withStamps, why } of cases) {
      await t.test(name, async () => {
        await using place = await pushStamped(repository, manifest, (jws) => {
          put(jws, stamped(jws));
          change(jws);
        });
        const verification = slipway.trust.verify(`${place.name}:1`, options);
        if (why === undefined) assert.equal((await verification).signatures.length, 1);
        else {
          assert.deepEqual(await refusals(verification), ["certificate"]);
          await assert.rejects(verification, why);
        }
      });
    }
  });
});
