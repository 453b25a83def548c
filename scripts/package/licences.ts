/** Licences of the packages whose code is inside the bundle: they ask to be passed on with it. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { OutputChunk } from "rolldown";

const inPackage = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//;

interface Manifest {
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
}

/** The project's own, for packages that name the same licence and leave its text away. */
const apache = path.resolve(import.meta.dirname, "../../LICENSE");

function licenceOf(name: string, directory: string): string {
  const manifest = JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8")) as Manifest;
  const file = readdirSync(directory).find((one) => /^licen[cs]e(\.\w+)?$/i.test(one));
  const text = file === undefined ? namedLicence(name, manifest) : readFileSync(path.join(directory, file), "utf8");
  return `${name} ${manifest.version}\n\n${text.trim()}\n`;
}

/** Of a package that brings no text: whose it is, and where the text is. */
function namedLicence(name: string, { license, author }: Manifest): string {
  if (license === "Apache-2.0") return readFileSync(apache, "utf8");
  if (license === undefined || !/^CC(-BY-\d\.\d|0-1\.0)$/.test(license)) throw new Error(`${name} is in the bundle, but has no licence file`);
  const by = typeof author === "object" ? author.name : author;
  return `${by === undefined ? "" : `By ${by}. `}${license}: https://spdx.org/licenses/${license}.html`;
}

/** One text of all of them, by name; "" when there are none. */
export function formatLicences(chunks: readonly OutputChunk[]): string {
  const directories = new Map<string, string>();
  for (const id of chunks.flatMap((chunk) => chunk.moduleIds)) {
    const [, directory, name] = inPackage.exec(id.replace(/^\0/, "")) ?? [];
    if (directory !== undefined && name !== undefined) directories.set(name, directory);
  }
  const texts = [...directories].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, directory]) => licenceOf(name, directory));
  return texts.join(`\n${"-".repeat(80)}\n\n`);
}

/** Names of packages in the bundle. */
export function bundledPackages(chunks: readonly OutputChunk[]): ReadonlySet<string> {
  return new Set(chunks.flatMap((chunk) => chunk.moduleIds).flatMap((id) => inPackage.exec(id)?.[2] ?? []));
}
