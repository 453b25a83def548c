/** Packages of PHP's Composer and of .NET. */
import { isObject, type JsonObject } from "../../../oci/bounded-json.ts";
import type { FoundPackage } from "../package.ts";
import type { PackageReader } from "../package-reader.ts";
import { entriesOf, licencesOf, mebibyte, objectsOf, readJson, stringOf, withLicences } from "./json-file.ts";
import { locked } from "./npm.ts";

function composerPackages(list: JsonObject[string] | undefined): readonly FoundPackage[] {
  return objectsOf(list).flatMap((one) => {
    const [name, version] = [stringOf(one["name"]), stringOf(one["version"])];
    return name === undefined || version === undefined ? [] : [{ type: "composer" as const, name, version, ...withLicences(licencesOf(one["license"])) }];
  });
}

/** Version 1 is the list itself, version 2 has it in `packages`. */
function installedPackages(bytes: Buffer): readonly FoundPackage[] {
  const isList = bytes.toString("utf8", 0, 64).trimStart().startsWith("[");
  return composerPackages(readJson(isList ? Buffer.concat([Buffer.from('{"packages":'), bytes, Buffer.from("}")]) : bytes, "installed.json")["packages"]);
}

/** Libraries of packages; projects and what the runtime brings are none. */
export function parseDepsJson(root: JsonObject): readonly FoundPackage[] {
  return entriesOf(root["libraries"]).flatMap(([key, value]) => {
    const [name = "", version] = key.split("/");
    return version === undefined || !isObject(value) || value["type"] !== "package" ? [] : [{ type: "nuget" as const, name, version }];
  });
}

function lockedNuget(root: JsonObject): readonly FoundPackage[] {
  return entriesOf(root["dependencies"]).flatMap(([, framework]) =>
    entriesOf(framework).flatMap(([name, value]) => {
      const version = isObject(value) ? stringOf(value["resolved"]) : undefined;
      return version === undefined ? [] : [locked("nuget", name, version)];
    }),
  );
}

export const phpAndDotnetReaders: readonly PackageReader[] = [
  {
    names: ["installed.json"],
    wants: (path) => path.endsWith("/composer/installed.json"),
    maxBytes: 32 * mebibyte,
    read: (bytes) => ({ packages: installedPackages(bytes) }),
  },
  {
    names: ["composer.lock"],
    wants: (path) => !/(?:^|\/)vendor\/[^/]+\/[^/]+\//.test(path),
    maxBytes: 32 * mebibyte,
    read: (bytes) => {
      const root = readJson(bytes, "composer.lock");
      return { packages: [...composerPackages(root["packages"]), ...composerPackages(root["packages-dev"])].map((one) => ({ ...one, locked: true })) };
    },
  },
  {
    suffixes: [".json"],
    wants: (path) => path.endsWith(".deps.json"),
    maxBytes: 32 * mebibyte,
    read: (bytes) => ({ packages: parseDepsJson(readJson(bytes, "deps.json")) }),
  },
  { names: ["packages.lock.json"], maxBytes: 32 * mebibyte, read: (bytes) => ({ packages: lockedNuget(readJson(bytes, "packages.lock.json")) }) },
];
