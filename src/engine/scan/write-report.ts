/** A scan's result as a document. */
import { SlipwayError } from "../../base/errors.ts";
import { cosignVulnReport } from "../../trust/findings/reports/cosign-vuln.ts";
import { cyclonedxReport } from "../../trust/findings/reports/cyclonedx.ts";
import { htmlReport } from "../../trust/findings/reports/html.ts";
import { jsonReport } from "../../trust/findings/reports/json.ts";
import type { Report } from "../../trust/findings/reports/report.ts";
import { sarifReport } from "../../trust/findings/reports/sarif.ts";
import { trivyReport } from "../../trust/findings/reports/trivy-json.ts";
import type { Finding } from "../../trust/findings/finding.ts";
import { openVexDocument } from "../../trust/findings/vex.ts";
import { billSeconds } from "../inventory/write-bill.ts";
import { reportFormats, type ReportFormat, type ScanResult } from "../scan-api.ts";
import { packageVersion } from "../system/version.ts";

type Env = Readonly<Record<string, string | undefined>>;

const documents: Readonly<Record<Exclude<ReportFormat, "html">, (report: Report) => object>> = {
  json: jsonReport,
  sarif: sarifReport,
  cyclonedx: cyclonedxReport,
  "trivy-json": trivyReport,
  "cosign-vuln": cosignVulnReport,
};

/** Of the findings that are given, which may be fewer than the result has. Deterministic as bills are. */
export function writeReport(result: ScanResult, format: ReportFormat, findings: readonly Finding[], env: Env): string {
  if (!reportFormats.includes(format)) {
    throw new SlipwayError("invalid_argument", "USAGE", `unknown format ${JSON.stringify(format)}: want one of ${reportFormats.join(", ")}`, { exitCode: 2 });
  }
  const report: Report = { ...result, findings, tool: { name: "slipway", version: packageVersion() }, createdSeconds: billSeconds(result.image, env) };
  return format === "html" ? htmlReport(report) : `${JSON.stringify(documents[format](report), undefined, 2)}\n`;
}

/** What was suppressed, as OpenVEX. */
export function writeVex({ findings, image }: ScanResult, env: Env): string {
  return `${JSON.stringify(openVexDocument(findings, image, billSeconds(image, env), "slipway"), undefined, 2)}\n`;
}
