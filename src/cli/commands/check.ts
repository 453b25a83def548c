/** What `build --check` prints: a heading, then each finding with its rule, link, sentence and place; or all of it as JSON. */
import { printable } from "../../base/printable.ts";
import type { BuildWarning, CheckError, CheckResult } from "../../engine/api.ts";
import { formatCallJson, locationOf, sourceData } from "./call-json.ts";

function formatFinding({ rule, url, message, excerpt }: BuildWarning): string {
  const link = url === "" ? "" : ` - ${url}`;
  return `\nWARNING: ${rule}${link}\n${printable(message)}\n${excerpt === "" ? "" : `${excerpt.trimEnd()}\n`}`;
}

/**
 * In the order of the lines; what our own rules suggest stands below a heading of its own, so that the first one counts what
 * Docker's does. An empty line at the end stands between the findings and the error.
 */
export function formatCheckText({ warnings, error }: CheckResult): string {
  const sorted = warnings.toSorted((left, right) => (left.line ?? 0) - (right.line ?? 0));
  const own = sorted.filter(({ isOwn }) => isOwn);
  const others = sorted.filter(({ isOwn }) => !isOwn);
  const suggestions = own.length === 0 ? "" : `\nSlipway adds ${own.length} suggestion${own.length === 1 ? "" : "s"}:\n${own.map(formatFinding).join("")}`;
  if (others.length === 0) return (error === undefined ? "Check complete, no warnings found.\n" : "") + suggestions;
  const count = others.length === 1 ? "1 warning has" : `${others.length} warnings have`;
  return `Check complete, ${count} been found!\n${others.map(formatFinding).join("")}${suggestions}${error === undefined ? "" : "\n"}`;
}

/** The message, its place below it; then what else is wrong. */
export function formatCheckError({ message, excerpt, also }: CheckError): string {
  const further = also.map((fault) => `\nalso: ${fault.message}\n${fault.excerpt}\n`).join("");
  return `${message}\n${excerpt === "" ? "" : `${excerpt.trimEnd()}\n`}${further}`;
}

/** In the order in which they were found. */
export function formatCheckJson({ warnings, error, source }: CheckResult): string {
  const found = warnings.map(({ rule, description, url, message, lines }) => ({
    ruleName: rule,
    description,
    ...(url === "" ? {} : { url }),
    detail: message,
    location: locationOf(lines),
  }));
  return formatCallJson({
    warnings: found.length === 0 ? null : found,
    sources: [{ filename: source.fileName, data: sourceData(source), language: "Dockerfile" }],
    ...(error === undefined ? {} : { buildError: { message: error.message, location: locationOf(error.lines) } }),
  });
}
