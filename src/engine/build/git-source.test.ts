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

describe("an address that is none", () => {
  const url = "https://example.com/a.git";
  const faults: readonly (readonly [address: string, message: string])[] = [
    [`${url}?foo=bar`, 'unexpected query "foo"'],
    [`${url}?ref=`, 'query "ref" has no value'],
    [`${url}?ref=main&ref=v1`, 'query "ref" has multiple values'],
    [`${url}?ref=main#v1:dir`, 'ref conflicts: "v1" vs "main"'],
    [`${url}?subdir=a#:b`, 'subdir conflicts: "b" vs "a"'],
    [`${url}?subdir=../..`, 'invalid git URL fragment "subdir=../.."'],
    [`${url}#main:../..`, 'invalid git URL fragment "main:../.."'],
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
    ["at a short commit", () => `#${(commits[1] ?? "").slice(0, 8)}`, "two"],
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
    assert.ok(existsSync(join((await clone("", { keepGitDir: true })).path, ".git")));
    assert.ok(existsSync(join((await clone("?keep-git-dir=1")).path, ".git")));
  });

  test("in a subdirectory", async () => {
    assert.deepEqual(readdirSync((await clone("#main:sub/dir")).path), ["g"]);
    assert.deepEqual(readdirSync((await clone("#:sub")).path), ["dir"]);
    assert.deepEqual(readdirSync((await clone("?subdir=sub/dir#main")).path), ["g"]);
  });

  const faults: readonly (readonly [name: string, fragment: string, changes: Partial<GitRequest>, code: string])[] = [
    ["without the ref", "#nope", {}, "GIT_REF_NOT_FOUND"],
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

  test("ends with the signal", async () => {
    await assert.rejects(clone("", { signal: AbortSignal.abort(new Error("stop")) }), /stop/);
  });

  test("its hooks are never run", async () => {
    writeFileSync(join(repository, ".git/hooks/post-checkout"), "#!/bin/sh\ntouch ran\n", { mode: 0o755 });
    assert.ok(!existsSync(join((await clone("")).path, "ran")));
  });
});
