/** Policies about every kind of signer, and about two files at once. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { Slipway, type PolicyCheck } from "../../src/engine/index.ts";
import { loadPolicyFiles } from "../../src/engine/policy/load-policy.ts";
import { Policies } from "../../src/engine/policy/policies.ts";
import { parseReference } from "../../src/oci/index.ts";
import { createRegistryClient, readMachineConfig } from "../../src/registry/index.ts";
import { Store } from "../../src/store/index.ts";
import { issue, noOpenssl, usages } from "./certificates.ts";
import { identityToken, startKeylessServer } from "./keyless-services.ts";
import { pair } from "./keys.ts";
import { pushImage, pushRecorded, readRecorded, startRepository } from "./repository.ts";

const root = mkdtempSync(path.join(tmpdir(), "slipway-policy-"));
after(() => rmSync(root, { recursive: true }));
let files = 0;
function write(body: object): string {
  const file = path.join(root, `policy-${(files += 1)}.json`);
  writeFileSync(file, JSON.stringify({ version: 1, ...body }), { mode: 0o644 });
  return file;
}

/** What a policy says of an image of this registry, whose scope has this rule. */
async function check(image: string, rule: object): Promise<PolicyCheck> {
  const file = write({ scopes: { [image.split("/")[0] ?? ""]: rule }, default: { reject: true } });
  await using slipway = await Slipway.open({ root: path.join(root, "store"), policy: { file } });
  return await slipway.policy.check(image);
}

describe("an identity", async () => {
  const repository = await startRepository("acme/keyless");
  after(() => repository[Symbol.asyncDispose]());
  await pushRecorded(repository, readRecorded("keyless.json"));
  const trustedRoot = path.join(import.meta.dirname, "recorded/trusted-root.json");
  const signer = { identity: "dev@acme.test", issuer: "https://oidc.acme.test", trustedRoot, ignoreLog: true, ignoreCertificateLog: true };
  const { identity: _, ...unnamed } = signer;
  const cases: readonly { readonly name: string; readonly signed: readonly object[]; readonly want: boolean }[] = [
    { name: "by its name", signed: [signer], want: true },
    { name: "by a pattern for all of it", signed: [{ ...unnamed, identityPattern: "[a-z]+@acme\\.test" }], want: true },
    { name: "by a pattern for a part of it", signed: [{ ...unnamed, identityPattern: "[a-z]+@" }], want: false },
    { name: "of another issuer", signed: [{ ...signer, issuer: "https://elsewhere.test" }], want: false },
    { name: "without an entry in a log", signed: [{ ...signer, ignoreLog: false }], want: false },
    { name: "one of two", signed: [{ ...signer, identity: "ops@acme.test" }, signer], want: true },
  ];
  for (const { name, signed, want } of cases) {
    test(`${want ? "accepted" : "refused"}: ${name}`, async () => {
      const { isAccepted, verdicts } = await check(`${repository.name}:1`, { signed });
      assert.equal(isAccepted, want, JSON.stringify(verdicts));
      assert.deepEqual(verdicts[0]?.held, want ? ["signed by dev@acme.test"] : []);
    });
  }
});

describe("attestations for an identity", async () => {
  const [repository, services] = [await startRepository("acme/attested"), await startKeylessServer()];
  await using slipway = await Slipway.open({ root: path.join(root, "attesting") });
  after(async () => {
    await repository[Symbol.asyncDispose]();
    await services[Symbol.asyncDispose]();
  });
  await pushImage(repository, "1");
  const image = `${repository.name}:1`;
  const [identity, issuer, type] = ["repo:acme/app", "https://oidc.test", "https://acme.test/build/v1"];
  const token = identityToken({ iss: issuer, sub: identity, exp: Math.floor(Date.now() / 1000) + 600 });
  const keyless = { token, fulcioUrl: services.url, rekorUrl: services.url, env: {} };
  await slipway.trust.attest(image, { keyless, type, predicate: Buffer.from('{"from":"main"}') });
  const trustedRoot = path.join(root, "services-root.json");
  writeFileSync(trustedRoot, services.trustedRoot);
  const by = { identity, issuer, trustedRoot };
  const cases: readonly { readonly name: string; readonly attested: object; readonly want: RegExp | undefined }[] = [
    { name: "of the identity", attested: { type, ...by }, want: undefined },
    {
      name: "by a pattern, saying what it has to",
      attested: { type, identityPattern: "repo:.*", issuer, trustedRoot, where: [{ path: "from", is: "main" }] },
      want: undefined,
    },
    { name: "saying something else", attested: { type, ...by, where: [{ path: "from", is: "next" }] }, want: /says that from is "next"/ },
    { name: "of another identity", attested: { type, ...by, identity: "repo:acme/other" }, want: /it was made by repo:acme\/app/ },
    { name: "of another issuer", attested: { type, ...by, issuer: "https://other.test" }, want: /as https:\/\/oidc\.test says/ },
    { name: "of another type", attested: { type: "vuln", ...by }, want: /it is of type https:\/\/acme\.test/ },
    {
      name: "under another root",
      attested: { type, ...by, trustedRoot: path.join(import.meta.dirname, "recorded/trusted-root.json") },
      want: /does not hold against the trusted root: .*: no valid certificate path found/,
    },
  ];
  for (const { name, attested, want } of cases) {
    test(`${want === undefined ? "accepted" : "refused"}: ${name}`, async () => {
      const { isAccepted, verdicts } = await check(image, { attested: [attested] });
      assert.equal(isAccepted, want === undefined, JSON.stringify(verdicts));
      assert.match(verdicts[0]?.refused?.reason ?? "", want ?? /^$/);
    });
  }
});

