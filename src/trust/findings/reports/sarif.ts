/** SARIF 2.1.0, as code hosts read it: the line of the Dockerfile where it is known, else the file in the image. @see https://docs.oasis-open.org/sarif/sarif/v2.1.0/ */
import { hash } from "node:crypto";
import { formatOrigin } from "../../packages/image-inventory.ts";
import type { Exposure } from "../exposure.ts";
import type { Finding } from "../finding.ts";
import type { Report } from "./report.ts";

const levels = { critical: "error", high: "error", medium: "warning", low: "note", negligible: "note", unknown: "warning" } as const;
/** What GitHub orders by. */
const scores = { critical: 9.5, high: 8, medium: 5.5, low: 2, negligible: 0.1, unknown: 5 } as const;

function ruleOf(finding: Finding): object {
  const { id, title = id, url, severity, score = scores[severity] } = finding;
  return {
    id,
    name: "VulnerablePackage",
    shortDescription: { text: title },
    fullDescription: { text: title },
    helpUri: url,
    help: { text: `${id}: ${title}\n${url}` },
    properties: { precision: "very-high", "security-severity": score.toFixed(1), tags: ["security", "vulnerability", severity.toUpperCase()] },
  };
}

function resultOf(finding: Finding, ruleIndex: number, { image }: Report): object {
  const [first] = finding.packages;
  const origin = first === undefined ? undefined : image.layers[first.layer];
  const { place } = origin ?? {};
  const message = [
    `${finding.name} ${finding.version} has ${finding.id}`,
    finding.fixedVersion === undefined ? `, not fixed${finding.status === undefined ? "" : ` (${finding.status})`}` : `, fixed in ${finding.fixedVersion}`,
    finding.exploited ? "; known to be exploited" : "",
    formatOrigin(origin) === "" ? "" : `; brought by ${formatOrigin(origin)}`,
  ].join("");
  const region = { startLine: place?.start ?? 1, ...(place === undefined ? {} : { endLine: place.end }) };
  return {
    ruleId: finding.id,
    ruleIndex,
    level: levels[finding.severity],
    message: { text: message },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: place?.dockerfile ?? encodeURI(first?.path || image.name) }, region },
        message: { text: `${image.name}: ${first === undefined ? "" : `/${first.path}`}` },
      },
    ],
    partialFingerprints: { "slipway/v1": hash("sha256", `${finding.id} ${finding.ecosystem} ${finding.name}`).slice(0, 32) },
    ...(finding.suppressed === undefined ? {} : { suppressions: [{ kind: "external", justification: finding.suppressed.reason }] }),
  };
}

function exposureRule({ rule, title, kind, severity }: Exposure): object {
  const properties = { precision: "high", "security-severity": scores[severity].toFixed(1), tags: ["security", kind] };
  return { id: rule, shortDescription: { text: title }, fullDescription: { text: title }, properties };
}

function exposureResult(exposure: Exposure, ruleIndex: number, { image }: Report): object {
  const { rule, title, where, line, layer, severity, isHidden, suppressed } = exposure;
  const origin = layer === undefined ? undefined : image.layers[layer];
  const { place } = origin ?? {};
  const hidden = isHidden === true ? "; a later layer removes it, it is in the image all the same" : "";
  const brought = formatOrigin(origin) === "" ? "" : `; brought by ${formatOrigin(origin)}`;
  const uri = place?.dockerfile ?? encodeURI(where.startsWith("/") ? where.slice(1) : image.name);
  return {
    ruleId: rule,
    ruleIndex,
    level: levels[severity],
    message: { text: `${title} in ${where}${line === undefined ? "" : `:${line}`}${hidden}${brought}` },
    locations: [{ physicalLocation: { artifactLocation: { uri }, region: { startLine: place?.start ?? line ?? 1 } } }],
    partialFingerprints: { "slipway/v1": hash("sha256", `${rule} ${where}`).slice(0, 32) },
    ...(suppressed === undefined ? {} : { suppressions: [{ kind: "external", justification: suppressed.reason }] }),
  };
}

export function sarifReport(report: Report): object {
  const rules = [...new Map(report.exposures.map((one) => [one.rule, one])).values()];
  const byId = [...new Map(report.findings.map((finding) => [finding.id, finding])).values()];
  const positions = new Map(byId.map(({ id }, at) => [id, at]));
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: report.tool.name, version: report.tool.version, rules: [...byId.map(ruleOf), ...rules.map(exposureRule)] } },
        results: [
          ...report.findings.map((finding) => resultOf(finding, positions.get(finding.id) ?? 0, report)),
          ...report.exposures.map((one) => exposureResult(one, byId.length + rules.findIndex(({ rule }) => rule === one.rule), report)),
        ],
        columnKind: "utf16CodeUnits",
      },
    ],
  };
}
