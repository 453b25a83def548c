/** What is known of one vulnerability in one package of one ecosystem, as the database keeps it. */

export const severities = ["critical", "high", "medium", "low", "negligible", "unknown"] as const;
/** the worst first; "unknown" is no statement that it is harmless */
export type Severity = (typeof severities)[number];

export function isSeverity(word: string): word is Severity {
  return (severities as readonly string[]).includes(word);
}

/** Versions from `introduced` on, up to and without `fixed`, or up to and with `last`. An absent start is the first version. */
export interface VersionRange {
  readonly introduced?: string;
  readonly fixed?: string;
  readonly last?: string;
}

/** What the vendor says will come of it where there is no fixed version. */
export type VendorStatus = "affected" | "minor" | "will-not-fix" | "deferred" | "end-of-life" | "unimportant";

export interface Advisory {
  /** the CVE where there is one, else the source's own */
  readonly id: string;
  /** other names of the same: GHSA, GO, PYSEC, DSA */
  readonly aliases: readonly string[];
  readonly severity: Severity;
  /** of CVSS, 0 to 10 */
  readonly score?: number;
  readonly title?: string;
  readonly url?: string;
  readonly ranges: readonly VersionRange[];
  /** single versions that are affected besides */
  readonly versions?: readonly string[];
  readonly status?: VendorStatus;
  /** of rpm: only where the package is of this module stream */
  readonly module?: string;
  /** YYYY-MM-DD */
  readonly published?: string;
}

/** One row of what an import brings. */
export interface PackageAdvisory {
  readonly ecosystem: string;
  readonly name: string;
  readonly advisory: Advisory;
}

/** CVSS's bands. */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return "critical";
  if (score >= 7) return "high";
  if (score >= 4) return "medium";
  return score > 0 ? "low" : "negligible";
}

const words: Readonly<Record<string, Severity>> = {
  critical: "critical",
  high: "high",
  important: "high",
  moderate: "medium",
  medium: "medium",
  low: "low",
  minor: "low",
  negligible: "negligible",
  unimportant: "negligible",
};

export function severityOfWord(word: string | undefined): Severity {
  return words[(word ?? "").toLowerCase().replace(/\*+$/, "")] ?? "unknown";
}
