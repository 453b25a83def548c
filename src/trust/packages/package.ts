/** What a package is, whatever brought it: a row of a distribution's database, a language's metadata, a module that a program was built with. */

export const packageTypes = ["deb", "apk", "rpm", "npm", "pypi", "golang", "cargo", "maven", "gem", "composer", "nuget"] as const;
/** as package URLs have them */
export type PackageType = (typeof packageTypes)[number];

export function isDistributionType(type: PackageType): boolean {
  return type === "deb" || type === "apk" || type === "rpm";
}

/** What one file says of one package. */
export interface FoundPackage {
  readonly type: PackageType;
  /** with its namespace where the ecosystem has one: "@types/node", "org.slf4j:slf4j-api", "symfony/console" */
  readonly name: string;
  /** "" of a package in a bundle whose version nothing tells */
  readonly version: string;
  readonly architecture?: string;
  /** the source package, where it is another or has another version: advisories of distributions name those */
  readonly source?: { readonly name: string; readonly version: string };
  /** as the package says them: SPDX expressions, names, or both */
  readonly licences?: readonly string[];
  readonly supplier?: string;
  readonly homepage?: string;
  /** of rpm: module label, as in `nodejs:18:8060020220523160029:ad008a3a` */
  readonly module?: string;
  /** only a lock file names it: it may not be installed */
  readonly locked?: boolean;
  /** of packages that are locked below another: "node_modules/a/node_modules/b" */
  readonly place?: string;
  /** it was put into a bundle: the directory that it was taken from, which need not be in the image */
  readonly bundled?: string;
}

/** /etc/os-release. */
export interface Distribution {
  /** "debian", "alpine", "rhel" */
  readonly id: string;
  /** "12", "3.20.3"; "" where there is none (Debian sid) */
  readonly version: string;
  readonly codename: string;
  readonly name: string;
  readonly idLike: readonly string[];
}

/** A package of an image and how it came there. */
export interface ImagePackage extends FoundPackage {
  /** the file that told of it, from the root: "var/lib/dpkg/status" */
  readonly path: string;
  /** the lowest layer, counted from 0, from which on it was there in this version, up to the top */
  readonly layer: number;
  /** the distribution's package that its file belongs to */
  readonly owner?: string;
}

/** Nothing can be said of these beyond that they are there: they are compared with no advisory. */
export function countUnversioned({ packages }: Pick<Inventory, "packages">): number {
  return packages.filter(({ version }) => version === "").length;
}

/** Something that was not looked into, and why: a bill that leaves it out is incomplete there. */
export interface Omission {
  readonly path: string;
  readonly layer: number;
  readonly reason: string;
}

export interface Inventory {
  readonly distribution: Distribution | undefined;
  /** `main` and `community` of which releases: Alpine's repositories, where they differ from the distribution's version */
  readonly repositories: readonly string[];
  /** sorted by type, name, version, path */
  readonly packages: readonly ImagePackage[];
  readonly omissions: readonly Omission[];
}
