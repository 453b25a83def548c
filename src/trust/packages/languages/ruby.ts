/** Gems: installed specifications and Gemfile.lock. */
import type { FoundPackage } from "../package.ts";
import { bounded, type PackageReader } from "../package-reader.ts";
import { mebibyte, withLicences } from "./json-file.ts";
import { locked } from "./npm.ts";
import { linesOf } from "../text-lines.ts";

const quoted = /["']([^"']+)["']/g;

/** What RubyGems writes on installing: assignments of literals. Nothing is run. */
export function parseGemSpecification(text: string): readonly FoundPackage[] {
  const value = (field: string): string | undefined =>
    new RegExp(`^[ \\t]*\\w+\\.${field}\\s*=\\s*(?:Gem::Version\\.new\\s*\\(?\\s*)?["']([^"']+)["']`, "m").exec(text)?.[1];
  const [name, version] = [value("name"), value("version")];
  if (name === undefined || version === undefined) return [];
  const list = /^[ \t]*\w+\.licen[sc]es?\s*=\s*(.*)$/m.exec(text)?.[1] ?? "";
  const homepage = value("homepage");
  const licences = [...list.matchAll(quoted)].map(([, word = ""]) => word);
  return [{ type: "gem", name, version, ...withLicences(licences), ...(homepage === undefined ? {} : { homepage }) }];
}

/** `    name (1.2.3)` below `specs:` of GEM; a platform behind the version belongs to the file and not to the version. */
export function parseGemfileLock(text: string): readonly FoundPackage[] {
  let inside = false;
  const found = linesOf(text).flatMap((line) => {
    if (/^\S/.test(line)) inside = line === "GEM";
    const [, name, version] = inside ? (/^ {4}(\S+) \(([^()-]+)(?:-[^()]*)?\)$/.exec(line) ?? []) : [];
    return name === undefined || version === undefined ? [] : [locked("gem", name, version)];
  });
  return bounded(found);
}

/** What a gem brings of its own development. */
const inGem = /(?:^|\/)gems\/[^/]+-\d[^/]*\//;

export const rubyReaders: readonly PackageReader[] = [
  {
    suffixes: [".gemspec"],
    wants: (path) => /\/specifications\/(?:default\/)?[^/]+\.gemspec$/.test(path),
    maxBytes: 4 * mebibyte,
    read: (bytes) => ({ packages: parseGemSpecification(bytes.toString()) }),
  },
  {
    names: ["Gemfile.lock"],
    wants: (path) => !inGem.test(path),
    maxBytes: 16 * mebibyte,
    read: (bytes) => ({ packages: parseGemfileLock(bytes.toString()) }),
  },
];
