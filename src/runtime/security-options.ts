/** `--security-opt`. Pure. */
import { SlipwayError } from "../base/errors.ts";
import { printable } from "../base/printable.ts";

/** What this machine has no part of (AppArmor, SELinux) may be switched off. INVALID_SECURITY_OPTION (invalid_argument) otherwise. */
export function parseSecurityOptions(options: readonly string[]): { readonly seccomp: "default" | "unconfined"; readonly noNewPrivileges: boolean } {
  let seccomp: "default" | "unconfined" = "default";
  let noNewPrivileges = false;
  for (const option of options) {
    if (/^seccomp[=:]unconfined$/.test(option)) seccomp = "unconfined";
    else if (/^no-new-privileges([=:]true)?$/.test(option)) noNewPrivileges = true;
    else if (!/^(seccomp[=:](builtin|default)|no-new-privileges[=:]false|apparmor[=:]unconfined|label[=:]disable)$/.test(option)) {
      throw new SlipwayError("invalid_argument", "INVALID_SECURITY_OPTION", printable(`invalid --security-opt: "${option}"`));
    }
  }
  return { seccomp, noNewPrivileges };
}
