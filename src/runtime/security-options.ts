/** `--security-opt`. Pure. */
import { SlipwayError } from "../base/errors.ts";
import { booleanFromText } from "../base/go-text.ts";
import { printable } from "../base/printable.ts";
import { checkSeccompProfile } from "./seccomp-file.ts";

export interface SecurityOptions {
  /** or the text of a profile, in Docker's format */
  readonly seccomp: "default" | "unconfined" | { readonly profile: string };
  readonly noNewPrivileges: boolean;
  /** nothing of /proc and /sys is hidden or read-only */
  readonly openSystemPaths: boolean;
}

/**
 * What this machine has no part of (AppArmor, SELinux) may be switched off. Fails with INVALID_SECURITY_OPTION and INVALID_SECCOMP_PROFILE
 * (invalid_argument).
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let seccomp: SecurityOptions["seccomp"] = "default";
  let noNewPrivileges = false;
  let openSystemPaths = false;
  for (const option of options) {
    const [, name = option, value] = /^([^=:]+)[=:]([^]*)$/.exec(option) ?? [];
    const flag = name === "no-new-privileges" ? (value === undefined ? true : booleanFromText(value)) : undefined;
    if (flag !== undefined) noNewPrivileges = flag;
    else if (name === "seccomp" && value !== undefined) seccomp = seccompFrom(value);
    else if (name === "systempaths" && value === "unconfined") openSystemPaths = true;
    else if (!(name === "apparmor" && value === "unconfined") && !(name === "label" && value === "disable")) {
      throw new SlipwayError(
        "invalid_argument",
        "INVALID_SECURITY_OPTION",
        printable(`invalid --security-opt${name === "no-new-privileges" ? " 2" : ""}: "${option}"`),
      );
    }
  }
  return { seccomp, noNewPrivileges, openSystemPaths };
}

function seccompFrom(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return value;
  if (value === "builtin" || value === "default") return "default";
  checkSeccompProfile(value);
  return { profile: value };
}
