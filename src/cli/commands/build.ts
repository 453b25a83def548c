/** `build`: progress on standard error, the image's id on standard output with -q. */
import { rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { userMode } from "../../base/umask.ts";
import type { BuildResult } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { chooseMode } from "../progress/create-renderer.ts";
import { checkOutputPath, fileError, writeOutputFile } from "./archive-file.ts";
import { buildOptionsFrom } from "./build-options.ts";
import { callFrom, dockerfileShownAs, runCall } from "./call.ts";
import { checkBuilder } from "./builder-flag.ts";
import { showTask } from "./show-task.ts";

interface ResultFiles {
  readonly iidFile: string;
  readonly metadataFile: string;
}

/** A stale id must not survive a build that fails. */
async function prepareFiles(cli: Cli, files: ResultFiles): Promise<void> {
  if (files.iidFile !== "") rmSync(resolve(cli.cwd, files.iidFile), { force: true });
  if (files.metadataFile !== "") await checkOutputPath(resolve(cli.cwd, files.metadataFile), "");
}

function writeFiles(cli: Cli, files: ResultFiles, result: BuildResult): void {
  const write = (path: string, text: string, what: string): void => {
    try {
      writeFileSync(resolve(cli.cwd, path), text, { mode: userMode("file") });
    } catch (error) {
      throw cliError(`${what}${fileError("open", path, error, "OUTPUT_FILE").message}`, "OUTPUT_FILE", { plain: true }, error);
    }
  };
  if (files.iidFile !== "" && result.imageId !== undefined) write(files.iidFile, result.imageId, "writing image ID file: ");
  if (files.metadataFile !== "") write(files.metadataFile, JSON.stringify(result.metadata, null, 2), "");
}

/** Throws what the build failed with. */
async function saveFailure(cli: Cli, error: unknown, file: string): Promise<never> {
  if (file === "") throw error;
  const { isStepFailedError } = await import("../../engine/index.ts");
  if (!isStepFailedError(error)) throw error;
  await writeOutputFile(resolve(cli.cwd, file), error.failure.save());
  cli.stderr.write(`The failed step is saved: slipway debug ${file} opens it on any machine\n`);
  throw error;
}

export const runBuild: Handler = async (cli, invocation) => {
  const { flags } = invocation;
  const progress = flags.string("progress");
  const quiet = flags.bool("quiet");
  const mode = chooseMode(progress, quiet, cli);
  const call = callFrom(flags);
  const options = await buildOptionsFrom(cli, invocation);
  const files = { iidFile: flags.string("iidfile"), metadataFile: flags.string("metadata-file") };
  const isSigning = ["sign", "key", "keyless"].some((name) => flags.changed(name));
  const sign = isSigning ? await (await import("./sign-built.ts")).signBuilt(cli, flags, options, quiet || progress === "quiet") : undefined;
  await prepareFiles(cli, files);
  const engine = await cli.open();
  checkBuilder(cli, engine, flags.optional("builder"));
  const display = { mode, expandWarnings: cli.debug || flags.bool("debug") };
  if (call !== undefined) {
    const shownAs = dockerfileShownAs(invocation);
    return await runCall(cli, engine, call, { ...options, ...(shownAs === undefined ? {} : { shownAs }) }, display);
  }
  const saveFailed = flags.string("save-failed");
  if (saveFailed !== "") await checkOutputPath(resolve(cli.cwd, saveFailed), "");
  const result = await showTask(cli, engine.build(options), display).catch((error: unknown) => saveFailure(cli, error, saveFailed));
  await sign?.(engine, result);
  if ((quiet || progress === "quiet") && result.imageId !== undefined) cli.stdout.write(`${result.imageId}\n`);
  writeFiles(cli, files, result);
  return 0;
};
