/** /dev/net/tun, through which pasta gives a network namespace its interface: some machines let only root open it. */
import { closeSync, openSync } from "node:fs";
import { errnoOf, SlipwayError } from "../base/errors.ts";

export const tunDevice = "/dev/net/tun";

/** Undefined when it can be opened; otherwise why not, and what root runs to change that. */
export function tunProblem(): { readonly reason: string; readonly remedy: string } | undefined {
  try {
    closeSync(openSync(tunDevice, "r+"));
    return undefined;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "EACCES" || errno === "EPERM") return { reason: "permission denied", remedy: `chmod 0666 ${tunDevice}` };
    return { reason: errno === "ENOENT" ? "no such file or directory" : (errno ?? String(error)), remedy: "modprobe tun" };
  }
}

/** NETWORK_FAILED (unavailable) with details.remedy when no network can be made for want of the device. */
export function requireTunDevice(): void {
  const problem = tunProblem();
  if (problem === undefined) return;
  const message = `cannot open ${tunDevice}: ${problem.reason}; root makes it usable with: ${problem.remedy}`;
  throw new SlipwayError("unavailable", "NETWORK_FAILED", message, { remedy: problem.remedy, device: tunDevice });
}
