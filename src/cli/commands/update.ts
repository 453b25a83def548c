/** `update`: other limits and another restart policy. */
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { forEachWord } from "./each.ts";
import { limitsOf } from "./run-options.ts";

export const runUpdate: Handler = async (cli, { flags, args, command }) => {
  if (!command.flags.some(({ name }) => flags.changed(name)))
    throw cliError("you must provide one or more flags when using this command", "USAGE", { bare: true, exitCode: 1 });
  const restart = flags.optional("restart");
  const { containers } = await cli.open();
  const failed = await forEachWord(cli, args, async (name) => {
    await containers.update(name, { limits: limitsOf(flags), ...(restart === undefined || restart === "" ? {} : { restart }) });
    cli.stdout.write(`${name}\n`);
  });
  return failed.length > 0 ? 1 : 0;
};
