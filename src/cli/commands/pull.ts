/** `pull`: Docker's lines while it runs, the name at the end. */
import { parseReference } from "../../oci/index.ts";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { showTransfer, transferMode } from "./pull-display.ts";
import { platformFrom } from "./default-platform.ts";

export const runPull: Handler = async (cli, { flags, args }) => {
  const name = args[0]!;
  const parsed = parseReference(name);
  const allTags = flags.bool("all-tags");
  const mode = transferMode(flags, cli.stdout);
  const text = mode === "tty" || mode === "plain";
  if (text && !allTags && parsed.tag === undefined && parsed.digest === undefined) cli.stdout.write("Using default tag: latest\n");
  const allPlatforms = flags.bool("all-platforms");
  if (allPlatforms && flags.string("platform") !== "")
    throw cliError("conflicting options: cannot specify both --platform and --all-platforms", "USAGE", { bare: true, exitCode: 1 });
  const engine = await cli.open();
  const platform = platformFrom(cli, flags);
  const task = engine.images.pull(name, { allTags, allPlatforms, signal: cli.signal, ...(platform === undefined ? {} : { platform }) });
  const told = new Set<string>();
  const { reference, digest, status } = await showTransfer(cli.stdout, mode, task, ({ id, status: line }) => {
    if (id === undefined) told.add(line);
  });
  if (text) {
    for (const line of [`Digest: ${digest}`, status.startsWith("Status: ") ? status : `Status: ${status}`]) if (!told.has(line)) cli.stdout.write(`${line}\n`);
  }
  if (mode !== "json") cli.stdout.write(`${reference}\n`);
  return 0;
};
