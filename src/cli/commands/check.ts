/** What `build --check` prints: a heading, then each finding with its rule, link, description and place. */
import { printable } from "../../base/printable.ts";
import type { BuildWarning, CheckResult } from "../../engine/api.ts";

function formatFinding(warning: BuildWarning): string {
  const link = warning.url === "" ? "" : ` - ${warning.url}`;
  // Docker prints the finding's own sentence without rule and line, which stand beside it
  const message = warning.message.replace(new RegExp(`^${warning.rule}: `), "").replace(/ \(line \d+\)$/, "");
  return `\nWARNING: ${warning.rule}${link}\n${printable(message)}\n${warning.excerpt === "" ? "" : `${warning.excerpt.trimEnd()}\n`}`;
}

export function formatCheck({ warnings }: CheckResult): string {
  if (warnings.length === 0) return "Check complete, no warnings found.\n";
  const count = warnings.length === 1 ? "1 warning has" : `${warnings.length} warnings have`;
  return `Check complete, ${count} been found!\n${warnings.map(formatFinding).join("")}`;
}
