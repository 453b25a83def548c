/** What an expression can refer to. */
import type { HclValue } from "./hcl-value.ts";

export interface HclScope {
  /** undefined: there is no such name */
  variable(name: string): HclValue | undefined;
  /** undefined: there is no such function. Throws an Error with a reason that is shown. */
  call(name: string): ((args: readonly HclValue[]) => HclValue) | undefined;
}

/** Names of its own before those around it. */
export function innerScope(outer: HclScope, names: ReadonlyMap<string, HclValue>): HclScope {
  return { ...outer, variable: (name) => (names.has(name) ? names.get(name) : outer.variable(name)) };
}
