/** `run` and `create`. */
import { asSlipwayError, isSlipwayError } from "../../base/errors.ts";
import type { RunOptions, SlipwayApi } from "../../engine/api.ts";
import type { PullEvent } from "../../engine/registry-api.ts";
import { printable } from "../../base/printable.ts";
import { familiarName, formatPlatform, hostPlatform, parseReference, platformDistance, withDefaultTag, type Platform } from "../../oci/index.ts";
import type { Cli } from "../cli.ts";
import type { Handler, Invocation } from "../command.ts";
import { parseDetachKeys } from "../detach-keys.ts";
import { cliError } from "../failure.ts";
import { checkTerminal, withAttached } from "./attach.ts";
import { openIdFile, type IdFile } from "./id-file.ts";
import { createPullDisplay } from "./pull-display.ts";
import { runOptionsFrom } from "./run-options.ts";

/** The id of an image or of a build's step, as builder du prints it; such a word is never pulled. */
const idPattern = /^(?:sha256:)?[0-9a-f]{12,64}\*?$/;

/** Docker's first line of a pull that a run needs, and its warning about an image for other machines. */
function announceImage(cli: Cli, engine: SlipwayApi, options: RunOptions, quiet: boolean): void {
  if (options.pull === "always") return;
  const { image, platform } = options;
  try {
    const { Os: os, Architecture: architecture, Variant: variant } = engine.images.inspect(image, platform === undefined ? {} : { platform });
    if (platform === undefined) warnOfPlatform(cli, { os, architecture, ...(variant === undefined ? {} : { variant }) });
  } catch (error) {
    // a build's step is no image; whoever makes the container says what is wrong with the word
    if (idPattern.test(image) || isSlipwayError(error, "INVALID_IMAGE_NAME")) return;
    if (asSlipwayError(error).kind !== "not_found") throw error;
    if (options.pull !== "missing" || quiet) return;
    cli.stderr.write(`Unable to find image '${familiarName(withDefaultTag(parseReference(image)))}' locally\n`);
  }
}

function warnOfPlatform(cli: Cli, image: Platform): void {
  const host = hostPlatform();
  if (platformDistance(host, image) !== undefined) return;
  const said = printable(formatPlatform(image));
  cli.stderr.write(
    `WARNING: The requested image's platform (${said}) does not match the detected host platform (${formatPlatform(host)}) and no specific platform was requested\n`,
  );
}

function pullListener(cli: Cli, quiet: boolean): (event: PullEvent) => void {
  const display = createPullDisplay(cli.stderr);
  return (event) => (quiet ? undefined : display.push(event));
}

interface AttachChoice {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

function attachChoice({ flags }: Invocation): AttachChoice {
  const words = flags.list("attach").map((word) => word.toLowerCase());
  const unknown = words.find((word) => !["stdin", "stdout", "stderr"].includes(word));
  if (unknown !== undefined)
    throw cliError(`invalid argument ${JSON.stringify(unknown)} for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR`, "UNKNOWN_FLAG");
  if (words.length === 0) return { stdin: flags.bool("interactive"), stdout: true, stderr: true };
  return { stdin: words.includes("stdin") && flags.bool("interactive"), stdout: words.includes("stdout"), stderr: words.includes("stderr") };
}

async function runDetached(cli: Cli, engine: SlipwayApi, options: RunOptions, invocation: Invocation, idFile: IdFile): Promise<number> {
  const id = await engine.containers.create(options, pullListener(cli, invocation.flags.bool("quiet")));
  idFile.write(id);
  try {
    await engine.containers.start(id);
  } catch (error) {
    if (options.remove === true) await engine.containers.remove(id, { force: true, volumes: true });
    throw error;
  } finally {
    // as Docker does: a container that would not start can still be looked at
    cli.stdout.write(`${id}\n`);
  }
  return 0;
}

async function runAttached(cli: Cli, engine: SlipwayApi, options: RunOptions, invocation: Invocation, idFile: IdFile): Promise<number> {
  const { flags } = invocation;
  const choice = attachChoice(invocation);
  const attach = {
    tty: flags.bool("tty"),
    interactive: choice.stdin,
    stdout: choice.stdout,
    stderr: choice.stderr,
    signalProxy: flags.bool("sig-proxy"),
    detachKeys: parseDetachKeys(flags.optional("detach-keys")),
    onCreated: (id: string) => idFile.write(id),
  };
  const { exitCode } = await withAttached(cli, engine, attach, (streams) => engine.containers.run(options, streams, pullListener(cli, flags.bool("quiet"))));
  return exitCode ?? 0;
}

export const runRun: Handler = async (cli, invocation) => {
  const { flags } = invocation;
  const detach = flags.bool("detach");
  if (detach && flags.list("attach").length > 0)
    throw cliError("conflicting options: cannot specify both --attach and --detach", "USAGE", { bare: true, exitCode: 1 });
  const options = runOptionsFrom(cli, invocation);
  if (!detach) checkTerminal(cli, { tty: flags.bool("tty"), interactive: flags.bool("interactive") });
  using idFile = openIdFile(cli, flags.string("cidfile"));
  const engine = await cli.open();
  announceImage(cli, engine, options, flags.bool("quiet"));
  return await (detach ? runDetached : runAttached)(cli, engine, options, invocation, idFile);
};

export const runCreate: Handler = async (cli, invocation) => {
  const { flags } = invocation;
  const options = runOptionsFrom(cli, invocation);
  using idFile = openIdFile(cli, flags.string("cidfile"));
  const engine = await cli.open();
  announceImage(cli, engine, options, flags.bool("quiet"));
  const id = await engine.containers.create(options, pullListener(cli, flags.bool("quiet")));
  idFile.write(id);
  cli.stdout.write(`${id}\n`);
  return 0;
};
