/** CycloneDX 1.6: the bill with its vulnerabilities, and what was decided of them. */
import { componentRef, cyclonedxDocument } from "../../sbom/cyclonedx.ts";
import type { Finding } from "../finding.ts";
import type { Report } from "./report.ts";

const ratings = { critical: "critical", high: "high", medium: "medium", low: "low", negligible: "info", unknown: "unknown" } as const;

function vulnerabilityOf(finding: Finding, { image }: Report): object {
  const { id, aliases, severity, score, title, url, published, fixedVersion, suppressed, packages } = finding;
  return {
    "bom-ref": `${id}#${finding.ecosystem}/${finding.name}@${finding.version}`,
    id,
    source: { url },
    ...(aliases.length === 0 ? {} : { references: aliases.map((alias) => ({ id: alias, source: { name: alias.split("-")[0] } })) }),
    ratings: [{ severity: ratings[severity], ...(score === undefined ? {} : { score, method: "CVSSv31" }) }],
    ...(title === undefined ? {} : { description: title }),
    ...(fixedVersion === undefined ? {} : { recommendation: `Update ${finding.name} to ${fixedVersion} or later` }),
    ...(published === undefined ? {} : { published: `${published}T00:00:00Z` }),
    ...(suppressed === undefined ? {} : { analysis: { state: "not_affected", detail: `${suppressed.reason} (${suppressed.by})` } }),
    affects: packages.map((one) => ({ ref: componentRef(image, one), versions: [{ version: one.version, status: "affected" }] })),
  };
}

export function cyclonedxReport(report: Report): object {
  return cyclonedxDocument(report, { vulnerabilities: report.findings.map((finding) => vulnerabilityOf(finding, report)) });
}
