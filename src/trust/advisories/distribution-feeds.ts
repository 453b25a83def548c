/** What distributions publish of themselves: Debian's security tracker, Alpine's secdb; and the list of what is known to be exploited. */
import { isObject, type Json, type JsonObject } from "../../oci/bounded-json.ts";
import { entriesOf, objectsOf, stringOf } from "../packages/languages/json-file.ts";
import { severityOfWord, type PackageAdvisory, type VendorStatus } from "./advisory.ts";
import { debianReleases } from "./ecosystems.ts";

/** The tracker's words, the strongest first: what has no advisory of its own is minor in the security team's eyes. */
function statusOf(release: JsonObject): VendorStatus {
  const urgency = stringOf(release["urgency"]) ?? "";
  if (urgency === "unimportant") return "unimportant";
  if (urgency.startsWith("end-of-life")) return "end-of-life";
  const reason = stringOf(release["nodsa_reason"]) ?? "";
  if (reason === "ignored") return "will-not-fix";
  if (reason === "postponed") return "deferred";
  return stringOf(release["nodsa"]) === undefined ? "affected" : "minor";
}

/** Source package → CVE → what holds for each release. Entries that are undetermined, or that the release never had, are left out. */
export function advisoriesOfDebianTracker(root: JsonObject): readonly PackageAdvisory[] {
  return entriesOf(root).flatMap(([name, records]) =>
    entriesOf(records).flatMap(([id, record]) => {
      if (!isObject(record)) return [];
      const title = stringOf(record["description"])?.slice(0, 200);
      return entriesOf(record["releases"]).flatMap(([codename, release]): readonly PackageAdvisory[] => {
        const version = debianReleases[codename];
        if (version === undefined || !isObject(release)) return [];
        const [state, fixed] = [stringOf(release["status"]), stringOf(release["fixed_version"])];
        if (state !== "open" && (state !== "resolved" || fixed === undefined || fixed === "0")) return [];
        const urgency = stringOf(release["urgency"]) ?? "";
        const severity = severityOfWord(urgency);
        const status = statusOf(release);
        return [
          {
            ecosystem: `Debian:${version}`,
            name,
            advisory: {
              id,
              aliases: [],
              severity,
              ...(title === undefined ? {} : { title }),
              ranges: [state === "resolved" && fixed !== undefined ? { fixed } : {}],
              ...(status === "unimportant" || state === "open" ? { status } : {}),
            },
          },
        ];
      });
    }),
  );
}

export function isDebianTracker(root: JsonObject): boolean {
  const [[, records] = ["", null]] = Object.entries(root);
  const [[, record] = ["", null]] = isObject(records) ? Object.entries(records) : [];
  return isObject(record) && isObject(record["releases"]);
}

/** One release and repository: package → fixed version → names. Version "0" never was affected. */
export function advisoriesOfAlpineSecdb(root: JsonObject): readonly PackageAdvisory[] {
  const release = stringOf(root["distroversion"]) ?? "edge";
  const ecosystem = `Alpine:${release === "edge" || release.startsWith("v") ? release : `v${release}`}`;
  return objectsOf(root["packages"]).flatMap(({ pkg }) => {
    const name = isObject(pkg) ? stringOf(pkg["name"]) : undefined;
    if (name === undefined || !isObject(pkg)) return [];
    return entriesOf(pkg["secfixes"]).flatMap(([fixed, names]) =>
      fixed === "0" || !Array.isArray(names)
        ? []
        : names.flatMap((line: Json): readonly PackageAdvisory[] => {
            const [id, ...aliases] = typeof line === "string" ? line.split(/\s+/).filter((word) => word !== "") : [];
            return id === undefined ? [] : [{ ecosystem, name, advisory: { id, aliases, severity: "unknown", ranges: [{ fixed }] } }];
          }),
    );
  });
}

export function isAlpineSecdb(root: JsonObject): boolean {
  return Array.isArray(root["packages"]) && (root["distroversion"] !== undefined || root["reponame"] !== undefined);
}

/** CISA's catalogue, or a bare list of names. undefined for what is neither. */
export function exploitedOf(root: Json): readonly string[] | undefined {
  const list = Array.isArray(root) ? root : isObject(root) && Array.isArray(root["vulnerabilities"]) ? root["vulnerabilities"] : undefined;
  const names = list
    ?.flatMap((item: Json) => (typeof item === "string" ? [item] : isObject(item) ? [stringOf(item["cveID"]) ?? ""] : []))
    .filter((name: string) => /^CVE-\d{4}-\d+$/.test(name));
  return names === undefined || names.length === 0 || names.length < (list?.length ?? 0) / 2 ? undefined : [...new Set(names)].sort();
}
