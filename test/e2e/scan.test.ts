/** Advisories in, images beside them: what is shown, what fails, what is never called clean. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { startRegistry } from "../../src/testing/index.ts";
import { zipOf } from "../../src/trust/packages/languages/test-zip.ts";
import { identityToken, startKeylessServer } from "../trust/keyless-services.ts";
import { createSandbox, type Outcome } from "./sandbox.ts";

const sandbox = await createSandbox();
after(() => sandbox[Symbol.asyncDispose]());

const osv = (id: string, ecosystem: string, name: string, fixed: string | undefined, severity: string): string =>
  JSON.stringify({
    id,
    summary: `A fault in ${name}`,
    affected: [{ package: { ecosystem, name }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, ...(fixed === undefined ? [] : [{ fixed }])] }] }],
    database_specific: { severity },
  });
const tracker = JSON.stringify({
  openssl: {
    "CVE-2024-1": { releases: { bookworm: { status: "resolved", fixed_version: "3.0.2-1", urgency: "high" } } },
    "CVE-2024-2": { releases: { bookworm: { status: "open", urgency: "unimportant" } } },
    "CVE-2024-3": { releases: { bookworm: { status: "open", urgency: "low", nodsa: "Minor issue", nodsa_reason: "" } } },
  },
});
const npm = [osv("CVE-2024-7", "npm", "left", "2.0.0", "LOW"), osv("CVE-2024-8", "npm", "left", undefined, "LOW")].join("\n");
const folder = sandbox.folder({ "debian.json": gzipSync(tracker), "npm.jsonl": zstdCompressSync(npm), "kev.json": JSON.stringify(["CVE-2024-8"]) });
const inFolder = { cwd: folder };

const status = "Package: libssl3\nStatus: install ok installed\nSource: openssl\nVersion: 3.0.1-1\nArchitecture: amd64\n\n";
const files = { status, "os-release": "ID=debian\nVERSION_ID=12\n", "left.json": '{"name":"left","version":"1.0.0"}' };
await sandbox.build("FROM busybox\nCOPY status /var/lib/dpkg/status\nCOPY os-release /etc/os-release\n", files, ["-t", "base:1"]);
await sandbox.build("FROM base:1\nENV A=b\nCOPY left.json /app/node_modules/left/package.json\n", files, ["-t", "app:1"]);

test("without advisories nothing is clean", async () => {
  const outcome = await sandbox.call(["scan", "app:1"]);
  assert.deepEqual([outcome.code, outcome.stdout], [3, ""]);
  assert.match(outcome.stderr, /^there are no advisories here to compare with\nHint: slipway db import FILE/);
  assert.equal((await sandbox.call(["db", "status"])).code, 1);
});

test("an ecosystem without advisories makes the answer incomplete, unless it is left out on purpose", async () => {
  await sandbox.ok(["db", "import", "-q", "debian.json"], inFolder);
  const outcome = await sandbox.call(["scan", "--fail-on", "critical", "app:1"]);
  assert.equal(outcome.code, 3);
  assert.match(outcome.stderr, /1 packages of npm were not compared/);
  assert.equal((await sandbox.call(["scan", "--fail-on", "critical", "--skip", "npm", "app:1"])).code, 0);
});

const rows = (text: string): readonly string[] => text.split("\n").map((line) => line.replace(/ {2,}/g, " | ").trim());

test("what can be mended and what is exploited is shown, yours and the base's apart, and one line counts the rest", async () => {
  await sandbox.ok(["db", "import", "-q", "npm.jsonl", "kev.json"], inFolder);
  assert.deepEqual(rows(await sandbox.ok(["scan", "app:1"])), [
    "app:1: debian, 2 packages, advisories of today",
    "",
    "Yours: 2",
    "SEVERITY | ID | PACKAGE | INSTALLED | FIXED IN | BROUGHT BY",
    "LOW exploited | CVE-2024-8 | left | 1.0.0 | no fix yet | /app/node_modules/left/package.json | Dockerfile:3 COPY left.json /app/node_modules/lef…",
    "LOW | CVE-2024-7 | left | 1.0.0 | 2.0.0 | /app/node_modules/left/package.json | Dockerfile:3 COPY left.json /app/node_modules/lef…",
    "",
    "From the base docker.io/library/base:1: 1, a rebuild on an updated base mends all of them",
    "SEVERITY | ID | PACKAGE | INSTALLED | FIXED IN | BROUGHT BY",
    "HIGH | CVE-2024-1 | openssl (libssl3) | 3.0.1-1 | 3.0.2-1 | COPY status /var/lib/dpkg/status",
    "",
    "2 more are not shown: 1 without a fix and below high, 1 unimportant to the vendor (--all shows them)",
  ]);
  assert.equal(rows(await sandbox.ok(["scan", "--all", "app:1"])).filter((row) => row.includes("CVE-")).length, 5);
});

const gates: readonly { readonly args: readonly string[]; readonly code: number; readonly says?: RegExp }[] = [
  { args: [], code: 0 },
  { args: ["--fail-on", "critical"], code: 0 },
  { args: ["--fail-on", "high"], code: 1, says: /^1 finding fails --fail-on high$/m },
  { args: ["--fail-on", "high,fixable", "--fail-on", "kev"], code: 1, says: /^2 findings fail/m },
  { args: ["--fail-on", "any,new", "--against", "base:1"], code: 1, says: /^2 findings fail/m },
  { args: ["--fail-on", "any,new", "--against", "app:1"], code: 0 },
  { args: ["--fail-on", "new"], code: 2, says: /needs --against/ },
  { args: ["--fail-on", "worst"], code: 2, says: /no word "worst"/ },
  { args: ["--exit-code", "4"], code: 4, says: /^4 findings: --exit-code 4$/m },
  { args: ["--exit-code", "0"], code: 0 },
  { args: ["--exit-code", "4", "--severity", "HIGH,critical", "--ignore-unfixed"], code: 4, says: /^1 finding: --exit-code 4$/m },
  { args: ["--exit-code", "4", "--severity", "CRITICAL"], code: 0 },
  { args: ["--exit-code", "4", "--skip-dirs", "/app/node_modules", "--skip-files", "**/dpkg/status"], code: 0 },
  { args: ["--exit-code", "4", "--against", "app:1"], code: 0 },
  { args: ["--exit-code", "256"], code: 2, says: /from 0 to 255/ },
  { args: ["--exit-code", "4", "--fail-on", "high"], code: 2, says: /exclude each other/ },
  { args: ["--severity", "BAD"], code: 2, says: /--severity has no word "bad": want some of critical, high/ },
  { args: ["--skip-dirs", "[a"], code: 2, says: /pattern/ },
  { args: ["--list-all-pkgs"], code: 2, says: /^unknown flag: --list-all-pkgs\nHint: slipway sbom lists all packages\n/ },
  { args: ["--input=x.tar"], code: 2, says: /^Hint: IMAGE says where it is: NAME, .*\.\/image\.tar$/m },
  { args: ["-q"], code: 2, says: /^unknown shorthand flag: 'q' in -q\nHint: there is no progress/ },
  { args: ["--format", "xml"], code: 2 },
  { args: ["--unknown"], code: 2 },
  { args: ["--vex", "nowhere.json"], code: 2, says: /^open nowhere\.json: no such file or directory$/m },
];
for (const { args, code, says = /(?:)/ } of gates) {
  test(`exit code ${code}: scan ${args.join(" ")}`, async () => {
    const outcome: Outcome = await sandbox.call(["scan", ...args, "app:1"]);
    assert.equal(outcome.code, code, outcome.stderr);
    assert.match(outcome.stderr, says);
  });
}
test("an image that is not there is no usage, and not clean", async () => assert.equal((await sandbox.call(["scan", "docker-archive:/nothing.tar"])).code, 3));

