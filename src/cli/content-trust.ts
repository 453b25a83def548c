/** Docker's content trust is asked for by a variable, and kept by Notary's signatures, which are no more: who relies on it must not go without unawares. */
import { SlipwayError } from "../base/errors.ts";
import type { Cli } from "./cli.ts";
import type { Command } from "./command.ts";
import type { ParsedFlags } from "./flags.ts";

const commands: ReadonlySet<string> = new Set(["pull", "push", "run", "create"]);
const falsehoods: ReadonlySet<string> = new Set(["", "0", "f", "F", "false", "FALSE", "False"]);

/** As Docker: whatever is no falsehood asks for it, and names with a digest need none. Fails with CONTENT_TRUST (unsupported). */
export function refuseContentTrust({ env }: Pick<Cli, "env">, { paths }: Pick<Command, "paths">, flags: ParsedFlags, image: string): void {
  if (!paths.some((path) => commands.has(path)) || image.includes("@")) return;
  const isOff = flags.changed("disable-content-trust") ? flags.bool("disable-content-trust") : falsehoods.has(env["DOCKER_CONTENT_TRUST"] ?? "");
  if (isOff) return;
  throw new SlipwayError(
    "unsupported",
    "CONTENT_TRUST",
    "DOCKER_CONTENT_TRUST asks for Notary's signatures (docker trust), which are not read here, as Docker itself has given them up",
    {
      remedy: "slipway policy init demands signatures of cosign's and notation's kinds; --disable-content-trust or an unset variable goes on without",
      bare: true,
    },
  );
}
