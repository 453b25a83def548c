/** `--fail-on`: which findings fail a build, apart from which are shown. */
import { SlipwayError } from "../../base/errors.ts";
import { isSeverity, type Severity } from "../advisories/advisory.ts";
import type { Exposure } from "./exposure.ts";
import { severityRank, type Finding } from "./finding.ts";

export interface Gate {
  /** at least; undefined where no severity was named */
  readonly severity: Severity | undefined;
  /** only what has a fixed version */
  readonly fixable: boolean;
  /** what is known to be exploited fails whatever else holds */
  readonly exploited: boolean;
  /** only what the older image does not have */
  readonly isNew: boolean;
  /** secrets, faults of the set-up */
  readonly exposures: readonly Exposure["kind"][];
}

const words = ["critical", "high", "medium", "low", "any", "fixable", "kev", "new", "secret", "misconfig"] as const;

/** undefined for an empty list: nothing fails. Fails with USAGE (invalid_argument). */
export function parseGate(list: readonly string[]): Gate | undefined {
  const given = list.flatMap((text) => text.split(",")).map((word) => word.trim().toLowerCase());
  const unknown = given.find((word) => !(words as readonly string[]).includes(word));
  if (unknown !== undefined) {
    throw new SlipwayError("invalid_argument", "USAGE", `--fail-on has no word ${JSON.stringify(unknown)}: want some of ${words.join(", ")}`, { exitCode: 2 });
  }
  if (given.length === 0) return undefined;
  const named = given.filter((word) => isSeverity(word) || word === "any");
  const lowest = named.includes("any") ? "unknown" : (named.filter(isSeverity).sort((a, b) => severityRank[a] - severityRank[b])[0] ?? undefined);
  const exposures = [...(given.includes("secret") ? ["secret" as const] : []), ...(given.includes("misconfig") ? ["misconfiguration" as const] : [])];
  return { severity: lowest, fixable: given.includes("fixable"), exploited: given.includes("kev"), isNew: given.includes("new"), exposures };
}

export function exposureFailsGate({ exposures }: Gate, { kind, suppressed }: Exposure): boolean {
  return suppressed === undefined && exposures.includes(kind);
}

/** Words that narrow hold for all; "kev" alone asks for nothing else. */
export function failsGate({ severity, fixable, exploited, isNew, exposures }: Gate, finding: Finding): boolean {
  if (exposures.length > 0 && severity === undefined && !fixable && !exploited && !isNew) return false;
  if (finding.suppressed !== undefined) return false;
  if (isNew && finding.isNew !== true) return false;
  if (exploited && finding.exploited) return true;
  if (exploited && severity === undefined && !fixable) return false;
  if (severity !== undefined && severityRank[finding.severity] < severityRank[severity]) return false;
  return !fixable || finding.fixedVersion !== undefined;
}
