/** A lock for what Dockerfiles name elsewhere, and builds that hold to it: with a registry, a web server and repositories of their own. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { after, describe, test } from "node:test";
import { startRegistry } from "../lab/registry.ts";
import { createSandbox, type Files } from "./sandbox.ts";

const absent = ["docker-registry", "git"].find((program) => spawnSync(program, ["--version"]).error !== undefined);

describe("lock", { skip: absent === undefined ? false : `needs ${absent}` }, async () => {
  if (absent !== undefined) return;
  const sandbox = await createSandbox();
  const registry = await startRegistry(sandbox.directory);
  const files = new Map<string, string>([["/tool", "tool 1"]]);
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://x");
    const file = path.join(sandbox.directory, "served", pathname);
    const body = files.get(pathname) ?? (existsSync(file) ? readFileSync(file) : undefined);
    if (body === undefined) response.writeHead(404).end();
    else response.end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(async () => {
    server.close();
    await registry[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  });
  const web = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const host = registry.address;
  const base = `${host}/base:1`;

  /** The tag means an image with this content from now on, and no image of it is left here. */
  async function publish(name: string, content: string): Promise<void> {
    await sandbox.build("FROM busybox\nCOPY f /content\n", { f: content }, ["-t", name]);
    await sandbox.ok(["push", "-q", name]);
    await sandbox.ok(["rmi", "-f", name]);
  }

  const git = (folder: string, ...args: readonly string[]): string =>
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@example.test", ...args], { encoding: "utf8" });
  const source = sandbox.folder({ v: "commit 1" });
  git(source, "init", "-q", "-b", "main");
  const bare = path.join(sandbox.directory, "served", "r.git");
  execFileSync("git", ["clone", "-q", "--bare", source, bare], { stdio: "ignore" });
  function commit(content: string): void {
    writeFileSync(path.join(source, "v"), content);
    git(source, "add", ".");
    git(source, "commit", "-qm", content);
    git(source, "push", "-q", bare, "main");
    git(bare, "update-server-info");
  }
  commit("commit 1");
  await publish(base, "base 1");
  await publish(`${host}/tools:1`, "tools 1");

  const dockerfile = [
    `ARG TAG=1`,
    `FROM ${host}/base:\${TAG} AS unused`,
    `FROM ${host}/base:1`,
    `COPY --from=${host}/tools:1 /content /tools`,
    `RUN --mount=from=${host}/tools:1,target=/t cp /t/content /mounted`,
    `ADD ${web}/tool /tool`,
    `ADD ${web}/r.git#main /r`,
    `RUN cat /content /tools /mounted /tool /r/v | tee /all`,
    "",
  ].join("\n");
  const folderOf = (more: Files = {}): string => sandbox.folder({ Dockerfile: dockerfile, ...more });
  const lockOf = (folder: string): string => readFileSync(path.join(folder, "slipway.lock"), "utf8");
  const read = async (image: string): Promise<string> => await sandbox.ok(["run", "--rm", "--network=none", image, "cat", "/all"]);
  const frozen = ["build", "-q", "--frozen"];

  test("what has moved since is not taken; --update shows what moved, and then it is", async () => {
    const folder = folderOf();
    const first = await sandbox.ok(["lock", folder]);
    assert.match(first, new RegExp(`^\\+ ${host}/base:1 sha256:[0-9a-f]{64}\n\\+ ${host}/tools:1 sha256:`));
    assert.match(first, /: 4 pinned$/);
    const lock = lockOf(folder);
    assert.deepEqual(Object.keys(JSON.parse(lock) as object), ["version", "images", "files", "repositories"]);
    const before = await sandbox.ok([...frozen, folder]);
    assert.equal(await read(before), "base 1tools 1tools 1tool 1commit 1");

    await publish(base, "base 2");
    commit("commit 2");
    // also where nothing of the old is kept
    await sandbox.ok(["builder", "prune", "-af"]);
    await sandbox.ok(["rmi", "-f", before]);
    assert.equal(await read(await sandbox.ok([...frozen, folder])), "base 1tools 1tools 1tool 1commit 1");
    assert.equal(await read(await sandbox.ok(["build", "-q", "--pull", folder])), "base 2tools 1tools 1tool 1commit 2");

    assert.match(await sandbox.ok(["lock", folder]), /^[^\n]*: 4 pinned, up to date$/);
    assert.equal(lockOf(folder), lock);
    const moved = await sandbox.call(["lock", "--update", "--check", folder]);
    assert.equal(moved.code, 1, moved.stderr);
    assert.equal(lockOf(folder), lock);

    const updated = await sandbox.ok(["lock", "--update", folder]);
    assert.match(
      updated,
      new RegExp(`^~ ${host}/base:1 sha256:[0-9a-f]{64} → sha256:[0-9a-f]{64}\n~ ${web}/r\\.git#main [0-9a-f]{40} → [0-9a-f]{40}\n[^\n]*: 4 pinned$`),
    );
    assert.equal(await read(await sandbox.ok([...frozen, folder])), "base 2tools 1tools 1tool 1commit 2");
  });

  test("--update of one name leaves the others", async () => {
    const folder = folderOf();
    await sandbox.ok(["lock", folder]);
    await publish(base, "base 3");
    await publish(`${host}/tools:1`, "tools 2");
    assert.match(await sandbox.ok(["lock", "--update", folder, `${host}/tools:1`]), new RegExp(`^~ ${host}/tools:1 [^\n]*\n[^\n]*: 4 pinned$`));
    const unknown = await sandbox.call(["lock", "--update", folder, "nothing:1"]);
    assert.match(unknown.stderr, /--update: nothing that is named nothing:1 is in the lock and in the Dockerfile/);
  });

  test("a file behind http that is another one now fails the build, with its line", async () => {
    const folder = folderOf();
    await sandbox.ok(["lock", folder]);
    files.set("/tool", "tool 2");
    after(() => files.set("/tool", "tool 1"));
    const outcome = await sandbox.call(["build", "--frozen", "--progress=plain", folder]);
    files.set("/tool", "tool 1");
    assert.equal(outcome.code, 1);
    assert.match(outcome.stderr, /is not what .*slipway\.lock says: want sha256:[0-9a-f]{64}, got sha256:[0-9a-f]{64}/);
    assert.match(outcome.stderr, /Dockerfile:6/);
    assert.match(outcome.stderr, /slipway lock --update/);
  });

  const missing: readonly { readonly name: string; readonly line: string; readonly at: number; readonly what: string }[] = [
    { name: "FROM", line: `FROM ${host}/new:1 AS more`, at: 9, what: `image ${host}/new:1` },
    { name: "COPY --from", line: `COPY --from=${host}/new:1 /content /n`, at: 9, what: `image ${host}/new:1` },
    { name: "RUN --mount", line: `RUN --mount=from=${host}/new:1,target=/t true`, at: 9, what: `image ${host}/new:1` },
    { name: "ADD of a file", line: `ADD ${web}/new /n`, at: 9, what: `file ${web}/new` },
    { name: "ADD of a repository", line: `ADD ${web}/new.git#v1 /n`, at: 9, what: `repository ${web}/new.git#v1` },
  ];
  for (const { name, line, at, what } of missing) {
    test(`what the lock lacks ends the build before anything runs: ${name}`, async () => {
      const folder = folderOf();
      await sandbox.ok(["lock", folder]);
      writeFileSync(path.join(folder, "Dockerfile"), `${dockerfile}# comment\n${line}\n`.replace("# comment\n", ""));
      const outcome = await sandbox.call(["build", "--frozen", "--no-cache", "--progress=plain", folder]);
      assert.equal(outcome.code, 1);
      assert.ok(outcome.stderr.includes(`does not have the ${what} (line ${at})`), outcome.stderr);
      assert.ok(outcome.stderr.includes(`Dockerfile:${at}`), outcome.stderr);
      assert.match(outcome.stderr, /Hint: slipway lock adds/);
      assert.doesNotMatch(outcome.stderr, /\] RUN cat /);
      const checked = await sandbox.call(["lock", "--check", folder]);
      assert.notEqual(checked.code, 0);
    });
  }

  test("# syntax= has to be in the lock", async () => {
    const folder = sandbox.folder({ Dockerfile: "# syntax=docker/dockerfile:1\nFROM scratch\nCOPY Dockerfile /\n", "slipway.lock": '{"version": 1}' });
    const outcome = await sandbox.call(["build", "--frozen", "--progress=plain", folder]);
    assert.match(outcome.stderr, /does not have the image docker\.io\/docker\/dockerfile:1 \(line 1\)/);
    const absent = await sandbox.call(["lock", folder]);
    assert.match(absent.stderr, /Dockerfile:1[\s\S]*Hint: slipway lock --builtin-syntax leaves it out/);
    await sandbox.ok(["lock", "--builtin-syntax", folder]);
    await sandbox.ok(["build", "-q", "--frozen", folder]);
    assert.match(await sandbox.ok(["lock", "--update", folder]), /: 0 pinned, up to date$/);
    const locked = sandbox.folder({ Dockerfile: `# syntax=${host}/tools:1\nFROM scratch\nCOPY Dockerfile /\n` });
    assert.match(await sandbox.ok(["lock", locked]), /: 1 pinned$/);
    await sandbox.ok(["build", "-q", "--frozen", locked]);
  });

  test("there has to be a lock, and it has to be a plain file", async () => {
    const none = await sandbox.call(["build", "--frozen", folderOf()]);
    assert.match(none.stderr, /--frozen: there is no .*slipway\.lock/);
    const folder = folderOf();
    const elsewhere = path.join(sandbox.folder({ secret: "secret" }), "secret");
    symlinkSync(elsewhere, path.join(folder, "slipway.lock"));
    for (const words of [
      ["build", "--frozen", folder],
      ["lock", folder],
    ]) {
      const outcome = await sandbox.call(words);
      assert.equal(outcome.code, 1);
      assert.match(outcome.stderr, /slipway\.lock is a symbolic link: a lock has to be a plain file/);
    }
    assert.equal(readFileSync(elsewhere, "utf8"), "secret");
  });

  test("build args and several Dockerfiles share one lock, and nothing that is not needed stays", async () => {
    await publish(`${host}/base:two`, "two");
    const folder = sandbox.folder({
      "a/Dockerfile": `ARG TAG=1\nFROM ${host}/base:$TAG\n`,
      "b/Dockerfile": `FROM ${host}/tools:1\n`,
      c: "",
    });
    const both = ["-f", path.join(folder, "a/Dockerfile"), "-f", path.join(folder, "b/Dockerfile")];
    await sandbox.ok(["lock", ...both, folder]);
    await sandbox.ok(["lock", "--keep", "--build-arg", "TAG=two", "-f", path.join(folder, "a/Dockerfile"), folder]);
    const names = (): readonly string[] => Object.keys((JSON.parse(lockOf(folder)) as { images: object }).images);
    assert.deepEqual(names(), [`${host}/base:1`, `${host}/base:two`, `${host}/tools:1`]);
    await sandbox.ok([...frozen, "--build-arg", "TAG=two", "-f", path.join(folder, "a/Dockerfile"), folder]);
    await sandbox.ok([...frozen, "-f", path.join(folder, "b/Dockerfile"), folder]);
    assert.match(await sandbox.ok(["lock", ...both, folder]), new RegExp(`^- ${host}/base:two `));
    assert.deepEqual(names(), [`${host}/base:1`, `${host}/tools:1`]);
    await sandbox.ok(["lock", "--check", ...both, folder]);
    const outcome = await sandbox.call(["build", "--frozen", "--build-arg", "TAG=two", "-f", path.join(folder, "a/Dockerfile"), folder]);
    assert.match(outcome.stderr, /does not have the image .*base:two \(line 2\)/);
  });

  test("the image of an SBOM's generator is pinned with --sbom, and --frozen takes that one", async () => {
    const scanner = `${host}/scanner:1`;
    const generator = `--sbom=generator=${scanner}`;
    const publishScanner = async (says: string): Promise<void> => {
      const write = `printf '{"predicateType":"https://spdx.dev/Document","predicate":{"name":"${says}"}}' >$BUILDKIT_SCAN_DESTINATION/sbom.spdx.json`;
      await sandbox.build('FROM busybox\nCOPY --chmod=755 s /s\nENTRYPOINT ["/s"]\n', { s: `#!/bin/sh\n${write}\n` }, ["-t", scanner]);
      await sandbox.ok(["push", "-q", scanner]);
      await sandbox.ok(["rmi", "-f", scanner]);
    };
    await publishScanner("one");
    const folder = sandbox.folder({ Dockerfile: "FROM scratch\nCOPY f /\n", f: "f" });
    const billOf = async (...words: readonly string[]): Promise<string> => {
      const out = path.join(sandbox.directory, "scanned");
      await sandbox.ok(["build", "-q", generator, "-o", out, ...words, folder]);
      return (JSON.parse(readFileSync(path.join(out, "sbom.spdx.json"), "utf8")) as { readonly predicate: { readonly name: string } }).predicate.name;
    };
    await sandbox.ok(["lock", folder]);
    const lacking = await sandbox.call(["build", "-q", "--frozen", generator, folder]);
    assert.match(lacking.stderr, new RegExp(`--frozen: .*slipway\\.lock does not have the image ${scanner}\n`));
    assert.match(await sandbox.ok(["lock", generator, folder]), new RegExp(`^\\+ ${scanner} sha256:[0-9a-f]{64}\n[^\n]*: 1 pinned$`));
    await publishScanner("two");
    assert.equal(await billOf("--frozen"), "one");
    assert.equal(await billOf(), "two");
    assert.equal((await sandbox.call(["lock", "--check", "--attest", `type=sbom,generator=${scanner}`, folder])).code, 0);
    assert.equal((await sandbox.call(["lock", "--check", folder])).code, 1);
  });

  test("what the Dockerfile pins itself needs no lock, and an image that is only here cannot be pinned", async () => {
    const digest = /sha256:[0-9a-f]{64}/.exec(await sandbox.ok(["lock", folderOf()]))?.[0] ?? "";
    const pinned = sandbox.folder({ Dockerfile: `FROM ${host}/base:1@${digest}\n`, "slipway.lock": '{"version": 1}' });
    await sandbox.ok([...frozen, pinned]);
    await sandbox.ok(["tag", "busybox", `${host}/mine:1`]);
    const local = await sandbox.call(["lock", sandbox.folder({ Dockerfile: `FROM ${host}/mine:1\n` })]);
    assert.match(local.stderr, /mine:1 is an image of this machine only/);
  });

  test("SLIPWAY_FROZEN is --frozen for all builds; without either no lock is read", async () => {
    const folder = sandbox.folder({ Dockerfile: "FROM busybox\n", "slipway.lock": "no lock" });
    await sandbox.ok(["build", "-q", folder]);
    const outcome = await sandbox.call(["build", "-q", folder], { env: { SLIPWAY_FROZEN: "1" } });
    assert.match(outcome.stderr, /slipway\.lock:1: unexpected "n"/);
    await sandbox.ok(["build", "-q", "--frozen=false", folder], { env: { SLIPWAY_FROZEN: "1" } });
  });

  test("the image is the one that a build without a lock makes", async () => {
    const folder = folderOf();
    await sandbox.ok(["lock", folder]);
    const plain = await sandbox.ok(["build", "-q", "--build-arg", "SOURCE_DATE_EPOCH=1700000000", folder]);
    assert.equal(await sandbox.ok([...frozen, "--build-arg", "SOURCE_DATE_EPOCH=1700000000", folder]), plain);
  });
});
