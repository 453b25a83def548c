/** `--platform` of the commands about images and containers, refused as Docker's client does: before anything is asked. */
import { asSlipwayError, type ErrorDetails } from "../../base/errors.ts";
import { parsePlatform } from "../../oci/index.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";

/** `said` stands before the reason. Fails with USAGE. */
export function platformOption(flags: ParsedFlags, said = "", details: ErrorDetails = {}): { readonly platform?: string } {
  const platform = flags.optional("platform");
  if (platform === undefined || platform === "") return {};
  checkPlatform(platform, said, details);
  return { platform };
}

/** Fails with USAGE. */
export function checkPlatform(platform: string, said = "", details: ErrorDetails = {}): void {
  try {
    parsePlatform(platform);
  } catch (error) {
    throw cliError(`${said}${asSlipwayError(error).message}`, "USAGE", details, error);
  }
}
