/** Lock files in TOML with a table for each package: Cargo's, poetry's, uv's, pdm's. */
import { parse } from "smol-toml";
import { isObject, type Json } from "../../../oci/bounded-json.ts";
import type { FoundPackage, PackageType } from "../package.ts";
import type { PackageReader } from "../package-reader.ts";
import { mebibyte, objectsOf, stringOf } from "./json-file.ts";
import { locked } from "./npm.ts";
import { inSitePackages } from "./python.ts";

/** Packages of the project itself are left out: Cargo gives them no source, uv a directory. */
export function parseTomlLock(text: string, type: PackageType): readonly FoundPackage[] {
  const root = parse(text, { integersAsBigInt: false, maxDepth: 64 }) as Json;
  return objectsOf(isObject(root) ? root["package"] : undefined).flatMap((one) => {
    const [name, version, source] = [stringOf(one["name"]), stringOf(one["version"]), one["source"]];
    const isOwn = type === "cargo" ? source === undefined : isObject(source) && ("editable" in source || "virtual" in source);
    return name === undefined || version === undefined || isOwn ? [] : [locked(type, name, version)];
  });
}

const lockFile = (name: string, type: PackageType): PackageReader => ({
  names: [name],
  wants: (path) => !inSitePackages.test(path),
  maxBytes: 8 * mebibyte,
  read: (bytes) => ({ packages: parseTomlLock(bytes.toString(), type) }),
});

export const tomlLockReaders: readonly PackageReader[] = [
  lockFile("Cargo.lock", "cargo"),
  lockFile("poetry.lock", "pypi"),
  lockFile("uv.lock", "pypi"),
  lockFile("pdm.lock", "pypi"),
];
