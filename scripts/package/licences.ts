/** Licences of the packages whose code is inside the bundle: they ask to be passed on with it. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { OutputChunk } from "rolldown";

const inPackage = /^(.*\/node_modules\/((?:@[^/]+\/)?[^/]+))\//;

function licenceOf(name: string, directory: string): string {
  const file = readdirSync(directory).find((one) => /^licen[cs]e(\.\w+)?$/i.test(one));
  if (file === undefined) throw new Error(`${name} is in the bundle, but has no licence file`);
  const { version } = JSON.parse(readFileSync(path.join(directory, "package.json"), "utf8")) as { readonly version: string };
  return `${name} ${version}\n\n${readFileSync(path.join(directory, file), "utf8").trim()}\n`;
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