const idsIn = (text: string): readonly string[] => [...text.matchAll(/CVE-\d+-\d+/g)].map(([id]) => id);
const views: readonly { readonly args: readonly string[]; readonly shown: readonly string[]; readonly rest?: RegExp }[] = [
  {
    args: ["--severity", "LOW"],
    shown: ["CVE-2024-8", "CVE-2024-7", "CVE-2024-3"],
    rest: /^2 more are not shown: 1 left out by --severity, 1 unimportant to the vendor$/m,
  },
  { args: ["-s", "low", "--ignore-unfixed"], shown: ["CVE-2024-7"], rest: /3 left out by --severity and --ignore-unfixed/ },
  { args: ["--ignore-unfixed"], shown: ["CVE-2024-7", "CVE-2024-1"] },
  { args: ["--skip-dirs", "app/node_modules/*"], shown: ["CVE-2024-1"] },
  { args: ["--skip-files", "/var/lib/dpkg/status"], shown: ["CVE-2024-8", "CVE-2024-7"] },
  { args: ["--severity", "negligible", "--all"], shown: ["CVE-2024-2"] },
  { args: ["-f", "json", "--severity", "high"], shown: ["CVE-2024-1"] },
];
for (const { args, shown, rest = /(?:)/ } of views) {
  test(`shown: scan ${args.join(" ")}`, async () => {
    const text = await sandbox.ok(["scan", ...args, "app:1"]);
    assert.deepEqual([...new Set(idsIn(text))], shown);
    assert.match(text, rest);
  });
}

