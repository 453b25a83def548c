/** `cp`: files out of an image or a container, and into a container. A name that a container has is the container's. */
import { resolve } from "node:path";
import { isSlipwayError, SlipwayError } from "../../base/errors.ts";
import { printable } from "../../base/printable.ts";
import type { SlipwayApi } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler, Invocation } from "../command.ts";
import { cliError } from "../failure.ts";
import { formatSize } from "../units.ts";
import { writeToStdout } from "./archive-file.ts";
import { containerPath, type ContainerPath } from "./container-path.ts";
import { imagePath } from "./image-path.ts";
import { platformOption } from "./platform-flag.ts";

export const runCp: Handler = async (cli, invocation) => {
  const [source = "", destination = ""] = invocation.args;
  const [from, to] = [source === "-" ? undefined : containerPath(source), destination === "-" ? undefined : containerPath(destination)];
  if (from !== undefined && to !== undefined) throw plain("copying between containers is not supported");
  const engine = await cli.open();
  if (to !== undefined) return await copyInto(cli, engine, invocation, to);
  if (destination === "-" && cli.stdout.isTTY) throw cliError("cowardly refusing to write an archive to a terminal: redirect it", "NOT_A_TERMINAL");
  if (from !== undefined && (await isContainer(engine, from.container))) return await copyOut(cli, engine, invocation, from);
  if (from === undefined && !source.includes(":")) throw plain("must specify at least one container source");
  try {
    return await copyFromImage(cli, engine, invocation);
  } catch (error) {
    if (from === undefined || !isSlipwayError(error, "MANIFEST_NOT_FOUND")) throw error;
    throw new SlipwayError("not_found", "CONTAINER_NOT_FOUND", printable(`No such container: ${from.container}`), { container: from.container }, error);
  }
};

function plain(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "USAGE", message, { bare: true, exitCode: 1 });
}

async function isContainer(engine: SlipwayApi, name: string): Promise<boolean> {
  try {
    await engine.containers.inspect(name);
    return true;
  } catch (error) {
    if (isSlipwayError(error) && (error.kind === "not_found" || error.kind === "invalid_argument")) return false;
    throw error;
  }
}

/** Where it goes, a slash at its end kept: it says that a directory is meant. */
function localPath(cli: Cli, path: string): string {
  return resolve(cli.cwd, path) + (path.endsWith("/") && path !== "/" ? "/" : "");
}

function said({ flags }: Invocation): { readonly followLink: boolean; readonly archive: boolean } {
  return { followLink: flags.bool("follow-link"), archive: flags.bool("archive") };
}

function tell(cli: Cli, { flags }: Invocation, sizeBytes: number, place: string): void {
  if (!flags.bool("quiet") && cli.stdout.isTTY) cli.stderr.write(`Successfully copied ${formatSize(sizeBytes, 3)} to ${place}\n`);
}

async function copyOut(cli: Cli, engine: SlipwayApi, invocation: Invocation, { container, path }: ContainerPath): Promise<number> {
  const destination = invocation.args[1]!;
  if (destination === "-") {
    await writeToStdout(cli, engine.containers.archive(container, path, said(invocation)));
    return 0;
  }
  const { sizeBytes } = await engine.containers.copyOut(container, path, localPath(cli, destination), { ...said(invocation), signal: cli.signal });
  tell(cli, invocation, sizeBytes, resolve(cli.cwd, destination));
  return 0;
}

async function copyInto(cli: Cli, engine: SlipwayApi, invocation: Invocation, { container, path }: ContainerPath): Promise<number> {
  const source = invocation.args[0]!;
  const contents = /(?:^|\/)\.$/.test(source) ? "/." : "";
  const given = source === "-" ? cli.stdin.chunks : `${resolve(cli.cwd, source)}${contents}`;
  const { sizeBytes } = await engine.containers.copyInto(container, given, path, { ...said(invocation), signal: cli.signal });
  if (source === "-") cli.stdin.close();
  tell(cli, invocation, sizeBytes, `${container}:${path}`);
  return 0;
}

async function copyFromImage(cli: Cli, engine: SlipwayApi, invocation: Invocation): Promise<number> {
  const { flags, args } = invocation;
  const { image, path } = imagePath(args[0]!);
  const destination = args[1]!;
  const options = { followLink: flags.bool("follow-link"), cwd: cli.cwd, env: cli.env, signal: cli.signal, ...platformOption(flags) };
  if (destination === "-") {
    await writeToStdout(cli, engine.transfer.archivePath(image, path, options));
    return 0;
  }
  const { sizeBytes } = await engine.transfer.copyPath(image, path, localPath(cli, destination), { ...options, keepOwners: flags.bool("archive") });
  tell(cli, invocation, sizeBytes, resolve(cli.cwd, destination));
  return 0;
}
