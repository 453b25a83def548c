/** The predicate of cosign's attestations of type vuln: who scanned with what, and the result in Trivy's form. @see github.com/sigstore/cosign, specs/COSIGN_VULN_ATTESTATION_SPEC.md */
import { timeOf } from "../../sbom/bill.ts";
import type { Report } from "./report.ts";
import { trivyReport } from "./trivy-json.ts";

export function cosignVulnReport(report: Report): object {
  const { tool, database, createdSeconds } = report;
  const time = timeOf(createdSeconds);
  return {
    invocation: { parameters: null, uri: "", event_id: "", "builder.id": "" },
    scanner: {
      uri: `pkg:npm/${tool.name}@${tool.version}`,
      version: tool.version,
      db: { uri: "", version: database?.digest ?? "" },
      result: trivyReport(report),
    },
    metadata: { scanStartedOn: time, scanFinishedOn: time },
  };
}
