/** Where keys are read from: files, and variables of the environment in cosign's words (env://NAME). */
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import { readSmallFile } from "./small-file.ts";

const elsewhere = /^([a-z0-9+.-]+):\/\//u;

/** Fails with USAGE for keys that are kept elsewhere, INPUT_FILE (invalid_argument) where there is none. */
export function readKeyFile(cli: Cli, name: string): string {
  const scheme = elsewhere.exec(name)?.[1];
  if (scheme === undefined) return readSmallFile(cli, name);
  if (scheme !== "env") throw cliError(`${name}: keys are read from files and, as env://NAME, from variables: those of ${scheme}:// have to be exported first`);
  const variable = name.slice("env://".length);
  const value = cli.env[variable];
  if (value === undefined || value === "") throw cliError(`${name}: there is no variable ${variable}`, "INPUT_FILE");
  return value;
}