test("what was looked at is suppressed with its reason until its day, and handed on as VEX", async () => {
  const own = sandbox.folder({ ".scanignore": "CVE-2024-1 openssl # not reachable\nCVE-2024-8 until 2020-01-01 # old\n" });
  const outcome = await sandbox.call(["scan", "--fail-on", "high", "--vex-out", "out.json", "app:1"], { cwd: own });
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(await sandbox.ok(["scan", "--ignorefile", path.join(own, ".scanignore"), "app:1"]), /1 in the ignore file/);
  assert.match(outcome.stderr, /the ignore file's entry for CVE-2024-8 \(line 2, until 2020-01-01\) holds no more/);
  assert.match(outcome.stdout, /1 in the ignore file/);
  assert.equal((await sandbox.call(["scan", "--fail-on", "high", "--vex", path.join(own, "out.json"), "app:1"])).code, 0);
});

test("a bill has the same findings as its image", async () => {
  const file = path.join(folder, "app.cdx.json");
  await sandbox.ok(["sbom", "--format", "cyclonedx-json", "-o", file, "app:1"]);
  const idsOf = async (image: string): Promise<readonly string[]> =>
    (JSON.parse(await sandbox.ok(["scan", "--format", "json", image])) as { readonly findings: readonly { readonly id: string }[] }).findings.map(
      ({ id }) => id,
    );
  assert.deepEqual(await idsOf(file), await idsOf("app:1"));
  assert.deepEqual(await idsOf(`sbom:${file}`), await idsOf("app:1"));
});

test("documents beyond any bill are refused before they are read", async () => {
  const file = path.join(folder, "huge.json");
  writeFileSync(file, "{");
  truncateSync(file, 2 ** 30);
  const outcome = await sandbox.call(["scan", file]);
  assert.equal(outcome.code, 3);
  assert.match(outcome.stderr, /huge\.json is 1073741824 bytes: at most/);
  for (const flag of ["--vex", "--ignore-file"]) {
    const endless = await sandbox.call(["scan", flag, "/dev/zero", "app:1"]);
    assert.deepEqual([endless.code, /\/dev\/zero is \d+ bytes: at most/.test(endless.stderr)], [3, true], endless.stderr);
  }
  const device = await sandbox.call(["scan", "docker-archive:/dev/zero"]);
  assert.match(device.stderr, /\/dev\/zero: it is no regular file/);
});

test("the database goes to another store as a file and through a registry, the same by its digest", async () => {
  await using registry = await startRegistry();
  await using other = await createSandbox({ base: false });
  const { digest } = JSON.parse(await sandbox.ok(["db", "status", "--format", "json"])) as { readonly digest: string };
  const file = path.join(folder, "db.tar");
  await sandbox.ok(["db", "export", file]);
  assert.equal(await other.ok(["db", "import", "-q", file]), digest);
  const reference = `${registry.host}/advisories:1`;
  await sandbox.ok(["db", "export", `docker://${reference}`]);
  await sandbox.ok(["db", "import", "-q", "--add", "debian.json"], inFolder);
  assert.equal(await other.ok(["db", "pull", "-q", reference]), digest);
  assert.equal(await other.ok(["db", "pull", "-q"]), digest);
  await sandbox.ok(["save", "-o", path.join(folder, "app.tar"), "app:1"]);
  assert.equal((await other.call(["scan", "--fail-on", "high", `docker-archive:${path.join(folder, "app.tar")}`])).code, 1);
});

test("of a database that changed in one ecosystem only that one is sent and fetched", async () => {
  await using registry = await startRegistry();
  await using from = await createSandbox({ base: false });
  await using to = await createSandbox({ base: false });
  const reference = `${registry.host}/advisories:1`;
  const isBlob = (method: string) => (request: { readonly method: string; readonly url: string }) =>
    request.method === method && request.url.includes("/blobs/sha256:");
  const round = async (): Promise<readonly number[]> => {
    const before = registry.requests.length;
    await from.ok(["db", "export", `docker://${reference}`]);
    const digest = await to.ok(["db", "pull", "-q", reference]);
    assert.equal(digest, (JSON.parse(await from.ok(["db", "status", "--format", "json"])) as { readonly digest: string }).digest);
    const since = registry.requests.slice(before);
    return [since.filter(({ method }) => method === "PUT").length - 1, since.filter(isBlob("GET")).length];
  };
  await from.ok(["db", "import", "-q", "debian.json", "npm.jsonl"], inFolder);
  // the empty config, the index, two ecosystems; the config is of no use to who pulls
  assert.deepEqual(await round(), [4, 3]);
  writeFileSync(path.join(folder, "npm2.jsonl"), osv("CVE-2024-9", "npm", "right", "2.0.0", "LOW"));
  await from.ok(["db", "import", "-q", "npm2.jsonl"], inFolder);
  assert.deepEqual(await round(), [2, 2]);
});

test("a database is taken from a registry only if the right key signed it, where one is named", async () => {
  await using registry = await startRegistry();
  await using to = await createSandbox({ base: false });
  const env = { SLIPWAY_KEY_PASSWORD: "pw" };
  const keys = sandbox.folder({});
  for (const name of ["security", "others"]) await sandbox.ok(["key", "generate", "-q", "--output", name], { cwd: keys, env });
  const reference = `${registry.host}/advisories:signed`;
  const pull = async (key: string): Promise<Outcome> => await to.call(["db", "pull", "-q", "--key", path.join(keys, `${key}.pub`), reference]);
  await sandbox.ok(["db", "export", `docker://${reference}`]);
  const unsigned = await pull("security");
  assert.deepEqual([unsigned.code, /has no signature/.test(unsigned.stderr)], [10, true], unsigned.stderr);
  await sandbox.ok(["sign", "-q", "--key", "security.key", reference], { cwd: keys, env });
  assert.equal((await pull("others")).code, 12);
  assert.equal((await to.call(["db", "status"])).code, 1, "nothing came");
  assert.equal((await pull("security")).code, 0);
  await sandbox.ok(["db", "import", "-q", "--add", "npm.jsonl"], inFolder);
  await sandbox.ok(["db", "export", `docker://${reference}`]);
  assert.equal((await to.call(["db", "import", "--key", path.join(keys, "security.pub"), reference])).code, 10, "another one is there now");
});

test("a changed database is refused", async () => {
  const file = path.join(folder, "db.tar");
  const bytes = readFileSync(file);
  const inside = bytes.indexOf("SLIPADV1") + 40;
  bytes[inside] = (bytes[inside] as number) ^ 1;
  writeFileSync(path.join(folder, "bad.tar"), bytes);
  const outcome = await sandbox.call(["db", "import", "bad.tar"], inFolder);
  assert.equal(outcome.code, 1);
  assert.match(outcome.stderr, /ADVISORIES_DAMAGED/);
});

const refusals: readonly { readonly name: string; readonly args: readonly string[]; readonly says: RegExp }[] = [
  { name: "a file without advisories", args: ["import", "status.json"], says: /of no form that is known/ },
  { name: "no such file", args: ["import", "./nothing.zip"], says: /^open .*\/nothing\.zip: no such file or directory$/m },
  { name: "lines of which one is broken", args: ["import", "broken.jsonl"], says: /^invalid .*broken\.jsonl:2: / },
  { name: "an exported database beside others", args: ["import", "db.tar", "kev.json"], says: /import it alone/ },
];
for (const { name, args, says } of refusals) {
  test(`db import refuses: ${name}`, async () => {
    writeFileSync(path.join(folder, "status.json"), '{"a":{}}');
    writeFileSync(path.join(folder, "broken.jsonl"), `${npm.split("\n")[0]}\n{"id":`);
    const outcome = await sandbox.call(["db", ...args], inFolder);
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, says);
  });
}

