/** `--security-opt`, as Docker's client hands it on: a seccomp profile is read here and travels as its text. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";
import { fileError } from "./archive-file.ts";

const ownSeccomp: readonly string[] = ["unconfined", "builtin", "default"];

/** Fails with USAGE, and with INPUT_FILE for a profile that cannot be read. */
export function securityOptions(cli: Cli, flags: ParsedFlags): readonly string[] {
  return flags.list("security-opt").map((option) => {
    const [, name = option, value = ""] = /^([^=:]+)[=:]([^]*)$/.exec(option) ?? [];
    if (value === "" && option !== "no-new-privileges") throw cliError(`Invalid --security-opt: ${JSON.stringify(option)}`);
    return name === "seccomp" && !ownSeccomp.includes(value) ? `seccomp=${profileText(cli, value)}` : option;
  });
}

function profileText(cli: Cli, file: string): string {
  let text: string;
  try {
    text = readFileSync(resolve(cli.cwd, file), "utf8");
  } catch (error) {
    throw cliError(`opening seccomp profile (${file}) failed: ${fileError("open", file, error, "INPUT_FILE").message}`, "INPUT_FILE", {}, error);
  }
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    throw cliError(`compacting json for seccomp profile (${file}) failed: ${error instanceof Error ? error.message : ""}`, "INPUT_FILE", {}, error);
  }
}
