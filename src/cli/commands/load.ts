/** `load`: images out of a tar archive. */
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { openInputFile } from "./archive-file.ts";
import { platformOption } from "./platform-flag.ts";

export const runLoad: Handler = async (cli, { flags }) => {
  const input = flags.string("input");
  if (input === "" && cli.stdin.isTTY) throw cliError("requested load from stdin, but stdin is empty", "NOT_A_TERMINAL");
  const source = input === "" ? cli.stdin.chunks : await openInputFile(cli.cwd, input);
  const platform = platformOption(flags, "invalid platform: ");
  const engine = await cli.open();
  const { loaded } = await engine.images.load(source, { signal: cli.signal, ...platform }).result;
  for (const image of loaded) cli.stdout.write("name" in image ? `Loaded image: ${image.name}\n` : `Loaded image ID: ${image.id}\n`);
  return 0;
};