describe("the name that was signed", async () => {
  const repository = await startRepository("acme/named");
  after(() => repository[Symbol.asyncDispose]());
  const digest = await pushImage(repository, "1", "named");
  await pushImage(repository, "2", "named");
  await using slipway = await Slipway.open({ root: path.join(root, "naming") });
  const ours = pair("ours");
  const keys = path.join(root, "named.pub");
  writeFileSync(keys, ours.keys[0]?.pem ?? "");
  await pushImage(repository, "bundled", "another");
  await slipway.trust.sign(`${repository.name}:bundled`, { ...ours, formats: ["bundle"] });
  test("bundles say no tag", async () => {
    const { isAccepted, verdicts } = await check(`${repository.name}:bundled`, { signed: [{ keys, signedName: { match: "exact" } }] });
    assert.deepEqual([isAccepted, /it was made for .*\/acme\/named/.test(verdicts[0]?.refused?.reason ?? "")], [false, true]);
    assert.equal((await check(`${repository.name}:bundled`, { signed: [{ keys }] })).isAccepted, true);
  });
  await slipway.trust.sign(`${repository.name}:1`, { ...ours, formats: ["legacy"] });
  const elsewhere = "other.example/acme";
  const cases: readonly { readonly signedName: object; readonly asked: string; readonly want: boolean }[] = [
    { signedName: { match: "exact" }, asked: ":1", want: true },
    { signedName: { match: "exact" }, asked: ":2", want: false },
    { signedName: { match: "exact" }, asked: `@${digest}`, want: false },
    { signedName: { match: "exactOrDigest" }, asked: ":1", want: true },
    { signedName: { match: "exactOrDigest" }, asked: ":2", want: false },
    { signedName: { match: "exactOrDigest" }, asked: `@${digest}`, want: true },
    { signedName: { match: "exactOrDigest" }, asked: `:2@${digest}`, want: true },
    { signedName: { repository: repository.name }, asked: ":2", want: true },
    { signedName: { reference: `${repository.name}:1` }, asked: ":2", want: true },
    { signedName: { repository: elsewhere }, asked: ":1", want: false },
    { signedName: { prefix: repository.name.split("/")[0], signedPrefix: "other.example" }, asked: ":1", want: false },
  ];
  for (const { signedName, asked, want } of cases) {
    test(`${want ? "accepted" : "refused"}: ${Object.keys(signedName).join()} ${Object.values(signedName)[0]} for ${asked.slice(0, 10)}`, async () => {
      assert.equal((await check(`${repository.name}${asked}`, { signed: [{ keys, signedName }] })).isAccepted, want);
    });
  }
});

describe("certificates of notation's", { skip: noOpenssl }, async () => {
  if (noOpenssl !== false) return;
  const directory = mkdtempSync(path.join(root, "certificates-"));
  const authority = issue(directory, "root", usages.root);
  const other = issue(directory, "other", usages.root);
  const leaf = issue(directory, "leaf", usages.leaf, authority);
  for (const { name, certificate } of [authority, other]) writeFileSync(path.join(directory, `${name}.pem`), certificate);
  const store = path.join(directory, "store");
  mkdirSync(store);
  for (const { name, certificate } of [other, authority]) writeFileSync(path.join(store, `${name}.crt`), certificate);
  const repository = await startRepository("acme/noted");
  after(() => repository[Symbol.asyncDispose]());
  await pushImage(repository, "1");
  const image = `${repository.name}:1`;
  await using slipway = await Slipway.open({ root: path.join(root, "signing") });
  await slipway.trust.sign(image, { key: { pem: leaf.key }, certificates: { pem: leaf.chain } });
  const subject =
    /^subject=(.*)$/m.exec(
      execFileSync("openssl", ["x509", "-noout", "-subject", "-nameopt", "RFC2253"], { input: leaf.certificate, encoding: "utf8" }),
    )?.[1] ?? "";
  const cases: readonly { readonly name: string; readonly signer: object; readonly want: boolean }[] = [
    { name: "of the authority", signer: { authorities: [path.join(directory, "root.pem")] }, want: true },
    { name: "of a store of authorities", signer: { authorities: [store] }, want: true },
    { name: "of the authority, by the subject", signer: { authorities: path.join(directory, "root.pem"), subjects: subject }, want: true },
    { name: "of the authority, of another subject", signer: { authorities: path.join(directory, "root.pem"), subjects: "CN=somebody" }, want: false },
    { name: "of another authority", signer: { authorities: path.join(directory, "other.pem") }, want: false },
  ];
  for (const { name, signer, want } of cases) {
    test(`${want ? "accepted" : "refused"}: ${name}`, async () => assert.equal((await check(image, { signed: [signer] })).isAccepted, want));
  }
});

