/** A scan's result as a document. */
import { SlipwayError } from "../../base/errors.ts";
import type { Report } from "../../trust/findings/reports/report.ts";
import type { Finding } from "../../trust/findings/finding.ts";
import { billSeconds } from "../inventory/bill-seconds.ts";
import { reportFormats, type ReportFormat, type ScanResult } from "../scan-api.ts";
import { packageVersion } from "../system/version.ts";

type Env = Readonly<Record<string, string | undefined>>;

const documents: Readonly<Record<Exclude<ReportFormat, "html">, () => Promise<(report: Report) => object>>> = {
  json: async () => (await import("../../trust/findings/reports/json.ts")).jsonReport,
  sarif: async () => (await import("../../trust/findings/reports/sarif.ts")).sarifReport,
  cyclonedx: async () => (await import("../../trust/findings/reports/cyclonedx.ts")).cyclonedxReport,
  "trivy-json": async () => (await import("../../trust/findings/reports/trivy-json.ts")).trivyReport,
  "cosign-vuln": async () => (await import("../../trust/findings/reports/cosign-vuln.ts")).cosignVulnReport,
};

/** Of the findings that are given, which may be fewer than the result has. Deterministic as bills are. */
export async function writeReport(result: ScanResult, format: ReportFormat, findings: readonly Finding[], env: Env): Promise<string> {
  if (!reportFormats.includes(format)) {
    throw new SlipwayError("invalid_argument", "USAGE", `unknown format ${JSON.stringify(format)}: want one of ${reportFormats.join(", ")}`, { exitCode: 2 });
  }
  const report: Report = { ...result, findings, tool: { name: "slipway", version: packageVersion() }, createdSeconds: billSeconds(result.image, env) };
  if (format === "html") return (await import("../../trust/findings/reports/html.ts")).htmlReport(report);
  const documentOf = await documents[format]();
  return `${JSON.stringify(documentOf(report), undefined, 2)}\n`;
}

/** What was suppressed, as OpenVEX. */
export async function writeVex({ findings, image }: ScanResult, env: Env): Promise<string> {
  const { openVexDocument } = await import("../../trust/findings/vex.ts");
  return `${JSON.stringify(openVexDocument(findings, image, billSeconds(image, env), "slipway"), undefined, 2)}\n`;
}
