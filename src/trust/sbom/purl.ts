/** Package URLs of packages: a large image has thousands, so they are written without the library that reads them. @see https://github.com/package-url/purl-spec */
import { type Distribution, type FoundPackage, type PackageType } from "../packages/package.ts";

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
  const plain = epoch === undefined ? version : version.slice(epoch.length + 1);
  const parts: PurlParts = {
    namespace,
    name,
    version: plain,
    // in the order of their names
    qualifiers: [
      ["arch", architecture],
      ["distro", isDistributions && distribution !== undefined ? distroOf(distribution) : undefined],
      ["epoch", epoch],
      ["upstream", source === undefined ? undefined : source.version === version ? source.name : `${source.name}@${source.version}`],
    ],
  };
  return formatPurl(type, parts) ?? formatPurl("generic", parts) ?? `pkg:generic/${encoded(found.name)}`;
}

interface PurlParts {
  readonly namespace: string | undefined;
  readonly name: string;
  readonly version: string;
  readonly qualifiers: readonly (readonly [key: string, value: string | undefined])[];
}

/** Types whose packages are the same in any case; of RPM's only the namespaces are. */
const anyCase: readonly string[] = ["apk", "composer", "deb", "npm", "pypi"];
const semantic =
  /^v(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*)){2}(?:-(?:0|[1-9]\d*|\d*[a-z-][\da-z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-z-][\da-z-]*))*)?(?:\+[\da-z-]+(?:\.[\da-z-]+)*)?$/i;

/** undefined for what the type's rules do not allow: an archive of Java's of which nobody says the group, a Go module's version that is none. */
function formatPurl(type: string, parts: PurlParts): string | undefined {
  const isAnyCase = anyCase.includes(type);
  const path = (parts.namespace ?? "").split("/").filter((segment) => segment !== "");
  const namespace = isAnyCase || type === "rpm" ? path.join("/").toLowerCase() : path.join("/");
  const given = parts.name.trim();
  const lower = isAnyCase ? given.toLowerCase() : given;
  const name = type === "pypi" ? lower.replaceAll("_", "-") : lower;
  const version = parts.version.trim();
  if (name === "" || (type === "maven" && namespace === "") || (type === "golang" && version.startsWith("v") && !semantic.test(version))) return undefined;
  const qualifiers = qualifiersOf(parts);
  return [
    `pkg:${type}/`,
    namespace === "" ? "" : `${encoded(namespace).replaceAll("%3A", ":").replaceAll("%2F", "/")}/`,
    encoded(name),
    version === "" ? "" : `@${encoded(version).replaceAll("%3A", ":").replaceAll("%2B", "+")}`,
    qualifiers === "" ? "" : `?${qualifiers}`,
  ].join("");
}

/** Half of a character, which names from JSON may have, is no text that could be encoded. */
function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function qualifiersOf({ qualifiers }: PurlParts): string {
  const given = qualifiers.map(([key, value = ""]) => [key, value.trim()] as [string, string]).filter(([, value]) => value !== "");
  return new URLSearchParams(given).toString().replaceAll("+", "%20");
}
