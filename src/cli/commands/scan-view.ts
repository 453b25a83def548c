/** Which findings `scan` shows, and which of them give `--exit-code`. */
import type { Exposure, Finding, ScanResult, Severity } from "../../engine/api.ts";
import { isShownByDefault, severities } from "../../engine/scan/gate.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";

export interface ScanView {
  /** "--severity", "--ignore-unfixed": those that were given, in words; "" for neither */
  readonly filters: string;
  readonly passes: (finding: Finding) => boolean;
  readonly passesExposure: (exposure: Exposure) => boolean;
  /** of --exit-code; undefined: without it nothing that is found changes the code */
  readonly exitCode: number | undefined;
}

function severitiesFrom(list: readonly string[]): ReadonlySet<Severity> {
  const words = list
    .flatMap((text) => text.split(","))
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== "");
  const found = words.map((word) => {
    const severity = severities.find((one) => one === word);
    if (severity === undefined) throw cliError(`--severity has no word ${JSON.stringify(word)}: want some of ${severities.join(", ")}`);
    return severity;
  });
  return new Set(found);
}

/** Fails with USAGE (invalid_argument). */
export function parseView(flags: ParsedFlags): ScanView {
  const wanted = severitiesFrom(flags.list("severity"));
  const fixedOnly = flags.bool("ignore-unfixed");
  const given = [...(wanted.size > 0 ? ["--severity"] : []), ...(fixedOnly ? ["--ignore-unfixed"] : [])];
  const isWanted = ({ severity }: { readonly severity: Severity }): boolean => wanted.size === 0 || wanted.has(severity);
  const code = flags.changed("exit-code") ? flags.number("exit-code") : undefined;
  if (code !== undefined && (code < 0 || code > 255)) throw cliError(`--exit-code is a number from 0 to 255, not ${code}`);
  if (code !== undefined && flags.changed("fail-on")) throw cliError("--exit-code and --fail-on exclude each other: what fails --fail-on has the code 1");
  return {
    filters: given.join(" and "),
    passes: (finding) => isWanted(finding) && (!fixedOnly || finding.fixedVersion !== undefined),
    passesExposure: isWanted,
    exitCode: code,
  };
}

/** Without a flag that chooses, what can be mended, is exploited or high; documents have all, and choose for themselves. */
export function shownOf(
  view: ScanView,
  { findings }: ScanResult,
  how: { readonly all: boolean; readonly isDocument: boolean; readonly isCompared: boolean },
): readonly Finding[] {
  const passing = findings.filter(view.passes);
  if (how.all || how.isDocument) return passing;
  const isShown = view.filters === "" ? isShownByDefault : ({ suppressed }: Finding): boolean => suppressed === undefined;
  return passing.filter((finding) => isShown(finding) && (!how.isCompared || finding.isNew === true));
}

/** All that nobody suppressed and no filter leaves out, shown or not. */
export function countOf(view: ScanView, { findings, exposures }: ScanResult, isCompared: boolean): number {
  const own = findings.filter((finding) => finding.suppressed === undefined && view.passes(finding) && (!isCompared || finding.isNew === true));
  return own.length + exposures.filter((one) => one.suppressed === undefined && view.passesExposure(one)).length;
}
