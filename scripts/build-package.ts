/**
 * `npm run package`: what is published, below dist/package, ready for `npm pack` and `npm publish` in that folder.
 * It has a package.json of its own: JavaScript instead of sources, no Node of its own (189 MB), none of the tools.
 */
import { chmodSync, cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { OutputChunk } from "rolldown";
import { libraries, writePackageBundle } from "./package/bundle.ts";
import { writeDeclarations } from "./package/declarations.ts";
import { bundledPackages, formatLicences } from "./package/licences.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const root = path.resolve(import.meta.dirname, "..");
const copied = ["README.md", "LICENSE", "CHANGELOG.md", "docs", "bin/slipway"];

/** The manifest of a checkout, less what only a checkout needs. Paths: those that buildPackage() writes. */
function publishedManifest(own: Manifest, bundled: ReadonlySet<string>): object {
  const { name, version, description, license, engines, bin } = own;
  const entries = Object.entries(libraries).map(([subpath, folder]) => [
    subpath,
    { types: `./dist/types/${folder}/index.d.ts`, default: `./dist/lib/${folder}.cjs` },
  ]);
  return {
    name,
    version,
    description,
    license,
    bin,
    main: `./dist/lib/${libraries["."]}.cjs`,
    types: `./dist/types/${libraries["."]}/index.d.ts`,
    exports: { ...Object.fromEntries(entries), "./package.json": "./package.json" },
    engines,
    dependencies: Object.fromEntries(Object.entries(own.dependencies).filter(([one]) => !bundled.has(one))),
  };
}

/** The first file that runs: old syntax only, since an old Node would answer anything else with a syntax error. */
function launcher(engines: string): string {
  const [, major = "", minor = ""] = /^>=(\d+)\.(\d+)$/.exec(engines) ?? [];
  if (major === "") throw new Error(`engines.node is ${engines}, expected >=MAJOR.MINOR`);
  return `"use strict";
var words = process.versions.node.split(".");
if (+words[0] < ${major} || (+words[0] === ${major} && +words[1] < ${minor})) {
  console.error("slipway: Node " + process.versions.node + " is too old: ${major}.${minor} or newer is needed (docs/install.md names a way that keeps this one)");
  process.exitCode = 1;
} else {
  require("./lib/main.cjs");
}
`;
}

function writeText(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/** Writes the package below `target`, which is emptied first. */
export async function buildPackage(target: string): Promise<readonly OutputChunk[]> {
  const own = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as Manifest;
  rmSync(target, { recursive: true, force: true });
  const chunks = await writePackageBundle(path.join(target, "dist/lib"));
  writeDeclarations(Object.values(libraries), path.join(target, "dist/types"));
  writeText(path.join(target, "dist/cli.cjs"), launcher(own.engines.node));
  writeText(path.join(target, "dist/licences.txt"), formatLicences(chunks));
  writeText(path.join(target, "package.json"), `${JSON.stringify(publishedManifest(own, bundledPackages(chunks)), null, 2)}\n`);
  for (const file of copied) cpSync(path.join(root, file), path.join(target, file), { recursive: true });
  chmodSync(path.join(target, "bin/slipway"), 0o755);
  return chunks;
}

if (import.meta.main) {
  const target = path.join(root, "dist/package");
  const chunks = await buildPackage(target);
  const sizeBytes = chunks.reduce((sum, chunk) => sum + Buffer.byteLength(chunk.code), 0);
  console.log(`dist/package: ${chunks.length} files, ${Math.round(sizeBytes / 1000)} kB of JavaScript. Next: npm pack ./dist/package`);
}
