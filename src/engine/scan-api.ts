/** The library's calls that compare images with what is known of vulnerabilities. */
import type { Exposure } from "../trust/findings/exposure.ts";
import type { Finding } from "../trust/findings/finding.ts";
import type { ImageInventory, PackageType } from "../trust/packages/index.ts";
import type { AdvisoryStatus } from "./advisory-api.ts";
import type { PublicKeySource, VerifyAttestationOptions } from "./trust-api.ts";
import type { LocationOptions } from "./transfer-api.ts";

export type { Finding, Suppression } from "../trust/findings/finding.ts";
export type { Exposure } from "../trust/findings/exposure.ts";
export type { Severity, VendorStatus } from "../trust/advisories/advisory.ts";

export interface ScanOptions extends LocationOptions {
  /** an older image or bill: its findings are not new */
  readonly against?: string;
  /** which image it was built on, as `image` is written: of what comes from there its makers are told */
  readonly base?: string;
  /** files with statements of whoever made the image: OpenVEX, CycloneDX */
  readonly vex?: readonly string[];
  /** whose attestations of type openvex count: the registry of the image, and of its base, is asked for them */
  readonly vexKeys?: readonly PublicKeySource[];
  /** the same by identity instead of by key */
  readonly vexIdentities?: Required<Pick<VerifyAttestationOptions, "identities" | "trustedRoot">>;
  /** lines of findings that somebody has looked at; see docs/scan.md */
  readonly ignoreFile?: string;
  /** compare also files of the distribution's packages with upstream's advisories */
  readonly comprehensive?: boolean;
  /** kinds of packages that are left out on purpose */
  readonly skip?: readonly PackageType[];
  /** places that are left out on purpose */
  readonly skipPaths?: SkippedPaths;
  /** what is looked for; default: vulnerabilities alone, which need no reading of layers that are known */
  readonly scanners?: readonly Scanner[];
  readonly nowMs?: number;
}

/** Patterns with `*`, `**`, `?` and `[…]`, with or without a first slash. */
export interface SkippedPaths {
  /** with all that is below them */
  readonly directories?: readonly string[];
  readonly files?: readonly string[];
}

export const scannerNames = ["vuln", "secret", "misconfig"] as const;
export type Scanner = (typeof scannerNames)[number];

export interface ScanResult {
  readonly image: ImageInventory;
  /** the worst first, also those that are suppressed */
  readonly findings: readonly Finding[];
  /** of a comparison: what the older image has and this one has not */
  readonly fixed: readonly Finding[];
  /** of packages that were compared: "Debian:12", "npm" */
  readonly ecosystems: readonly string[];
  /** ecosystems of packages that the database knows nothing of: these packages were not compared */
  readonly missing: readonly { readonly ecosystem: string; readonly packages: number }[];
  /** packages of a distribution that is not known */
  readonly unknown: number;
  /** entries of the ignore file that hold no more: "CVE-2024-1 (line 3, until 2026-01-01)" */
  readonly expired: readonly string[];
  /** secrets and faults of the image's set-up, where they were looked for */
  readonly exposures: readonly Exposure[];
  /** undefined where vulnerabilities were not looked for */
  readonly database: AdvisoryStatus | undefined;
}

export const reportFormats = ["json", "sarif", "cyclonedx", "trivy-json", "cosign-vuln", "html"] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** Whether everything was compared. What was not is no sign that nothing is there. */
export function isComplete({ missing, unknown, image }: Pick<ScanResult, "missing" | "unknown" | "image">): boolean {
  return missing.length === 0 && unknown === 0 && image.omissions.length === 0;
}
