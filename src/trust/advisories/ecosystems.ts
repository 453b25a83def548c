/** Which advisories are about a package: the ecosystem's name in the database, and the package's name there. */
import type { Distribution, FoundPackage, Inventory, PackageType } from "../packages/package.ts";

const languages: Readonly<Record<Exclude<PackageType, "deb" | "apk" | "rpm">, string>> = {
  npm: "npm",
  pypi: "PyPI",
  golang: "Go",
  cargo: "crates.io",
  maven: "Maven",
  gem: "RubyGems",
  composer: "Packagist",
  nuget: "NuGet",
};

/** By Debian's codenames: images of testing and sid have no number. */
export const debianReleases: Readonly<Record<string, string>> = {
  jessie: "8",
  stretch: "9",
  buster: "10",
  bullseye: "11",
  bookworm: "12",
  trixie: "13",
  forky: "14",
  duke: "15",
  sid: "sid",
};

const major = (version: string): string => version.split(".")[0] ?? "";

/** Names of distributions as OSV writes them. Releases that follow another's (Raspbian) are not taken for it. */
function distributionEcosystem({ id, version, codename }: Distribution): string | undefined {
  switch (id) {
    case "debian":
      return `Debian:${version === "" ? (debianReleases[codename] ?? "sid") : major(version)}`;
    case "ubuntu":
      return `Ubuntu:${version}`;
    case "alpine":
      return `Alpine:v${version.split(".").slice(0, 2).join(".")}`;
    case "wolfi":
      return "Wolfi";
    case "chainguard":
      return "Chainguard";
    case "almalinux":
      return `AlmaLinux:${major(version)}`;
    case "rocky":
      return `Rocky Linux:${major(version)}`;
    case "rhel":
      return `Red Hat:${major(version)}`;
    case "opensuse-leap":
      return `openSUSE:Leap ${version}`;
    case "mageia":
      return `Mageia:${version}`;
    default:
      return undefined;
  }
}

/** `Ubuntu:22.04:LTS` is `Ubuntu:22.04`; all of Red Hat's repositories of a release are one. */
export function normalizedEcosystem(ecosystem: string): string {
  const [, ubuntu] = /^Ubuntu:(?:Pro:)?(\d+\.\d+)/.exec(ecosystem) ?? [];
  if (ubuntu !== undefined) return `Ubuntu:${ubuntu}`;
  const [, redHat] = /^Red Hat:.*?(?:enterprise_linux|rhel\w*):(\d+)/.exec(ecosystem) ?? [];
  return redHat === undefined ? ecosystem : `Red Hat:${redHat}`;
}

export function packageTypeOf(ecosystem: string): PackageType | undefined {
  const [family = ""] = ecosystem.split(":");
  if (family === "Debian" || family === "Ubuntu") return "deb";
  if (family === "Alpine" || family === "Wolfi" || family === "Chainguard") return "apk";
  if (["AlmaLinux", "Rocky Linux", "Red Hat", "openSUSE", "SUSE", "Mageia", "openEuler"].includes(family)) return "rpm";
  return (Object.keys(languages) as (keyof typeof languages)[]).find((type) => languages[type] === family);
}

/** As ecosystems compare names: PyPI and NuGet do not tell cases apart, PyPI neither "_" from "-". */
export function normalizedName(type: PackageType, name: string): string {
  if (type === "pypi") return name.toLowerCase().replace(/[-_.]+/g, "-");
  return type === "nuget" || type === "composer" ? name.toLowerCase() : name;
}

export interface AdvisoryKey {
  /** the first that the database has counts */
  readonly ecosystem: string;
  readonly name: string;
  /** the version that ranges are about: the source package's where the distribution's advisories name those */
  readonly version: string;
}

/**
 * undefined for packages of distributions that publish no advisories that we know. Alpine's release is that of its repositories where they
 * name one: an image may have been upgraded beyond its os-release.
 */
export function advisoryKeyOf(found: FoundPackage, { distribution, repositories }: Pick<Inventory, "distribution" | "repositories">): AdvisoryKey | undefined {
  const { type, name, version, source } = found;
  if (type !== "deb" && type !== "apk" && type !== "rpm") return { ecosystem: languages[type], name: normalizedName(type, name), version };
  if (distribution === undefined) return undefined;
  const [release] = type === "apk" && repositories.length === 1 ? repositories : [];
  const own = distributionEcosystem(distribution);
  const ecosystem = own?.startsWith("Alpine:") && release !== undefined ? `Alpine:${release === "edge" ? "edge" : `v${release}`}` : own;
  // an image may call itself what it is not: advisories of another kind of package say nothing of these
  if (ecosystem === undefined || packageTypeOf(ecosystem) !== type) return undefined;
  // rpm's advisories name the binary packages
  return type === "rpm" || source === undefined ? { ecosystem, name, version } : { ecosystem, name: source.name, version: source.version };
}