const damages: readonly { readonly name: string; readonly damage: (directory: string, file: string) => void; readonly says: RegExp }[] = [
  {
    name: "a changed byte",
    damage: (_, file) =>
      writeFileSync(
        file,
        readFileSync(file).map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
      ),
    says: /ADVISORIES_DAMAGED/,
  },
  { name: "a file that ends early", damage: (_, file) => truncateSync(file, 5), says: /ADVISORIES_DAMAGED/ },
  { name: "a file that is gone", damage: (_, file) => rmSync(file), says: /the file sha256:[0-9a-f]{64} is gone \(ADVISORIES_DAMAGED\)\nHint: import or pull/ },
  {
    name: "an empty index",
    damage: (directory) => truncateSync(path.join(directory, "index.json"), 0),
    says: /their index cannot be read \(ADVISORIES_DAMAGED\)\nHint: import or pull/,
  },
];
for (const { name, damage, says } of damages) {
  for (const form of ["archive", "lines"] as const) {
    test(`a database with ${name} compares nothing, and another import of the same ${form} mends it`, async () => {
      await using other = await createSandbox({ base: false });
      const records = npm.split("\n");
      const source = form === "lines" ? npm : zipOf(Object.fromEntries(records.map((record, at) => [`${at}.json`, record])));
      const bill = {
        bomFormat: "CycloneDX",
        specVersion: "1.6",
        components: [{ type: "library", name: "left", version: "1.0.0", purl: "pkg:npm/left@1.0.0" }],
      };
      const cwd = other.folder({ feed: source, "app.json": JSON.stringify(bill) });
      await other.ok(["db", "import", "-q", "feed"], { cwd });
      const directory = path.join(other.store, "advisories");
      damage(directory, path.join(directory, readdirSync(directory).find((file) => /^[0-9a-f]{64}$/.test(file)) ?? ""));
      const damaged = await other.call(["scan", "app.json"], { cwd });
      assert.deepEqual([damaged.code, damaged.stdout], [3, ""]);
      assert.match(damaged.stderr, says);
      await other.ok(["db", "import", "-q", "feed"], { cwd });
      assert.match(await other.ok(["scan", "app.json"], { cwd }), /CVE-2024-7/);
    });
  }
}

