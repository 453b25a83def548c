/** Packages of Python: what is installed, and what lock files name. */
import { isObject } from "../../../oci/bounded-json.ts";
import type { FoundPackage } from "../package.ts";
import { bounded, type PackageReader } from "../package-reader.ts";
import { entriesOf, mebibyte, readJson, stringOf, withLicences } from "./json-file.ts";
import { locked } from "./npm.ts";
import { linesOf } from "../text-lines.ts";

/** The head of METADATA or PKG-INFO: `Name: value` up to the first empty line. */
export function parsePythonMetadata(text: string): readonly FoundPackage[] {
  const fields = new Map<string, string[]>();
  const add = (name: string, value: string): void => {
    const values = fields.get(name);
    if (values === undefined) fields.set(name, [value]);
    else values.push(value);
  };
  for (const line of linesOf(text)) {
    if (line === "") break;
    const [, name, value] = /^([A-Za-z-]+):\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) add(name.toLowerCase(), value);
  }
  const first = (name: string): string | undefined => fields.get(name)?.[0];
  const [name, version] = [first("name"), first("version")];
  if (name === undefined || version === undefined) return [];
  const homepage = first("home-page");
  return [
    {
      type: "pypi",
      name,
      version,
      ...withLicences(licencesOfFields(first("license-expression"), first("license"), fields.get("classifier") ?? [])),
      ...(homepage === undefined || homepage === "UNKNOWN" ? {} : { homepage }),
    },
  ];
}

function licencesOfFields(expression: string | undefined, words: string | undefined, classifiers: readonly string[]): readonly string[] {
  if (expression !== undefined) return [expression];
  if (words !== undefined && words !== "" && words !== "UNKNOWN" && words.length < 100) return [words];
  return classifiers.flatMap((one) => /^License :: (?:OSI Approved :: )?(.+)$/.exec(one)?.[1] ?? []);
}

/** One blank at most between words. */
const pinned = /^([A-Za-z0-9][A-Za-z0-9._-]*) ?(?:\[[^\]]*\])? ?={2,3} ?([A-Za-z0-9][^\s;#,\\]*) ?(?:[;#\\].*)?$/;

/** `name==1.2.3`, with extras, markers and hashes behind; ranges name no version. */
export function parseRequirements(text: string): readonly FoundPackage[] {
  const found = linesOf(text).flatMap((line) => {
    const [, name, version] = pinned.exec(line.replace(/\s+/g, " ").trim()) ?? [];
    return name === undefined || version === undefined || version.includes("*") ? [] : [locked("pypi", name, version)];
  });
  return bounded(found);
}

function parsePipfileLock(bytes: Buffer): readonly FoundPackage[] {
  const root = readJson(bytes, "Pipfile.lock");
  return ["default", "develop"].flatMap((part) =>
    entriesOf(root[part]).flatMap(([name, value]) => {
      const version = isObject(value) ? stringOf(value["version"])?.replace(/^==/, "") : undefined;
      return version === undefined ? [] : [locked("pypi", name, version)];
    }),
  );
}

const metadata = (bytes: Buffer): { readonly packages?: readonly FoundPackage[] } => {
  const packages = parsePythonMetadata(bytes.toString("utf8", 0, mebibyte));
  return packages.length === 0 ? {} : { packages };
};

/** What a package brings of its own development. */
export const inSitePackages = /(?:^|\/)(?:site|dist)-packages\//;

export const pythonReaders: readonly PackageReader[] = [
  { names: ["METADATA"], wants: (path) => path.endsWith(".dist-info/METADATA"), maxBytes: 64 * mebibyte, read: metadata },
  { names: ["PKG-INFO"], wants: (path) => path.endsWith(".egg-info/PKG-INFO") || path.endsWith("/EGG-INFO/PKG-INFO"), maxBytes: 64 * mebibyte, read: metadata },
  { suffixes: [".egg-info"], maxBytes: 64 * mebibyte, read: metadata },
  {
    names: ["requirements.txt"],
    wants: (path) => !inSitePackages.test(path),
    maxBytes: 16 * mebibyte,
    read: (bytes) => ({ packages: parseRequirements(bytes.toString()) }),
  },
  { names: ["Pipfile.lock"], wants: (path) => !inSitePackages.test(path), maxBytes: 32 * mebibyte, read: (bytes) => ({ packages: parsePipfileLock(bytes) }) },
];
