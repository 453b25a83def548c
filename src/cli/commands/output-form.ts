/** `--output text|json` of commands that tell what they found. */
import { cliError } from "../failure.ts";
import type { ParsedFlags } from "../flags.ts";

export function outputForm(flags: ParsedFlags): "text" | "json" {
  const form = flags.string("output");
  if (form !== "text" && form !== "json") throw cliError(`unknown --output ${JSON.stringify(form)}: want text or json`);
  return form;
}