test("a database of a newer form is left alone", async () => {
  await using other = await createSandbox({ base: false });
  const cwd = other.folder({ "npm.jsonl": npm });
  await other.ok(["db", "import", "-q", "npm.jsonl"], { cwd });
  const index = path.join(other.store, "advisories", "index.json");
  const newer = readFileSync(index, "utf8").replace("slipway-advisories 1", "slipway-advisories 2");
  writeFileSync(index, newer);
  for (const words of [
    ["db", "status"],
    ["db", "import", "npm.jsonl"],
    ["scan", "x:1"],
  ])
    assert.match((await other.call(words, { cwd })).stderr, /^the advisories are of a form that a newer Slipway wrote: slipway-advisories 2\nHint: /);
  assert.equal(readFileSync(index, "utf8"), newer);
});

const token = `npm_${"a1B2".repeat(9)}`;
const innocent = {
  "code.js": 'connect("postgres://user:secret@host/db"); if (text.includes("-----BEGIN PRIVATE KEY-----")) throw 1;\n',
  "help.txt": "paste the lines from\n-----BEGIN PRIVATE KEY-----\nto the end\n",
};
const leaking = `FROM busybox
COPY code.js help.txt /app/
COPY npmrc /root/.npmrc
RUN rm /root/.npmrc && mkdir -p /opt/open && chmod 777 /opt/open && echo x > /opt/open/file && chmod 666 /opt/open/file
ENV DATABASE=postgres://app:hunter22@db/app
`;
await sandbox.build(leaking, { ...innocent, npmrc: `# ours\n//registry.npmjs.org/:_authToken=${token}\n` }, ["-t", "leaking:1"]);

