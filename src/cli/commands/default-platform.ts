/** `--platform` of the commands that make or fetch one image for it; the environment's word counts where the flag is not given. */
import type { Cli } from "../cli.ts";
import type { ParsedFlags } from "../flags.ts";

export function defaultPlatform(cli: Cli): string | undefined {
  const word = cli.env["DOCKER_DEFAULT_PLATFORM"] ?? "";
  return word === "" ? undefined : word;
}

export function platformFrom(cli: Cli, flags: ParsedFlags): string | undefined {
  return flags.optional("platform") ?? defaultPlatform(cli);
}
