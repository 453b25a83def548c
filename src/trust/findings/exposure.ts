/** What an image gives away or leaves open, apart from its packages: secrets in it, and how it is set up. */
import type { Severity } from "../advisories/advisory.ts";
import type { Suppression } from "./finding.ts";

export interface Exposure {
  readonly kind: "secret" | "misconfiguration";
  /** a word for rules and ignore entries: "github-token", "root-user" */
  readonly rule: string;
  readonly severity: Severity;
  /** never the value itself */
  readonly title: string;
  /** a file of the image from the root, or the field of its config: "Env NPM_TOKEN" */
  readonly where: string;
  /** of a file, counted from 1 */
  readonly line?: number;
  /** position among the layers; absent for the config */
  readonly layer?: number;
  /** a later layer removes or replaces the file: who has the image has it all the same */
  readonly isHidden?: boolean;
  readonly suppressed?: Suppression;
}

/** "a GitHub token" → "github-token" */
export function ruleOf(what: string): string {
  return what
    .replace(/^an? /, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-");
}