interface Exposures {
  readonly exposures: readonly {
    readonly rule: string;
    readonly where: string;
    readonly line?: number;
    readonly origin?: string;
    readonly isHidden?: boolean;
  }[];
}

test("secrets are found in the config and in layers, also where a later layer removes them, with their line, and are never printed", async () => {
  const outcome = await sandbox.call(["scan", "--scanners", "secret,misconfig", "--format", "json", "leaking:1"]);
  assert.equal(outcome.code, 0, outcome.stderr);
  const { exposures } = JSON.parse(outcome.stdout) as Exposures;
  assert.deepEqual(
    exposures
      .filter(({ where }) => !where.startsWith("History"))
      .map(({ rule, where, line, origin = "", isHidden = false }) => [rule, where, line, origin.split(" ")[0], isHidden]),
    [
      ["password", "Env DATABASE", undefined, "", false],
      ["npm-token", "/root/.npmrc", 2, "Dockerfile:3", true],
      ["root-user", "User", undefined, "", false],
      ["world-writable", "/opt/open", undefined, "Dockerfile:4", false],
      ["world-writable", "/opt/open/file", undefined, "Dockerfile:4", false],
    ],
  );
  assert.ok(!outcome.stdout.includes(token) && !outcome.stdout.includes("hunter22"));
  const table = await sandbox.ok(["scan", "--scanners", "secret", "leaking:1"]);
  assert.match(table, /^HIGH +an npm token +\/root\/\.npmrc:2 \(removed later, still in the image\) +Dockerfile:3 COPY npmrc \/root\/\.npmrc$/m);
  assert.ok(!table.includes("root-user") && !table.includes(token));
});

const exposureGates: readonly { readonly args: readonly string[]; readonly code: number }[] = [
  { args: ["--scanners", "secret", "--fail-on", "secret"], code: 1 },
  { args: ["--scanners", "misconfig", "--fail-on", "secret"], code: 0 },
  { args: ["--scanners", "misconfig", "--fail-on", "misconfig"], code: 1 },
  { args: ["--scanners", "secret", "--fail-on", "critical"], code: 0 },
  { args: ["--scanners", "everything"], code: 2 },
];
for (const { args, code } of exposureGates) {
  test(`exit code ${code}: scan ${args.join(" ")}`, async () => assert.equal((await sandbox.call(["scan", ...args, "leaking:1"])).code, code));
}

test("a secret that was looked at is in the ignore file by its rule and place; a bill has none", async () => {
  const own = sandbox.folder({ ".scanignore": "npm-token /root/.npmrc # revoked\npassword # of the test's database\n" });
  assert.equal((await sandbox.call(["scan", "--scanners", "secret", "--fail-on", "secret", "leaking:1"], { cwd: own })).code, 0);
  assert.equal((await sandbox.call(["scan", "--scanners", "secret", path.join(folder, "app.cdx.json")])).code, 2);
});

