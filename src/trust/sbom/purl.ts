/** Package URLs of packages, and back. @see https://github.com/package-url/purl-spec */
import { PackageURL } from "packageurl-js";
import { packageTypes, type Distribution, type FoundPackage, type PackageType } from "../packages/package.ts";

/** "debian-12", "alpine-3.20.3"; without a version the codename: "debian-sid". */
export function distroOf({ id, version, codename }: Distribution): string {
  const release = version === "" ? codename : version;
  return release === "" ? id : `${id}-${release}`;
}

/** Where the name holds both, the namespace is what stands before the last separator. */
function splitName(type: PackageType, name: string, distribution: Distribution | undefined): readonly [namespace: string | undefined, name: string] {
  if (type === "deb" || type === "apk" || type === "rpm") return [distribution?.id ?? type, name];
  const at = type === "maven" ? name.indexOf(":") : type === "golang" || type === "npm" || type === "composer" ? name.lastIndexOf("/") : -1;
  return at < 0 ? [undefined, name] : [name.slice(0, at), name.slice(at + 1)];
}

export function purlOf(found: FoundPackage, distribution: Distribution | undefined): string {
  const { type, architecture, source, version } = found;
  const [namespace, name] = splitName(type, found.name, distribution);
  const isDistributions = type === "deb" || type === "apk" || type === "rpm";
  const epoch = type === "rpm" ? /^(\d+):/.exec(version)?.[1] : undefined;
  const qualifiers = Object.fromEntries(
    [
      ["arch", architecture],
      ["distro", isDistributions && distribution !== undefined ? distroOf(distribution) : undefined],
      ["epoch", epoch],
      ["upstream", source === undefined ? undefined : source.version === version ? source.name : `${source.name}@${source.version}`],
    ].filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== ""),
  );
  const plain = epoch === undefined ? version : version.slice(epoch.length + 1);
  const parts: PurlParts = [namespace, name, plain.trim() === "" ? undefined : plain, qualifiers, undefined];
  return formatPurl(type, parts) ?? formatPurl("generic", parts) ?? `pkg:generic/${encodeURIComponent(found.name)}`;
}

type PurlParts = ConstructorParameters<typeof PackageURL> extends [unknown, ...infer Rest] ? Rest : never;

/** undefined for what the type's rules do not allow: an archive of Java's of which nobody says the group, a Go module of no version. */
function formatPurl(type: string, parts: PurlParts): string | undefined {
  try {
    return new PackageURL(type, ...parts).toString();
  } catch {
    return undefined;
  }
}

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
