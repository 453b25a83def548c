import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { isSlipwayError } from "../../base/errors.ts";
import { parseGitUrl } from "../../graph/remote-source.ts";
import { findProgram } from "../../runtime/programs.ts";
import { cloneRepository, type GitRequest } from "./git-source.ts";

const skip = findProgram("git") === undefined ? "needs git" : false;
const scratch = mkdtempSync(join(tmpdir(), "slipway-git-"));
after(() => rmSync(scratch, { recursive: true }));
const repository = join(scratch, "repo");
const commits: string[] = [];

function git(...args: string[]): string {
  return execFileSync("git", ["-C", repository, "-c", "user.name=t", "-c", "user.email=t@example.com", ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  }).trim();
}

function commit(text: string): void {
  writeFileSync(join(repository, "f"), text);
  git("add", ".");
  git("commit", "--quiet", "-m", text);
  commits.push(git("rev-parse", "HEAD"));
}

if (skip === false) {
  mkdirSync(join(repository, "sub/dir"), { recursive: true });
  git("init", "--quiet", "--initial-branch=main");
  writeFileSync(join(repository, "sub/dir/g"), "g");
  symlinkSync("/etc", join(repository, "out"));
  commit("one");
  git("tag", "v1");
  commit("two");
  git("branch", "side");
  commit("three");
  git("tag", "-a", "v2", "-m", "annotated");
  git("update-ref", "refs/pull/1/head", "side");
  git("branch", "both");
  git("tag", "both", "v1");
}

let count = 0;
function clone(fragment: string, changes: Partial<GitRequest> = {}): ReturnType<typeof cloneRepository> {
  const directory = join(scratch, `clone${count++}`);
  mkdirSync(directory);
  return cloneRepository({
    ...parseGitUrl(`file://${repository}${fragment}`),
    directory,
    signal: new AbortController().signal,
    ...changes,
  });
}

