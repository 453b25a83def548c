import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseDockerfile } from "../../dockerfile/parse.ts";
import { compareLocks, formatLock, parseLock, type Lock, type LockEntry } from "./lock-file.ts";
import { nameOfSource, syntaxImage } from "./remote-names.ts";

const digest = `sha256:${"a".repeat(64)}`;
const other = `sha256:${"b".repeat(64)}`;
const commit = "c".repeat(40);
const entries: readonly LockEntry[] = [
  { kind: "repository", name: "https://example.test/r.git#main", value: commit, usedBy: ["Dockerfile"] },
  { kind: "image", name: "docker.io/library/b:1", value: digest, usedBy: ["b/Dockerfile", "a/Dockerfile"] },
  { kind: "image", name: "docker.io/library/a:1", value: other, usedBy: [] },
  { kind: "file", name: "https://example.test/f", value: digest, usedBy: ["Dockerfile"] },
];

test("the same entries give the same text, whatever their order, and come back", () => {
  const text = formatLock({ entries, hasBuiltinSyntax: false });
  assert.equal(formatLock({ entries: entries.toReversed(), hasBuiltinSyntax: false }), text);
  assert.equal(parseLock(formatLock({ entries, hasBuiltinSyntax: true }), "l").hasBuiltinSyntax, true);
  assert.equal(formatLock(parseLock(text, "slipway.lock")), text);
  assert.deepEqual(Object.keys(JSON.parse(text) as object), ["version", "images", "files", "repositories"]);
});

const broken: readonly { readonly name: string; readonly text: string; readonly want: RegExp }[] = [
  { name: "a newer version", text: '{\n"version": 2}', want: /^l:2: want "version": 1/ },
  { name: "no version", text: "{}", want: /^l:1: want "version": 1/ },
  { name: "an unknown key", text: '{"version": 1,\n"image": {}}', want: /^l:2: unknown key "image"/ },
  {
    name: "an unknown key of an entry",
    text: `{"version": 1,\n"images": {"a": {\n"digest": "${digest}", "tag": "x"}}}`,
    want: /^l:3: unknown key "images\.a\.tag"/,
  },
  {
    name: "an entry twice",
    text: `{"version": 1, "images": {"a": {"digest": "${digest}"},\n"a": {"digest": "${other}"}}}`,
    want: /^l:2: the key "a" stands twice/,
  },
  { name: "no digest", text: '{"version": 1, "images": {"a":\n{"digest": "latest"}}}', want: /^l:2: "latest" is no digest/ },
  { name: "half a commit", text: '{"version": 1, "repositories": {"a": {"commit": "abc"}}}', want: /^l:1: "abc" is no commit/ },
  { name: "a merge conflict", text: '{"version": 1,\n<<<<<<< ours\n', want: /^l:2: unexpected "<"/ },
];
describe("a lock is refused with its line:", () => {
  for (const { name, text, want } of broken) test(name, () => assert.throws(() => parseLock(text, "l"), { code: "LOCK_INVALID", message: want }));
});

test("changes are told in order", () => {
  const lock = (list: readonly (readonly [string, string])[]): Pick<Lock, "entries"> => ({
    entries: list.map(([name, value]) => ({ kind: "image", name, value, usedBy: [] })),
  });
  assert.deepEqual(
    compareLocks(
      lock([
        ["d", digest],
        ["a", digest],
        ["c", digest],
      ]),
      lock([
        ["c", digest],
        ["b", digest],
        ["a", other],
      ]),
    ).map(({ change, name }) => [change, name]),
    [
      ["updated", "a"],
      ["added", "b"],
      ["kept", "c"],
      ["removed", "d"],
    ],
  );
});

const git = {
  type: "git",
  url: "https://u:secret@example.test/r.git",
  ref: "",
  subdirectory: "",
  keepGitDir: false,
  skipSubmodules: false,
  checksum: "",
} as const;
const http = { type: "http", url: "https://example.test/f", checksum: "", fileName: "f" } as const;
const names: readonly { readonly name: string; readonly op: Parameters<typeof nameOfSource>[0]; readonly want: string | undefined }[] = [
  { name: "a repository's default branch, without the password", op: git, want: "https://example.test/r.git" },
  { name: "a branch", op: { ...git, ref: "main" }, want: "https://example.test/r.git#main" },
  { name: "a whole commit is pinned", op: { ...git, ref: commit }, want: undefined },
  { name: "a short commit is not", op: { ...git, ref: "ccccccc", checksum: "ccccccc" }, want: "https://example.test/r.git#ccccccc" },
  { name: "a commit to be found is pinned", op: { ...git, ref: "main", checksum: commit }, want: undefined },
  { name: "a user of ssh is no password", op: { ...git, url: "git@example.test:r.git" }, want: "git@example.test:r.git" },
  { name: "a file", op: http, want: "https://example.test/f" },
  { name: "a file with a checksum is pinned", op: { ...http, checksum: digest }, want: undefined },
];
describe("names of sources:", () => {
  for (const { name, op, want } of names) test(name, () => assert.equal(nameOfSource(op), want));
});

const heads: readonly { readonly name: string; readonly text: string; readonly want: { readonly name: string; readonly line: number } | undefined }[] = [
  { name: "the usual one", text: "# syntax=docker/dockerfile:1\nFROM scratch\n", want: { name: "docker.io/docker/dockerfile:1", line: 1 } },
  { name: "behind another directive", text: "# check=skip=all\n#syntax = x/y\nFROM scratch\n", want: { name: "docker.io/x/y:latest", line: 2 } },
  { name: "with a digest", text: `# syntax=docker/dockerfile:1@${digest}\nFROM scratch\n`, want: undefined },
  { name: "behind a comment it is none", text: "# hello\n# syntax=x/y\nFROM scratch\n", want: undefined },
  { name: "none", text: "FROM scratch\n", want: undefined },
];
describe("the image of # syntax=:", () => {
  for (const { name, text, want } of heads) {
    test(name, () => {
      const found = syntaxImage(text);
      assert.deepEqual(found === undefined ? undefined : { name: found.name, line: found.lines.start }, want);
      assert.equal(parseDockerfile(text).directives.syntax === undefined, want === undefined && !text.includes("@"));
    });
  }
});
