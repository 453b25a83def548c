/** A vulnerability of a package in an image, with all that decides whether it is shown and whether it fails a gate. */
import type { Severity, VendorStatus } from "../advisories/advisory.ts";
import type { ImagePackage } from "../packages/package.ts";

/** Why a finding does not count. */
export interface Suppression {
  readonly by: "vendor" | "vex" | "ignore file";
  readonly reason: string;
}

export interface Finding {
  /** the CVE where there is one */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly severity: Severity;
  readonly score?: number;
  readonly title?: string;
  readonly url: string;
  readonly published?: string;
  readonly ecosystem: string;
  /** the name that the advisory is about: a source package's of distributions */
  readonly name: string;
  readonly version: string;
  /** the first version that is not affected, by the vendor of the installed line */
  readonly fixedVersion?: string;
  /** what the vendor says where there is no fixed version */
  readonly status?: VendorStatus;
  /** known to be exploited */
  readonly exploited: boolean;
  /** one or more: the packages of a source, the copies of a library */
  readonly packages: readonly ImagePackage[];
  /** undefined where the image's base is not known */
  readonly fromBase?: boolean;
  readonly suppressed?: Suppression;
  /** of a comparison: the older image does not have it */
  readonly isNew?: boolean;
}

export const severityRank: Readonly<Record<Severity, number>> = { critical: 5, high: 4, medium: 3, low: 2, negligible: 1, unknown: 0 };

/** What is shown where nobody asked for all: what can be mended, what is exploited, what is high. */
export function isShownByDefault(finding: Finding): boolean {
  if (finding.suppressed !== undefined) return false;
  return finding.exploited || finding.fixedVersion !== undefined || severityRank[finding.severity] >= severityRank.high;
}

/** The worst first, then by name: the same findings in any order give the same list. */
export function inOrder(a: Finding, b: Finding): number {
  const byText = (first: string, second: string): number => (first < second ? -1 : first > second ? 1 : 0);
  return (
    Number(b.exploited) - Number(a.exploited) ||
    severityRank[b.severity] - severityRank[a.severity] ||
    byText(a.name, b.name) ||
    byText(a.id, b.id) ||
    byText(a.version, b.version) ||
    byText(a.ecosystem, b.ecosystem)
  );
}
