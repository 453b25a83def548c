/** The program: `slipway [OPTIONS] COMMAND`. Everything that a command needs beyond its flags is loaded when it runs. */
import { commandTable } from "./definitions/index.ts";
import { renderFailure } from "./failure.ts";
import { createProcessCli } from "./process-cli.ts";
import { parseGlobals, runWords } from "./run-command.ts";
import type { GlobalOptions } from "./run-command.ts";
import { openOutput, packageVersion } from "./standard-streams.ts";

function readGlobals(argv: readonly string[]): GlobalOptions | number {
  try {
    return parseGlobals(commandTable.globals, argv);
  } catch (error) {
    const failure = renderFailure(error, { command: undefined, path: "", debug: false });
    openOutput(2).write(failure.text);
    return failure.exitCode;
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const globals = readGlobals(argv);
  if (typeof globals === "number") return globals;
  if (globals.version) {
    openOutput(1).write(`Slipway version ${packageVersion()}\n`);
    return 0;
  }
  const cli = createProcessCli(globals);
  let code = 1;
  try {
    code = await runWords(commandTable, cli, globals);
  } finally {
    await cli.close().catch((error: unknown) => {
      // after a failure that was told, what closing fails with is its echo
      if (code === 0) throw error;
    });
  }
  return code;
}

/** What nobody caught: a mistake of ours, told in one line; the stack with --debug. */
function endUnexpectedly(error: unknown): never {
  const debug = process.argv.some((word) => word === "-D" || word === "--debug");
  openOutput(2).write(renderFailure(error, { command: undefined, path: "", debug }).text);
  process.exit(1);
}

process.on("uncaughtException", endUnexpectedly);
process.on("unhandledRejection", endUnexpectedly);
process.exit(await main(process.argv.slice(2)));
