/** `lock`: one line for each name that came, went or moved; --check by exit code. */
import { resolve } from "node:path";
import { printable } from "../../base/printable.ts";
import type { DockerfileSource, LockChange, LockOptions, LockResult } from "../../engine/api.ts";
import type { Cli } from "../cli.ts";
import type { Handler, Invocation } from "../command.ts";
import { cliError } from "../failure.ts";
import { formatJsonLine } from "../json.ts";
import { chooseMode } from "../progress/create-renderer.ts";
import { sbomsAsked } from "./attest-words.ts";
import { contextFrom, dockerfileFrom, platformsFrom } from "./build-options.ts";
import { parseBuildArgs, parseBuildContexts } from "./build-words.ts";
import { showTask } from "./show-task.ts";
import { outputForm } from "./output-form.ts";

async function lockOptions(cli: Cli, { flags, args: [path = "", ...names] }: Pick<Invocation, "flags" | "args">): Promise<LockOptions> {
  const context = contextFrom(cli, path);
  const dockerfiles: DockerfileSource[] = [];
  for (const file of flags.list("file")) {
    const source = await dockerfileFrom(cli, file, context);
    if (source !== undefined) dockerfiles.push(source);
  }
  if (names.length > 0 && !flags.bool("update")) throw cliError("names say what --update asks for again: it is missing");
  const lockFile = flags.optional("lockfile");
  const target = flags.string("target");
  const platforms = platformsFrom(cli, flags);
  return {
    context,
    dockerfiles,
    buildArgs: parseBuildArgs(cli, flags.list("build-arg")),
    buildContexts: parseBuildContexts(cli, flags.list("build-context")),
    attestations: sbomsAsked(flags),
    update: names.length > 0 ? names : flags.bool("update"),
    keep: flags.bool("keep"),
    check: flags.bool("check"),
    ...(flags.changed("builtin-syntax") ? { builtinSyntax: flags.bool("builtin-syntax") } : {}),
    signal: cli.signal,
    ...(lockFile === undefined ? {} : { lockFile: resolve(cli.cwd, lockFile) }),
    ...(target === "" ? {} : { target }),
    ...(platforms.length === 0 ? {} : { platforms }),
  };
}

function changeText(change: LockChange): string {
  switch (change.change) {
    case "added":
      return `+ ${change.name} ${change.value}\n`;
    case "removed":
      return `- ${change.name} ${change.value}\n`;
    case "updated":
      return `~ ${change.name} ${change.before} → ${change.value}\n`;
    case "kept":
      return "";
  }
}

function textOf({ path, changes, isCurrent }: LockResult, isCheck: boolean): string {
  const kept = changes.filter(({ change }) => change !== "removed").length;
  const pinned = `${path}: ${kept} pinned`;
  const end = isCurrent ? `${pinned}, up to date` : isCheck ? `${path} is not up to date: slipway lock writes it anew` : pinned;
  return `${changes.map(changeText).join("")}${end}\n`;
}

export const runLock: Handler = async (cli, invocation) => {
  const { flags } = invocation;
  const form = outputForm(flags);
  const quiet = flags.bool("quiet");
  const options = await lockOptions(cli, invocation);
  const engine = await cli.open();
  const mode = chooseMode(flags.string("progress"), quiet, cli);
  const result = await showTask(cli, engine.lock(options), { mode, expandWarnings: false });
  const isCheck = options.check === true;
  if (form === "json") cli.stdout.write(`${formatJsonLine(result)}\n`);
  else if (!quiet) cli.stdout.write(printable(textOf(result, isCheck)));
  return isCheck && !result.isCurrent ? 1 : 0;
};
