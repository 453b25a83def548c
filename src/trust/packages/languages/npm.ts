/** Packages of Node: those that are installed, and those that lock files name. */
import { isObject, type JsonObject } from "../../../oci/bounded-json.ts";
import type { FoundPackage } from "../package.ts";
import { bounded, type PackageReader } from "../package-reader.ts";
import { entriesOf, licencesOf, mebibyte, readJson, stringOf, withLicences } from "./json-file.ts";
import { linesOf } from "../text-lines.ts";

const installed = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;
const inModules = /(?:^|\/)node_modules\//;

export function locked(type: FoundPackage["type"], name: string, version: string): FoundPackage {
  return { type, name, version, locked: true };
}

function installedPackage(root: JsonObject): readonly FoundPackage[] {
  const [name, version] = [stringOf(root["name"]), stringOf(root["version"])];
  if (name === undefined || version === undefined) return [];
  const homepage = stringOf(root["homepage"]);
  return [{ type: "npm", name, version, ...withLicences(licencesOf(root["license"] ?? root["licenses"])), ...(homepage === undefined ? {} : { homepage }) }];
}

/** Versions 2 and 3 have paths, version 1 a tree. */
export function parsePackageLock(root: JsonObject): readonly FoundPackage[] {
  if (isObject(root["packages"])) {
    return entriesOf(root["packages"]).flatMap(([path, value]) => {
      if (!isObject(value) || !inModules.test(path) || value["link"] === true) return [];
      const version = stringOf(value["version"]);
      const name = stringOf(value["name"]) ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      const isNested = path.indexOf("node_modules/") !== path.lastIndexOf("node_modules/");
      return version === undefined ? [] : [{ ...locked("npm", name, version), ...(isNested ? { place: path } : {}) }];
    });
  }
  const found: FoundPackage[] = [];
  const visit = (dependencies: JsonObject[string] | undefined): void => {
    for (const [name, value] of entriesOf(dependencies)) {
      const version = isObject(value) ? stringOf(value["version"]) : undefined;
      if (version !== undefined && /^\d/.test(version)) found.push(locked("npm", name, version));
      if (isObject(value)) visit(value["dependencies"]);
    }
  };
  visit(root["dependencies"]);
  return found;
}

/** `/name@1.0.0(peer@2)`, `/@scope/name/1.0.0_peer`, `name@1.0.0`: what pnpm's versions have as keys. */
function pnpmPackage(key: string): readonly FoundPackage[] {
  const plain = key.replace(/^\//, "").replace(/\(.*$/, "");
  const [, name, version] = /^((?:@[^/@]+\/)?[^/@]+)[@/](\d[^_/]*)/.exec(plain) ?? [];
  return name === undefined || version === undefined ? [] : [locked("npm", name, version)];
}

export function parsePnpmLock(text: string): readonly FoundPackage[] {
  return bounded(pnpmPackages(text));
}

function* pnpmPackages(text: string): Generator<FoundPackage> {
  let inside = false;
  for (const line of linesOf(text)) {
    if (/^\S/.test(line)) inside = line.startsWith("packages:");
    if (inside && /^ {2}\S/.test(line)) {
      const key = line.trim().replace(/:(?:\s*\{.*)?$/, "");
      yield* pnpmPackage(key.replace(/^["']|["']$/g, ""));
    }
  }
}

/** Both of yarn's: `"name@^1", name@^2:` with `version "1.2.3"`, and `"name@npm:^1":` with `version: 1.2.3`. */
export function parseYarnLock(text: string): readonly FoundPackage[] {
  return bounded(yarnPackages(text));
}

function* yarnPackages(text: string): Generator<FoundPackage> {
  let name: string | undefined;
  for (const line of linesOf(text)) {
    if (/^\S/.test(line)) {
      const [, real] = /@npm:((?:@[^/@]+\/)?[^/@"]+)@/.exec(line) ?? [];
      name = line.startsWith("#") || /@(?:workspace|link|portal|file):/.test(line) ? undefined : (real ?? /^"?((?:@[^/@]+\/)?[^/@"]+)@/.exec(line)?.[1]);
    }
    const [, version] = /^ {2}version:? "?([^"\s]+)"?\s*$/.exec(line) ?? [];
    if (version === undefined || name === undefined) continue;
    yield locked("npm", name, version);
    name = undefined;
  }
}

/** Blanks in the place of commas before closing brackets. */
function withoutLastCommas(bytes: Buffer): Buffer {
  const json = Buffer.from(bytes);
  let comma = -1;
  for (let at = 0; at < json.length; at++) {
    const byte = json[at] as number;
    if (byte === 0x22) for (at++; at < json.length && json[at] !== 0x22; at++) if (json[at] === 0x5c) at++;
    if ((byte === 0x5d || byte === 0x7d) && comma >= 0) json[comma] = 0x20;
    if (byte === 0x2c) comma = at;
    else if (byte > 0x20) comma = -1;
  }
  return json;
}

/** JSON with commas before closing brackets: `"name": ["name@1.2.3", …]`. */
export function parseBunLock(bytes: Buffer): readonly FoundPackage[] {
  return entriesOf(readJson(withoutLastCommas(bytes), "bun.lock")["packages"]).flatMap(([, value]) => {
    const [first] = Array.isArray(value) ? value : [];
    const [, name, version] = /^((?:@[^/@]+\/)?[^/@]+)@(\d.*)$/.exec(stringOf(first) ?? "") ?? [];
    return name === undefined || version === undefined ? [] : [locked("npm", name, version)];
  });
}

const lockFile = (name: string, parse: (bytes: Buffer) => readonly FoundPackage[]): PackageReader => ({
  names: [name],
  wants: (path) => !inModules.test(path),
  maxBytes: 32 * mebibyte,
  read: (bytes) => ({ packages: parse(bytes) }),
});

export const npmReaders: readonly PackageReader[] = [
  {
    names: ["package.json"],
    wants: (path) => installed.test(path),
    maxBytes: 16 * mebibyte,
    read: (bytes) => {
      const packages = installedPackage(readJson(bytes, "package.json"));
      return packages.length === 0 ? {} : { packages };
    },
  },
  lockFile("package-lock.json", (bytes) => parsePackageLock(readJson(bytes, "package-lock.json"))),
  lockFile("npm-shrinkwrap.json", (bytes) => parsePackageLock(readJson(bytes, "npm-shrinkwrap.json"))),
  lockFile("pnpm-lock.yaml", (bytes) => parsePnpmLock(bytes.toString())),
  lockFile("yarn.lock", (bytes) => parseYarnLock(bytes.toString())),
  lockFile("bun.lock", (bytes) => parseBunLock(bytes)),
];
