/** `cp`: files out of an image. Words that begin with a container's name are the container's. */
import { resolve } from "node:path";
import type { Handler } from "../command.ts";
import { cliError } from "../failure.ts";
import { formatSize } from "../units.ts";
import { writeToStdout } from "./archive-file.ts";
import { imagePath, refuseContainer } from "./image-path.ts";
import { platformOption } from "./platform-flag.ts";

export const runCp: Handler = async (cli, { flags, args }) => {
  const { image, path } = imagePath(args[0]!);
  const destination = args[1]!;
  if (destination === "-" && cli.stdout.isTTY) throw cliError("cowardly refusing to write an archive to a terminal: redirect it", "NOT_A_TERMINAL");
  const options = { followLink: flags.bool("follow-link"), cwd: cli.cwd, env: cli.env, signal: cli.signal, ...platformOption(flags) };
  const engine = await cli.open();
  await refuseContainer(engine, image, "name the image with store:NAME or docker://NAME");
  if (destination === "-") {
    await writeToStdout(cli, engine.transfer.archivePath(image, path, options));
    return 0;
  }
  const target = resolve(cli.cwd, destination) + (destination.endsWith("/") ? "/" : "");
  const { sizeBytes } = await engine.transfer.copyPath(image, path, target, { ...options, keepOwners: flags.bool("archive") });
  if (!flags.bool("quiet") && cli.stdout.isTTY) cli.stderr.write(`Successfully copied ${formatSize(sizeBytes, 3)} to ${resolve(cli.cwd, destination)}\n`);
  return 0;
};
