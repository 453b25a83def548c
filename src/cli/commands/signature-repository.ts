/** Where signatures are kept, if not in the image's own repository: in our words or in cosign's variable. */
import type { Cli } from "../cli.ts";
import type { ParsedFlags } from "../flags.ts";

export function signatureRepository(cli: Cli, flags: ParsedFlags): { readonly signatureRepository?: string } {
  const name = flags.optional("signature-repository") ?? (cli.env["COSIGN_REPOSITORY"] || undefined);
  return name === undefined ? {} : { signatureRepository: name };
}
