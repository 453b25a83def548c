/** `save`: images as one tar archive, in a file or on standard output, never on a terminal. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { checkOutputPath, writeOutputFile, writeToStdout } from "./archive-file.ts";
import { platformOption } from "./platform-flag.ts";

export const runSave: Handler = async (cli, { flags, args }) => {
  const output = flags.string("output");
  if (output === "" && cli.stdout.isTTY) throw cliError("cowardly refusing to save to a terminal. Use the -o flag or redirect", "NOT_A_TERMINAL");
  const path = resolve(cli.cwd, output);
  if (output !== "") {
    await checkOutputPath(path, "failed to save image: ");
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw cliError("failed to save image: cannot write to a directory", "OUTPUT_FILE");
  }
  const platform = platformOption(flags, "invalid platform: ");
  const engine = await cli.open();
  const chunks = engine.images.save(args, { signal: cli.signal, ...platform });
  if (output === "") await writeToStdout(cli, chunks);
  else await writeOutputFile(path, chunks, cli.signal);
  return 0;
};
