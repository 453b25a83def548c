/** Flags that name files of public keys and certificates. */
import type { PublicKeySource } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { ParsedFlags } from "../flags.ts";
import { readKeyFile } from "./key-file.ts";

/** The public keys that `--key` names. */
export function keySources(cli: Cli, flags: ParsedFlags, flag = "key"): readonly PublicKeySource[] {
  return flags.list(flag).map((name) => ({ pem: readKeyFile(cli, name), name }));
}
