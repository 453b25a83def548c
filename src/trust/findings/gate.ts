/** `--fail-on`: which findings fail a build, apart from which are shown. */
import { SlipwayError } from "../../base/errors.ts";
import { isSeverity, type Severity } from "../advisories/advisory.ts";
import type { Exposure } from "./exposure.ts";
import { severityRank, type Finding } from "./finding.ts";

export interface Gate {
  /** at least; undefined where no severity was named */
  readonly severity: Severity | undefined;
  /** also findings whose severity no source states */
  readonly unrated: boolean;
  /** only what has a fixed version */
  readonly fixable: boolean;
  /** what is known to be exploited fails whatever else holds */
  readonly exploited: boolean;
  /** only what the older image does not have */
  readonly isNew: boolean;
  /** secrets, faults of the set-up */
  readonly exposures: readonly Exposure["kind"][];
}

const words = ["critical", "high", "medium", "low", "unknown", "any", "fixable", "kev", "new", "secret", "misconfig"] as const;

/** undefined for an empty list: nothing fails. Fails with USAGE (invalid_argument). */
export function parseGate(list: readonly string[]): Gate | undefined {
  const given = list.flatMap((text) => text.split(",")).map((word) => word.trim().toLowerCase());
  const unknown = given.find((word) => !(words as readonly string[]).includes(word));
  if (unknown !== undefined) {
    throw new SlipwayError("invalid_argument", "USAGE", `--fail-on has no word ${JSON.stringify(unknown)}: want some of ${words.join(", ")}`, { exitCode: 2 });
  }
  if (given.length === 0) return undefined;
  const rated = given.filter(isSeverity).filter((word) => word !== "unknown");
  const lowest = given.includes("any") ? "unknown" : rated.sort((a, b) => severityRank[a] - severityRank[b])[0];
  const exposures = [...(given.includes("secret") ? ["secret" as const] : []), ...(given.includes("misconfig") ? ["misconfiguration" as const] : [])];
  const unrated = given.includes("unknown");
  return { severity: lowest, unrated, fixable: given.includes("fixable"), exploited: given.includes("kev"), isNew: given.includes("new"), exposures };
}

export function exposureFailsGate({ exposures }: Gate, { kind, suppressed }: Exposure): boolean {
  return suppressed === undefined && exposures.includes(kind);
}

/** Words that narrow hold for all; "kev" alone asks for nothing else. */
export function failsGate(gate: Gate, finding: Finding): boolean {
  const { fixable, exploited, isNew, exposures } = gate;
  const rates = gate.severity !== undefined || gate.unrated;
  if (exposures.length > 0 && !rates && !fixable && !exploited && !isNew) return false;
  if (finding.suppressed !== undefined) return false;
  if (isNew && finding.isNew !== true) return false;
  if (exploited && finding.exploited) return true;
  if (exploited && !rates && !fixable) return false;
  if (rates && !isRatedToFail(gate, finding.severity)) return false;
  return !fixable || finding.fixedVersion !== undefined;
}

function isRatedToFail({ severity, unrated }: Gate, of: Severity): boolean {
  if (of === "unknown" && unrated) return true;
  return severity !== undefined && severityRank[of] >= severityRank[severity];
}

/** What a gate by severity passes over only because no source states one. */
export function passesUnrated(gate: Gate, finding: Finding): boolean {
  return gate.severity !== undefined && !failsGate(gate, finding) && failsGate({ ...gate, unrated: true }, finding);
}
