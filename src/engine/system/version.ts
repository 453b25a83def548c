/** `version`: one program is client and engine. */
import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { hostPlatform } from "../../oci/platform.ts";

/** The Engine API that the words and shapes of this program follow. */
export const apiVersion = "1.51";

/** "0.0.0" where the package's own description cannot be found. */
export function packageVersion(): string {
  for (let directory = dirname(fileURLToPath(import.meta.url)); ; directory = dirname(directory)) {
    const path = join(directory, "package.json");
    if (existsSync(path)) {
      const { name, version } = JSON.parse(readFileSync(path, "utf8")) as { readonly name?: string; readonly version?: string };
      if (name === "slipway" && version !== undefined) return version;
    }
    if (dirname(directory) === directory) return "0.0.0";
  }
}

export function versionInfo(): Readonly<Record<string, string>> {
  const { os, architecture } = hostPlatform();
  return {
    Version: packageVersion(),
    ApiVersion: apiVersion,
    MinAPIVersion: apiVersion,
    NodeVersion: process.version,
    Os: os,
    Arch: architecture,
    KernelVersion: release(),
  };
}