test("both files have to let an image pass: the system's and the user's", async () => {
  await using repository = await startRepository("acme/app");
  await pushImage(repository, "1");
  const host = repository.name.split("/")[0] ?? "";
  const accepting = { scopes: { [host]: { accept: true } }, default: { reject: true } };
  const refusing = { default: { reject: true, reason: "not here" } };
  const store = Store.open(path.join(root, "both"));
  after(() => store.close());
  await using client = createRegistryClient(await readMachineConfig());
  const outcome = async (system: object, user: object): Promise<readonly boolean[]> => {
    const policies = loadPolicyFiles({ system: write(system), user: write(user), isGiven: false });
    const { isAccepted, verdicts } = await new Policies({ store, client: async () => client }, policies, []).check(
      parseReference(`${repository.name}:1`),
      undefined,
    );
    return [isAccepted, ...verdicts.map(({ refused }) => refused === undefined)];
  };
  assert.deepEqual(await outcome(accepting, accepting), [true, true, true]);
  assert.deepEqual(await outcome(refusing, accepting), [false, false, true]);
  assert.deepEqual(await outcome(accepting, refusing), [false, true, false]);
});

test("a policy file has to be a plain file that not anybody may write, and is read within bounds", () => {
  const places = (user: string) => ({ system: path.join(root, "absent.json"), user, isGiven: false });
  assert.deepEqual(loadPolicyFiles(places(path.join(root, "absent.json"))), []);
  const pipe = path.join(root, "pipe.json");
  execFileSync("mkfifo", [pipe]);
  assert.throws(() => loadPolicyFiles(places(pipe)), { code: "POLICY_INVALID", message: /no regular file/ });
  const large = path.join(root, "large.json");
  writeFileSync(large, " ".repeat((1 << 20) + 1));
  assert.throws(() => loadPolicyFiles(places(large)), { code: "POLICY_INVALID", message: /longer than/ });
  const open = write({ default: { accept: true } });
  chmodSync(open, 0o666);
  assert.throws(() => loadPolicyFiles(places(open)), { code: "POLICY_INVALID", message: /anybody may write/ });
  const stores = path.join(root, "anybodys");
  mkdirSync(stores);
  chmodSync(stores, 0o777);
  const loose = path.join(root, "loose.pub");
  writeFileSync(loose, "key");
  chmodSync(loose, 0o666);
  for (const named of [loose, stores]) {
    const policy = write({ default: { signed: [{ keys: named }] } });
    assert.throws(() => loadPolicyFiles(places(policy)), { code: "POLICY_INVALID", message: /(?:loose\.pub|anybodys) cannot be read: anybody may/ });
  }
  const key = path.join(root, "huge.pub");
  writeFileSync(key, Buffer.alloc((4 << 20) + 1));
  assert.throws(() => loadPolicyFiles(places(write({ default: { signed: [{ keys: key }] } }))), {
    code: "POLICY_INVALID",
    message: /huge\.pub cannot be read: it is longer/,
  });
});

test("a key that is none refuses, and says so", async () => {
  await using repository = await startRepository("acme/app");
  await pushImage(repository, "1");
  const image = `${repository.name}:1`;
  await using slipway = await Slipway.open({ root: path.join(root, "signing") });
  const ours = pair("ours");
  await slipway.trust.sign(image, ours);
  const [good, bad] = [path.join(root, "good.pub"), path.join(root, "bad.pub")];
  writeFileSync(good, ours.keys[0]?.pem ?? "");
  writeFileSync(bad, "no key");
  const { isAccepted, verdicts } = await check(image, { signed: [{ keys: bad }] });
  assert.equal(isAccepted, false);
  assert.match(verdicts[0]?.refused?.reason ?? "", /it cannot be verified: .*bad\.pub/);
  assert.equal((await check(image, { signed: [{ keys: bad }, { keys: good }] })).isAccepted, true);
  assert.equal(readFileSync(bad, "utf8"), "no key");
});
