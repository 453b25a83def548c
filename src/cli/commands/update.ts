/** `update`: other limits and another restart policy. */
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { forEachWord } from "./each.ts";
import { limitsOf } from "./run-options.ts";

export const runUpdate: Handler = async (cli, { flags, args, command }) => {
  if (!command.flags.some(({ name }) => flags.changed(name)))
    throw cliError("you must provide one or more flags when using this command", "USAGE", { bare: true, exitCode: 1 });
  const restart = flags.optional("restart");
  const weight = flags.number("blkio-weight") ?? 0;
  const warnings: string[] = [];
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    const limits = { ...limitsOf(flags), ...(weight === 0 ? {} : { block: { weight } }) };
    const told = await containers.update(name, { limits, ...(restart === undefined || restart === "" ? {} : { restart }) });
    cli.stdout.write(`${name}\n`);
    warnings.push(...told);
  });
  cli.stdout.write(warnings.map((warning) => `${warning}\n`).join(""));
  return failed.length > 0 ? 1 : 0;
};