test("what the makers of the image and of its base attested counts with their keys, each for what is theirs", async () => {
  await using registry = await startRegistry();
  const [base, app] = [`${registry.host}/vex/base:1`, `${registry.host}/vex/app:1`];
  const env = { SLIPWAY_KEY_PASSWORD: "pw" };
  for (const name of ["base", "app"]) await sandbox.ok(["key", "generate", "-q", "--output", name], { cwd: folder, env });
  await sandbox.ok(["tag", "base:1", base]);
  await sandbox.ok(["push", base]);
  await sandbox.build(`FROM ${base}\nCOPY left.json /app/node_modules/left/package.json\n`, files, ["-t", app, "--push"]);
  const attest = async (key: string, image: string, ids: readonly string[], purl: string): Promise<void> => {
    const statements = ids.map((name) => ({
      vulnerability: { name },
      products: [{ "@id": purl }],
      status: "not_affected",
      justification: "component_not_present",
    }));
    writeFileSync(path.join(folder, "statements.json"), JSON.stringify({ "@context": "https://openvex.dev/ns/v0.2.0", statements }));
    await sandbox.ok(["attest", "-q", "--key", `${key}.key`, "--type", "openvex", "--predicate", "statements.json", image], { cwd: folder, env });
  };
  await attest("base", base, ["CVE-2024-1", "CVE-2024-8"], `pkg:docker/${registry.host}/vex/base`);
  await attest("base", base, ["CVE-2024-8"], "pkg:npm/left");
  await attest("app", app, ["CVE-2024-7"], "pkg:npm/left");
  const left = async (...keys: readonly string[]): Promise<readonly string[]> => {
    const args = ["scan", "--format", "json", ...keys.flatMap((key) => ["--vex-key", `${key}.pub`]), app];
    const { findings } = JSON.parse(await sandbox.ok(args, inFolder)) as {
      readonly findings: readonly { readonly id: string; readonly suppressed?: object }[];
    };
    return findings.flatMap(({ id, suppressed }) => (suppressed === undefined && /-[178]$/.test(id) ? [id] : [])).toSorted();
  };
  assert.deepEqual(await left(), ["CVE-2024-1", "CVE-2024-7", "CVE-2024-8"]);
  assert.deepEqual(await left("app"), ["CVE-2024-1", "CVE-2024-8"]);
  assert.deepEqual(await left("base"), ["CVE-2024-7", "CVE-2024-8"], "the base's maker says nothing of what is yours");
  assert.deepEqual(await left("app", "base"), ["CVE-2024-8"]);
});

test("advisories that end long ago are told of, however lately they were imported", async () => {
  await using other = await createSandbox({ base: false });
  const old = JSON.stringify({ ...(JSON.parse(npm.split("\n")[0] ?? "") as object), modified: "2024-03-01T10:00:00Z" });
  const bill = JSON.stringify({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    components: [{ type: "library", name: "left", version: "1.0.0", purl: "pkg:npm/left@1.0.0" }],
  });
  const timeless = old.replace("2024-03-01", "0001-01-01");
  const cwd = other.folder({ "npm.jsonl": old, "other.jsonl": old.replace("2024-03-01", "2024-02-01"), "timeless.jsonl": timeless, "app.json": bill });
  assert.match(await other.ok(["db", "import", "npm.jsonl"], { cwd }), /^Sources: +npm\.jsonl, newest record of 2024-03-01$/m);
  const { stderr, stdout } = await other.call(["scan", "app.json"], { cwd });
  assert.match(stderr, /^WARNING: the newest record of npm\.jsonl is \d+ days old$/m);
  assert.match(stdout, /CVE-2024-7/);
  // nobody said what is exploited: nothing is known to be
  const unknown = await other.call(["scan", "--fail-on", "kev", "app.json"], { cwd });
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /^WARNING: it is not known what is exploited: kev finds nothing/m);
  // one line, however many there are
  await other.ok(["db", "import", "npm.jsonl", "other.jsonl", "timeless.jsonl"], { cwd });
  const several = await other.call(["scan", "app.json"], { cwd });
  assert.match(several.stderr, /^WARNING: the newest records of 2 sources are over 30 days old, that of other\.jsonl \d+ \(slipway db status\)$/m);
});

