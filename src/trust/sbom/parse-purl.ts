/** Packages from package URLs. @see https://github.com/package-url/purl-spec */
import { PackageURL } from "packageurl-js";
import { packageTypes, type FoundPackage } from "../packages/package.ts";

export interface ParsedPurl {
  readonly found: FoundPackage;
  /** "debian-12" */
  readonly distro: string | undefined;
}

/** undefined for what is no package URL, for types that we do not know, and without a version. */
export function packageFromPurl(text: string): ParsedPurl | undefined {
  try {
    const { type, namespace, name, version, qualifiers } = PackageURL.fromString(text);
    const known = packageTypes.find((one) => one === type);
    if (known === undefined || name === undefined || version === undefined || version === null) return undefined;
    const isDistributions = known === "deb" || known === "apk" || known === "rpm";
    const joined =
      isDistributions || namespace === undefined || namespace === null || namespace === "" ? name : `${namespace}${known === "maven" ? ":" : "/"}${name}`;
    const { arch, distro, epoch, upstream = "" } = qualifiers ?? {};
    const [, sourceName, sourceVersion] = /^(.+?)(?:@(.+))?$/.exec(upstream) ?? [];
    const full = epoch === undefined ? version : `${epoch}:${version}`;
    return {
      found: {
        type: known,
        name: joined,
        version: full,
        ...(arch === undefined ? {} : { architecture: arch }),
        ...(sourceName === undefined ? {} : { source: { name: sourceName, version: sourceVersion ?? full } }),
      },
      distro,
    };
  } catch {
    return undefined;
  }
}
