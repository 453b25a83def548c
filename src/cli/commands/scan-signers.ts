/** Whose attested statements `scan` asks for. */
import type { ScanOptions } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { ParsedFlags } from "../flags.ts";
import { identityOptions } from "./identity-options.ts";
import { keySources } from "./key-sources.ts";

export function vexSigners(cli: Cli, flags: ParsedFlags): Pick<ScanOptions, "vexKeys" | "vexIdentities"> {
  const vexIdentities = identityOptions(cli, flags, { identity: "vex-identity", issuer: "vex-issuer" });
  return { vexKeys: keySources(cli, flags, "vex-key"), ...(vexIdentities === undefined ? {} : { vexIdentities }) };
}