test("of a registry's image the base is known by what the image says, compared by layers, and no other registry is asked", async () => {
  await using registry = await startRegistry();
  await using other = await createSandbox({ base: false });
  await other.ok(["db", "import", "-q", path.join(folder, "debian.json"), path.join(folder, "npm.jsonl")]);
  const [base, app] = [`${registry.host}/based/base:1`, `${registry.host}/based/app`];
  await sandbox.ok(["tag", "base:1", base]);
  await sandbox.ok(["push", base]);
  const build = async (tag: string, ...words: readonly string[]): Promise<void> =>
    void (await sandbox.build(`FROM ${base}\nCOPY left.json /app/node_modules/left/package.json\n`, files, ["-t", `${app}:${tag}`, "--push", ...words]));
  const annotated = (name: string): readonly string[] => ["--provenance=false", "--annotation", `org.opencontainers.image.base.name=${name}`];
  await build("proven", "--provenance=mode=min");
  await build("annotated", ...annotated(base));
  await build("elsewhere", ...annotated("registry.invalid/debian:12"));
  await build("wrong", ...annotated(`${app}:proven`));
  await build("silent", "--provenance=false");
  const scan = async (tag: string, ...words: readonly string[]): Promise<Outcome> => await other.call(["scan", ...words, `docker://${app}:${tag}`]);
  for (const tag of ["proven", "annotated"]) {
    const { stdout } = await scan(tag);
    assert.match(stdout, /^Yours: 1$[\s\S]*^From the base .*\/based\/base(?::1|@sha256:[0-9a-f]{64})+: 1,/m, stdout);
  }
  assert.match((await scan("elsewhere")).stdout, /^Findings: 2$[\s\S]*^It says that it was built on registry\.invalid\/debian:12: --base with that name/m);
  for (const tag of ["wrong", "silent"]) assert.match((await scan(tag)).stdout, /^Findings: 2$/m);
  assert.match((await scan("silent", "--base", `docker://${base}`)).stdout, /^Yours: 1$[\s\S]*^From the base .*\/based\/base:1@sha256/m);
  const refused = await scan("silent", "--base", `docker://${app}:silent`);
  assert.deepEqual([refused.code, /does not begin with the layers of/.test(refused.stderr)], [3, true], refused.stderr);
});

test("statements that were attested for an identity count by its name and who vouches for it", async () => {
  await using registry = await startRegistry();
  await using services = await startKeylessServer();
  const image = `${registry.host}/vex/identity:1`;
  await sandbox.build("FROM base:1\nCOPY left.json /app/node_modules/left/package.json\n", files, ["-t", image, "--push"]);
  const [identity, issuer] = ["repo:acme/security", "https://oidc.test"];
  const statements = [{ vulnerability: { name: "CVE-2024-7" }, products: [{ "@id": "pkg:npm/left" }], status: "fixed" }];
  writeFileSync(path.join(folder, "statements.json"), JSON.stringify({ "@context": "https://openvex.dev/ns/v0.2.0", statements }));
  writeFileSync(path.join(folder, "root.json"), services.trustedRoot);
  const token = identityToken({ iss: issuer, sub: identity, exp: Math.floor(Date.now() / 1000) + 600 });
  const addresses = ["--keyless", "--fulcio-url", services.url, "--rekor-url", services.url, "--identity-token", token];
  await sandbox.ok(["attest", "-q", ...addresses, "--type", "openvex", "--predicate", "statements.json", image], inFolder);
  const isLeft = async (...words: readonly string[]): Promise<boolean> => {
    const { findings } = JSON.parse(await sandbox.ok(["scan", "--format", "json", "--trusted-root", "root.json", ...words, image], inFolder)) as {
      readonly findings: readonly { readonly id: string; readonly suppressed?: object }[];
    };
    return findings.some(({ id, suppressed }) => id === "CVE-2024-7" && suppressed === undefined);
  };
  assert.equal(await isLeft("--vex-identity", identity, "--vex-issuer", issuer), false);
  assert.equal(await isLeft("--vex-identity-regexp", "repo:acme/.*", "--vex-issuer", issuer), false);
  assert.equal(await isLeft("--vex-identity", "repo:acme/other", "--vex-issuer", issuer), true);
  assert.equal(await isLeft("--vex-identity", identity, "--vex-issuer", "https://other.test"), true);
  const half = await sandbox.call(["scan", "--vex-identity", identity, image]);
  assert.deepEqual([half.code, /--vex-identity and --vex-issuer, or their forms with -regexp, belong together/.test(half.stderr)], [2, true], half.stderr);
});
