/** What `scan` prints for people: yours and the base's apart, and one line that counts what is not shown. */
import { printable } from "../../base/printable.ts";
import type { Finding, ScanResult } from "../../engine/api.ts";
import { alignColumns, ellipsis } from "../table.ts";
import { comparedAge } from "./advisory-age.ts";
import { shownOrigin } from "./sbom.ts";

const statusWords = {
  affected: "no fix yet",
  minor: "no fix: minor",
  "will-not-fix": "will not fix",
  deferred: "no fix: deferred",
  "end-of-life": "end of life",
  unimportant: "unimportant",
} as const;

function fixOf({ fixedVersion, status }: Finding): string {
  return fixedVersion ?? statusWords[status ?? "affected"];
}

function isDistributions({ type }: Finding["packages"][number]): boolean {
  return type === "deb" || type === "apk" || type === "rpm";
}

/** A source's packages in short; of a language where the file is, which may be one of many copies. */
function packageOf({ name, packages }: Finding): string {
  const names = [...new Set(packages.filter(isDistributions).map((one) => one.name))].filter((one) => one !== name);
  return names.length === 0 ? name : `${name} (${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ""})`;
}

function whereOf({ packages }: Finding, { image }: ScanResult): string {
  const [first] = packages;
  if (first === undefined) return "";
  const origin = image.layers[first.layer];
  const brought = origin === undefined ? "" : shownOrigin(origin, first.layer, 50);
  const path = isDistributions(first) || first.path === "" ? "" : `/${first.path}${packages.length > 1 ? ` and ${packages.length - 1} more` : ""}`;
  return [first.locked === true ? `${path} (lock file)` : path, brought].filter((part) => part !== "").join("  ");
}

function tableOf(findings: readonly Finding[], result: ScanResult): string {
  const rows = findings.map((finding) => [
    finding.severity.toUpperCase() + (finding.exploited ? " exploited" : ""),
    finding.id,
    ellipsis(packageOf(finding), 44),
    finding.version,
    finding.suppressed === undefined ? fixOf(finding) : `${finding.suppressed.by}: ${ellipsis(finding.suppressed.reason, 40)}`,
    whereOf(finding, result),
  ]);
  const cells = [["SEVERITY", "ID", "PACKAGE", "INSTALLED", "FIXED IN", "BROUGHT BY"], ...rows];
  return alignColumns(cells.map((row) => `${row.map((cell) => printable(cell.replace(/[\t\n]/g, " "))).join("\t")}\n`).join(""), { minWidth: 6, padding: 2 });
}

/** What a rebuild on a newer base would mend of its findings. */
function baseHeading(findings: readonly Finding[], { image }: ScanResult): string {
  const fixable = findings.filter(({ fixedVersion }) => fixedVersion !== undefined).length;
  const name = image.base === undefined ? "the base" : `the base ${image.base.reference}`;
  const mended =
    fixable === 0 ? "none of them has a fix yet" : `a rebuild on an updated base mends ${fixable === findings.length ? "all" : `${fixable}`} of them`;
  return `From ${printable(name)}: ${findings.length}, ${mended}`;
}

/** "12 more are not shown: 9 without a fix and below high, 3 unimportant to the vendor (--all shows them)" */
function restLine(findings: readonly Finding[], shown: readonly Finding[], filters: string): string {
  const visible = new Set(shown);
  const rest = findings.filter((finding) => !visible.has(finding));
  if (rest.length === 0) return "";
  const count = (of: (finding: Finding) => boolean): number => rest.filter(of).length;
  const parts = [
    [count(({ suppressed, isNew }) => suppressed === undefined && isNew !== false), filters === "" ? "without a fix and below high" : `left out by ${filters}`],
    [count(({ suppressed, isNew }) => suppressed === undefined && isNew === false), "not new"],
    [count(({ suppressed }) => suppressed?.by === "vendor"), "unimportant to the vendor"],
    [count(({ suppressed }) => suppressed?.by === "vex"), "not affected by VEX"],
    [count(({ suppressed }) => suppressed?.by === "ignore file"), "in the ignore file"],
  ] as const;
  const words = parts.filter(([number]) => number > 0).map(([number, text]) => `${number} ${text}`);
  return `${rest.length} more ${rest.length === 1 ? "is" : "are"} not shown: ${words.join(", ")}${filters === "" ? " (--all shows them)" : ""}\n`;
}

/** What was suppressed is left to `--format json`. */
function exposureTable({ exposures, image }: ScanResult): string {
  const shown = exposures.filter(({ suppressed }) => suppressed === undefined);
  if (shown.length === 0) return "";
  const rows = shown.map(({ severity, title, where, line, layer, isHidden }) => [
    severity.toUpperCase(),
    title,
    `${where}${line === undefined ? "" : `:${line}`}${isHidden === true ? " (removed later, still in the image)" : ""}`,
    layer === undefined ? "" : shownOrigin(image.layers[layer], layer, 60),
  ]);
  const cells = [["SEVERITY", "WHAT", "WHERE", "BROUGHT BY"], ...rows];
  const text = cells.map((row) => `${row.map((cell) => printable(cell.replace(/[\t\n]/g, " "))).join("\t")}\n`).join("");
  return `Secrets and set-up: ${shown.length}\n${alignColumns(text, { minWidth: 6, padding: 2 })}`;
}

export function formatScanTable(
  result: ScanResult,
  shown: readonly Finding[],
  { nowMs, filters }: { readonly nowMs: number; readonly filters: string },
): string {
  const { image, database, fixed } = result;
  const system = image.distribution === undefined ? "" : `${image.distribution.name}, `;
  const parts = [
    `${printable(`${image.name}: ${system}`)}${database === undefined ? "vulnerabilities were not looked for" : `${image.packages.length} packages, advisories of ${comparedAge(database, result.ecosystems, nowMs)}`}\n`,
  ];
  const groups: readonly (readonly [(finding: Finding) => boolean, (findings: readonly Finding[]) => string])[] = [
    [({ fromBase }) => fromBase === false, (findings) => `Yours: ${findings.length}`],
    [({ fromBase }) => fromBase === true, (findings) => baseHeading(findings, result)],
    [({ fromBase }) => fromBase === undefined, (findings) => `Findings: ${findings.length}`],
  ];
  for (const [belongs, heading] of groups) {
    const findings = shown.filter(belongs);
    if (findings.length > 0) parts.push(`${heading(findings)}\n${tableOf(findings, result)}`);
  }
  if (fixed.length > 0) parts.push(`Fixed: ${fixed.length}\n${tableOf(fixed, result)}`);
  const exposures = exposureTable(result);
  if (exposures !== "") parts.push(exposures);
  if (database !== undefined && shown.length === 0 && fixed.length === 0)
    parts.push(
      result.missing.length + result.unknown > 0 || result.image.packages.some(({ version }) => version === "")
        ? "Nothing found in what was compared\n"
        : "Nothing to mend\n",
    );
  if (shown.length > 0 && image.base === undefined && image.claimedBase !== undefined)
    parts.push(`It says that it was built on ${printable(image.claimedBase)}: --base with that name tells whose each finding is\n`);
  const rest = restLine(result.findings, shown, filters);
  return parts.join("\n") + (rest === "" ? "" : `\n${rest}`);
}
