/** Whether a version is one that an advisory is about. */
import type { Advisory, VersionRange } from "../advisories/advisory.ts";
import type { CompareVersions } from "../versions/compare-versions.ts";

function isIn({ introduced, fixed, last }: VersionRange, version: string, compare: CompareVersions): boolean {
  if (introduced !== undefined && compare(version, introduced) < 0) return false;
  if (fixed !== undefined) return compare(version, fixed) < 0;
  return last === undefined || compare(version, last) <= 0;
}

export type Verdict = { readonly kind: "not affected" } | { readonly kind: "affected"; readonly fixedVersion: string | undefined };

/** The fixed version is that of the range in which the version lies: an older line has its own. */
export function verdictOn({ ranges, versions = [] }: Advisory, version: string, compare: CompareVersions): Verdict {
  const range = ranges.find((one) => isIn(one, version, compare));
  if (range !== undefined) return { kind: "affected", fixedVersion: range.fixed };
  return versions.includes(version) ? { kind: "affected", fixedVersion: undefined } : { kind: "not affected" };
}
