/** `build`: progress on standard error, the image's id on standard output with -q. */
import { rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { isSlipwayError } from "../../base/errors.ts";
import type { BuildOptions, BuildResult, SlipwayApi } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler, Invocation } from "../command.ts";
import { cliError } from "../failure.ts";
import { chooseMode, createRenderer, isProgressMode } from "../progress/create-renderer.ts";
import type { ProgressMode } from "../progress/create-renderer.ts";
import { checkOutputPath, fileError } from "./archive-file.ts";
import { buildOptionsFrom } from "./build-options.ts";
import { formatCheck } from "./check.ts";

function methodOf({ flags }: Invocation): "build" | "check" {
  const call = flags.bool("check") ? "check" : (flags.string("call").split(",")[0] ?? "");
  if (call === "check" || call === "lint") return "check";
  if (call === "build" || call === "") return "build";
  throw cliError(`failed to solve: unsupported request frontend.${call}: "build" and "check" are there`);
}

/** The step's place in the Dockerfile, where the engine names it; below the display, above the ERROR line. */
function writeExcerpt(cli: Cli, error: unknown): void {
  const excerpt = isSlipwayError(error) && error.kind !== "canceled" ? error.details["excerpt"] : undefined;
  if (typeof excerpt === "string" && excerpt !== "") cli.stderr.write(excerpt.endsWith("\n") ? excerpt : `${excerpt}\n`);
}

async function buildShown(cli: Cli, engine: SlipwayApi, options: BuildOptions, mode: ProgressMode, expandWarnings: boolean): Promise<BuildResult> {
  const renderer = await createRenderer({ mode, cli, expandWarnings });
  try {
    const task = engine.build(options);
    // thrown below, after the last event
    task.result.catch(() => undefined);
    for await (const event of task) renderer.push(event);
    return await task.result;
  } catch (error) {
    renderer.finish();
    writeExcerpt(cli, error);
    throw error;
  } finally {
    renderer.finish();
  }
}

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
  const write = (path: string, text: string): void => {
    try {
      writeFileSync(resolve(cli.cwd, path), text);
    } catch (error) {
      throw fileError("open", path, error, "OUTPUT_FILE");
    }
  };
  if (files.iidFile !== "" && result.imageId !== undefined) write(files.iidFile, result.imageId);
  if (files.metadataFile !== "") write(files.metadataFile, JSON.stringify(result.metadata, null, 2));
}

async function runCheck(cli: Cli, engine: SlipwayApi, options: BuildOptions): Promise<number> {
  try {
    const result = await engine.check(options);
    cli.stdout.write(formatCheck(result));
    return result.warnings.length > 0 ? 1 : 0;
  } catch (error) {
    writeExcerpt(cli, error);
    throw error;
  }
}

export const runBuild: Handler = async (cli, invocation) => {
  const { flags } = invocation;
  const progress = flags.string("progress");
  if (!isProgressMode(progress)) throw cliError(`invalid progress mode ${progress}`, "USAGE", { plain: true });
  const quiet = flags.bool("quiet");
  const mode = chooseMode(progress, quiet, cli);
  const method = methodOf(invocation);
  const options = await buildOptionsFrom(cli, invocation);
  const files = { iidFile: flags.string("iidfile"), metadataFile: flags.string("metadata-file") };
  await prepareFiles(cli, files);
  const engine = await cli.open();
  if (method === "check") return runCheck(cli, engine, options);
  const result = await buildShown(cli, engine, options, mode, cli.debug || flags.bool("debug"));
  writeFiles(cli, files, result);
  if ((quiet || progress === "quiet") && result.imageId !== undefined) cli.stdout.write(`${result.imageId}\n`);
  return 0;
};