test("in a hook, which is told of another repository, that one is left alone", { skip }, async () => {
  const other = join(scratch, "other");
  execFileSync("git", ["init", "--quiet", other]);
  const before = { ...process.env };
  Object.assign(process.env, { GIT_DIR: join(other, ".git"), GIT_WORK_TREE: other, GIT_INDEX_FILE: join(other, ".git/index") });
  try {
    const { path, commit: found } = await clone("#v1");
    assert.deepEqual([readFileSync(join(path, "f"), "utf8"), found], ["one", commits[0]]);
  } finally {
    for (const name of ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"]) delete process.env[name];
    Object.assign(process.env, before);
  }
  assert.deepEqual(readdirSync(other), [".git"]);
});

describe("an address that is none", () => {
  const url = "https://example.com/a.git";
  const faults: readonly (readonly [address: string, message: string])[] = [
    [`${url}?foo=bar`, 'unexpected query "foo"'],
    [`${url}?ref=`, 'query "ref" has no value'],
    [`${url}?ref=main&ref=v1`, 'query "ref" has multiple values'],
    [`${url}?ref=main#v1:dir`, 'ref conflicts: "v1" vs "main"'],
    [`${url}?subdir=a#:b`, 'subdir conflicts: "b" vs "a"'],
    [`${url}?keep-git-dir=yes`, 'invalid keep-git-dir value: "yes"'],
    [`${url}?submodules=maybe`, 'invalid submodules value: "maybe"'],
    [`${url}?submodules&submodules=1`, 'query "submodules" has multiple values'],
  ];
  for (const [address, message] of faults) test(address, () => assert.throws(() => parseGitUrl(address), { code: "INVALID_GIT_URL", message }));
});

describe("a repository", { skip }, () => {
  const refs: readonly (readonly [name: string, fragment: () => string, text: string])[] = [
    ["as it is", () => "", "three"],
    ["at a branch", () => "#side", "two"],
    ["at a tag", () => "#v1", "one"],
    ["at an annotated tag", () => "#v2", "three"],
    ["at a full ref", () => "#refs/heads/side", "two"],
    ["at a commit", () => `#${commits[0]}`, "one"],
    ["at the branch of a query", () => "?branch=side", "two"],
    ["at the tag of a query", () => "?tag=v1", "one"],
    ["at the ref and the commit of a query", () => `?ref=side&commit=${commits[1]}`, "two"],
    ["at a branch below heads/", () => "#heads/side", "two"],
    ["at a ref that is neither branch nor tag", () => "#refs/pull/1/head", "two"],
    ["of a branch and a tag of one name at the branch", () => "#both", "three"],
  ];
  for (const [name, fragment, text] of refs) {
    test(name, async () => {
      const { path, commit: got } = await clone(fragment());
      assert.deepEqual(
        [readFileSync(join(path, "f"), "utf8"), got, existsSync(join(path, ".git"))],
        [text, commits[["one", "two", "three"].indexOf(text)], false],
      );
    });
  }

  test("keeps its directory when that is wanted", async () => {
    for (const query of ["?keep-git-dir=1", "?keep-git-dir", "?keep-git-dir=True"]) assert.ok(existsSync(join((await clone(query)).path, ".git")), query);
    for (const query of ["?keep-git-dir=0", ""]) assert.ok(!existsSync(join((await clone(query)).path, ".git")), query);
  });

  // as BuildKit leaves it, whichever git it has
  const kept: readonly (readonly [fragment: string, refs: readonly string[]])[] = [
    ["", ["refs/heads/main", "refs/tags/main"]],
    ["#side", ["refs/heads/side", "refs/tags/side"]],
    ["#v1", ["refs/heads/v1", "refs/tags/v1"]],
    ["#refs/tags/v2", ["refs/tags/v2"]],
    ["#refs/pull/1/head", ["refs/pull/1/head", "refs/tags/refs/pull/1/head"]],
    [`#${commits[0]}`, []],
  ];
  for (const [fragment, refs] of kept) {
    test(`keeps one commit, its refs and nothing of this machine: ${fragment.slice(0, 20)}`, async () => {
      const { path, commit: got } = await clone(fragment, { keepGitDir: true });
      const read = (name: string): string => readFileSync(join(path, ".git", name), "utf8");
      const own = (...args: string[]): string => execFileSync("git", ["-C", path, ...args], { encoding: "utf8" }).trim();
      const names = own("for-each-ref", "--format=%(refname)").split("\n");
      assert.deepEqual(
        names.filter((name) => name !== ""),
        refs,
      );
      assert.deepEqual([read("HEAD"), read("shallow"), read("logs/HEAD")], [`${got}\n`, `${got}\n`, ""]);
      assert.equal(own("rev-list", "--all", "HEAD"), got);
      assert.equal(own("status", "--porcelain"), "");
      assert.deepEqual(
        readdirSync(join(path, ".git")).filter((name) => !["description", "hooks", "info"].includes(name)),
        ["HEAD", "config", "index", "logs", "objects", "refs", "shallow"],
      );
      assert.match(read("config"), /\turl = file:\/\/\S+\/repo\n\tfetch = \+refs\/heads\/\*:refs\/remotes\/origin\/\*\n$/);
      assert.deepEqual(
        readdirSync(join(path, ".git/refs")).filter((name) => !["heads", "tags", "pull"].includes(name)),
        [],
      );
    });
  }

  test("with its submodules, unless they are not wanted", async () => {
    const inner = join(scratch, "inner");
    execFileSync("git", ["clone", "--quiet", repository, inner]);
    const allowed = ["-c", "protocol.file.allow=always"];
    git(...allowed, "submodule", "--quiet", "add", `file://${inner}`, "module");
    git("commit", "--quiet", "-m", "module");
    const env = { GIT_CONFIG_COUNT: "1", GIT_CONFIG_KEY_0: "protocol.file.allow", GIT_CONFIG_VALUE_0: "always" };
    Object.assign(process.env, env);
    try {
      for (const keepGitDir of [false, true]) {
        assert.ok(existsSync(join((await clone("", { keepGitDir })).path, "module/f")));
        assert.ok(!existsSync(join((await clone("?submodules=false", { keepGitDir })).path, "module/f")));
      }
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
      git("reset", "--quiet", "--hard", commits[2] ?? "");
    }
  });

  test("in a subdirectory", async () => {
    assert.deepEqual(readdirSync((await clone("#main:../sub/./dir/../dir")).path), ["g"]);
    assert.deepEqual(readdirSync((await clone("#main:sub/dir")).path), ["g"]);
    assert.deepEqual(readdirSync((await clone("#:sub")).path), ["dir"]);
    assert.deepEqual(readdirSync((await clone("?subdir=sub/dir#main")).path), ["g"]);
  });

  const faults: readonly (readonly [name: string, fragment: string, changes: Partial<GitRequest>, code: string])[] = [
    ["without the ref", "#nope", {}, "GIT_REF_NOT_FOUND"],
    ["at what is a commit for git alone", "#main~1", {}, "GIT_REF_NOT_FOUND"],
    ["at HEAD, which is no ref to build", "#HEAD", {}, "GIT_REF_NOT_FOUND"],
    ["at a pattern", "#refs/heads/*", {}, "GIT_REF_NOT_FOUND"],
    ["at a commit that nobody has", `#${"0".repeat(40)}`, {}, "GIT_COMMIT_NOT_FOUND"],
    ["at a flag", "#-x", {}, "GIT_REF_MALFORMED"],
    ["without the subdirectory", "#main:nope", {}, "GIT_SUBDIR_NOT_FOUND"],
    ["with a subdirectory that is a file", "#main:f", {}, "GIT_SUBDIR_NOT_FOUND"],
    ["with a subdirectory that leads out", "#main:out", {}, "GIT_SUBDIR_NOT_FOUND"],
    ["at another commit than was expected", "", { checksum: "0".repeat(40) }, "GIT_CHECKSUM_MISMATCH"],
    ["that is not there", "", { url: "file:///nowhere/at/all" }, "GIT_FAILED"],
    ["by a protocol that runs commands", "", { url: "ext::sh -c touch% /tmp/slipway-evil" }, "GIT_FAILED"],
  ];
  for (const [name, fragment, changes, code] of faults)
    test(`fails ${name}`, async () => assert.rejects(clone(fragment, changes), (error) => isSlipwayError(error, code)));

  test("by its checksum, whole or in part", async () => {
    assert.equal((await clone("", { checksum: (commits[2] ?? "").slice(0, 10) })).commit, commits[2]);
  });

  test("at the beginning of a commit: the message has what git answered", async () => {
    await assert.rejects(clone("#HEAD"), { message: `repository does not contain ref HEAD, output: "${commits[2]}\\tHEAD\\n"` });
    await assert.rejects(clone(`#${(commits[1] ?? "").slice(0, 8)}`), { code: "GIT_REF_NOT_FOUND", message: /, output: ""$/ });
  });

  test("ends with the signal", async () => {
    await assert.rejects(clone("", { signal: AbortSignal.abort(new Error("stop")) }), /stop/);
  });

  test("its hooks are never run", async () => {
    writeFileSync(join(repository, ".git/hooks/post-checkout"), "#!/bin/sh\ntouch ran\n", { mode: 0o755 });
    assert.ok(!existsSync(join((await clone("")).path, "ran")));
  });
});
