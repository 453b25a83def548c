/** `pull`: Docker's lines while it runs, the name at the end. */
import { parseReference } from "../../oci/index.ts";
import type { Handler } from "../command.ts";
import { createPullDisplay } from "./pull-display.ts";
import { platformFrom } from "./default-platform.ts";

export const runPull: Handler = async (cli, { flags, args }) => {
  const name = args[0]!;
  const parsed = parseReference(name);
  const allTags = flags.bool("all-tags");
  const quiet = flags.bool("quiet");
  if (!quiet && !allTags && parsed.tag === undefined && parsed.digest === undefined) cli.stdout.write("Using default tag: latest\n");
  const engine = await cli.open();
  const platform = platformFrom(cli, flags);
  const task = engine.images.pull(name, { allTags, signal: cli.signal, ...(platform === undefined ? {} : { platform }) });
  // a failure is thrown by the result, after the lines before it are shown
  task.result.catch(() => undefined);
  const display = createPullDisplay(cli.stdout);
  const told = new Set<string>();
  if (!quiet) {
    for await (const event of task) {
      if (event.id === undefined) told.add(event.status);
      display.push(event);
    }
  }
  const { reference, digest, status } = await task.result;
  if (!quiet) {
    for (const line of [`Digest: ${digest}`, status.startsWith("Status: ") ? status : `Status: ${status}`]) if (!told.has(line)) cli.stdout.write(`${line}\n`);
  }
  cli.stdout.write(`${reference}\n`);
  return 0;
};
