/** `export`: a container's file system as a tar archive. */
import { resolve } from "node:path";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { checkOutputPath, writeOutputFile, writeToStdout } from "./archive-file.ts";

export const runExport: Handler = async (cli, { flags, args }) => {
  const output = flags.string("output");
  if (output === "" && cli.stdout.isTTY) throw cliError("cowardly refusing to save to a terminal. Use the -o flag or redirect", "NOT_A_TERMINAL");
  const path = resolve(cli.cwd, output);
  if (output !== "") await checkOutputPath(path, "failed to export container: ");
  const engine = await cli.open();
  // asked first, so that a container that is not there leaves no file
  await engine.containers.inspect(args[0]!);
  const chunks = engine.containers.export(args[0]!);
  if (output === "") await writeToStdout(cli, chunks);
  else await writeOutputFile(path, chunks, cli.signal);
  return 0;
};
