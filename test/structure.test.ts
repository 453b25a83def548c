/** What the project promises about its own files: the lockfile installs, every dependency is justified, every code explained. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { completeLockfile, missingOptionalPackages, platformOfName, type Lockfile } from "../scripts/lockfile.ts";

const root = path.resolve(import.meta.dirname, "..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");

test("package-lock.json lacks nothing that `npm ci` asks for (else: bin/node scripts/lockfile.ts)", () => {
  assert.deepEqual(missingOptionalPackages(JSON.parse(read("package-lock.json")) as Lockfile), []);
});

test("package-lock.json names no registry, so that any may serve it", () => {
  assert.doesNotMatch(read("package-lock.json"), /"resolved"/);
});

const platforms: readonly { readonly name: string; readonly want: ReturnType<typeof platformOfName> }[] = [
  { name: "@oxlint/binding-linux-arm64-musl", want: { os: "linux", cpu: "arm64", libc: "musl" } },
  { name: "@oxlint/binding-linux-arm-gnueabihf", want: { os: "linux", cpu: "arm", libc: "glibc" } },
  { name: "@oxlint/binding-win32-x64-msvc", want: { os: "win32", cpu: "x64", libc: undefined } },
  { name: "@oxlint-tsgolint/darwin-arm64", want: { os: "darwin", cpu: "arm64", libc: undefined } },
  { name: "@rolldown/binding-wasm32-wasi", want: { os: "wasi", cpu: "wasm32", libc: undefined } },
  { name: "something-else", want: undefined },
];
for (const { name, want } of platforms) test(`the platform in a package's name: ${name}`, () => assert.deepEqual(platformOfName(name), want));

test("a completed lockfile lacks nothing and keeps what it had", () => {
  const lock: Lockfile = { packages: { "": {}, "node_modules/a": { version: "1.0.0", dev: true, optionalDependencies: { "a-linux-x64": "1.0.0" } } } };
  const complete = completeLockfile(lock);
  assert.deepEqual(missingOptionalPackages(complete), []);
  assert.deepEqual(complete.packages["node_modules/a-linux-x64"], { version: "1.0.0", cpu: ["x64"], dev: true, optional: true, os: ["linux"] });
});

test("every dependency has its line in docs/dependencies.md, and none is left there", () => {
  const manifest = JSON.parse(read("package.json")) as Readonly<Record<string, Readonly<Record<string, string>> | undefined>>;
  const wanted = ["dependencies", "optionalDependencies", "devDependencies"].flatMap((field) => Object.keys(manifest[field] ?? {}));
  const [npmPart = ""] = read("docs/dependencies.md").split("## Parts of the system");
  const listed = npmPart.split("\n").flatMap((line) => [...(/^\| (`.*?`) \|/.exec(line)?.[1] ?? "").matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ""));
  assert.deepEqual(listed.toSorted(), wanted.toSorted());
});

test("scripts are executable, and shell can read them", () => {
  for (const file of [
    "scripts/setup",
    "scripts/test",
    "scripts/quickstart",
    "scripts/base",
    ".ci/run",
    "examples/run",
    "test/lab/install",
    "bin/node",
    "bin/slipway",
  ]) {
    execFileSync("test", ["-x", path.join(root, file)]);
    execFileSync("sh", ["-n", path.join(root, file)]);
  }
});

test("links in the documents lead somewhere", () => {
  for (const file of ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"]) {
    for (const [, target = ""] of read(file).matchAll(/\]\(([^)#:]+)\)/g)) {
      execFileSync("test", ["-e", path.join(root, target)], { stdio: "ignore" });
    }
  }
});
