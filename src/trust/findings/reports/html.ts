/** One file that any browser shows, without scripts and without anything from elsewhere. */
import { printable } from "../../../base/printable.ts";
import { formatOrigin } from "../../packages/image-inventory.ts";
import { timeOf } from "../../sbom/bill.ts";
import type { Finding } from "../finding.ts";
import type { Report } from "./report.ts";

function escape(text: string): string {
  return printable(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `:root{color-scheme:light dark}body{font:14px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #8884;vertical-align:top}th{font-weight:600}td:nth-child(3),td:nth-child(4){font-family:ui-monospace,monospace;font-size:.9em}
.critical,.high{color:#c22;font-weight:600}.medium{color:#b60}.low,.negligible,.unknown{color:#777}.note{color:#777}@media(prefers-color-scheme:dark){.critical,.high{color:#f77}.medium{color:#fa5}}`;

function row(finding: Finding, { image }: Report): string {
  const { id, url, severity, exploited, name, version, fixedVersion, status, title = "", packages, suppressed } = finding;
  const [first] = packages;
  const origin = first === undefined ? "" : formatOrigin(image.layers[first.layer]);
  const where = first === undefined ? "" : `/${first.path}${packages.length > 1 ? ` and ${packages.length - 1} more` : ""}`;
  const link = /^https?:\/\//.test(url) ? `<a href="${escape(url)}" rel="noreferrer">${escape(id)}</a>` : escape(id);
  const fixed = fixedVersion ?? (status === undefined ? "–" : status.replaceAll("-", " "));
  const note = suppressed === undefined ? "" : `<div class="note">${escape(`${suppressed.by}: ${suppressed.reason}`)}</div>`;
  return `<tr><td class="${severity}">${severity}${exploited ? " · exploited" : ""}</td><td>${link}<div class="note">${escape(title)}</div>${note}</td><td>${escape(name)} ${escape(version)}</td><td>${escape(fixed)}</td><td>${escape(origin)}<div class="note">${escape(where)}</div></td></tr>`;
}

function section(heading: string, findings: readonly Finding[], report: Report): string {
  if (findings.length === 0) return "";
  const head = "<tr><th>Severity</th><th>Vulnerability</th><th>Package</th><th>Fixed in</th><th>Brought by</th></tr>";
  return `<h2>${escape(heading)} (${findings.length})</h2><table>${head}${findings.map((finding) => row(finding, report)).join("")}</table>`;
}

function exposureSection({ exposures, image }: Report): string {
  if (exposures.length === 0) return "";
  const rows = exposures.map(({ severity, title, where, line, layer, isHidden }) => {
    const origin = layer === undefined ? "" : formatOrigin(image.layers[layer]);
    const place = `${where}${line === undefined ? "" : `:${line}`}${isHidden === true ? " (removed later, still in the image)" : ""}`;
    return `<tr><td class="${severity}">${severity}</td><td>${escape(title)}</td><td>${escape(place)}</td><td></td><td>${escape(origin)}</td></tr>`;
  });
  return `<h2>Secrets and set-up (${exposures.length})</h2><table>${rows.join("")}</table>`;
}

export function htmlReport(report: Report): string {
  const { image, database, findings, fixed, missing, createdSeconds } = report;
  const open = findings.filter(({ suppressed }) => suppressed === undefined);
  const base = image.base === undefined ? "From the base" : `From the base ${image.base.reference}`;
  const incomplete = missing.map(({ ecosystem, packages }) => `${packages} packages of ${ecosystem} were not compared: there are no advisories of it here.`);
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(image.name)}</title><style>${style}</style>
<h1>${escape(image.name)}</h1><p>${escape(image.distribution?.name ?? "")}, ${image.packages.length} packages. ${database === undefined ? "" : `Advisories ${database.digest.slice(0, 19)} of ${timeOf(database.createdSeconds).slice(0, 10)}; `}Report of ${timeOf(createdSeconds).slice(0, 10)}.</p>
${incomplete.map((line) => `<p class="high">${escape(line)}</p>`).join("")}${open.length === 0 ? "<p>No findings.</p>" : ""}
${section(
  "Yours",
  open.filter(({ fromBase }) => fromBase === false),
  report,
)}${section(
    base,
    open.filter(({ fromBase }) => fromBase === true),
    report,
  )}${section(
    "Findings",
    open.filter(({ fromBase }) => fromBase === undefined),
    report,
  )}${exposureSection(report)}${section("Fixed since", fixed, report)}${section(
    "Suppressed",
    findings.filter(({ suppressed }) => suppressed !== undefined),
    report,
  )}
</html>
`;
}
