/** Turns USER and --user into numbers, with a root file system's own passwd and group. Pure. */
import { SlipwayError } from "../base/errors.ts";

export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** home directory of the passwd entry, "/" when there is none */
  readonly home: string;
}

export function resolveUser(spec: string, passwdText: string, groupText: string, options: { readonly forExec: boolean }): ResolvedUser {
  throw new SlipwayError("internal", "NOT_IMPLEMENTED", spec + passwdText + groupText + options.forExec);
}
