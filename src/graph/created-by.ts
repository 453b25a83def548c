/** The `created_by` texts of history, character for character as BuildKit writes them (Go's %q and %v of its structures). */
import { goDuration, goQuote, goQuoteList } from "../base/go-text.ts";
import type { Healthcheck } from "../oci/image-config.ts";

/** Go's %q for an int: a character literal. */
function goQuoteRune(value: number): string {
  if (value < 0 || value > 0x10ffff) return "'\ufffd'";
  const char = String.fromCodePoint(value);
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  const quoted = goQuote(char);
  return `'${quoted.slice(1, -1)}'`;
}

export function healthcheckCreatedBy(check: Healthcheck): string {
  const durations = [check.Interval, check.Timeout, check.StartPeriod, check.StartInterval].map((ns) => `"${goDuration(ns ?? 0)}"`).join(" ");
  return `HEALTHCHECK &{${goQuoteList(check.Test ?? [])} ${durations} ${goQuoteRune(check.Retries ?? 0)}}`;
}

/** RUN's line: build args that the step sees come first, counted. */
export function runCreatedBy(args: readonly string[], buildArgs: readonly string[]): string {
  const prefix = buildArgs.length === 0 ? "" : `|${buildArgs.length} ${buildArgs.join(" ")} `;
  return `RUN ${prefix}${args.join(" ")} # buildkit`;
}
