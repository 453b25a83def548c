/** `cat`: files of images on standard output. */
import type { Handler } from "../command.ts";
import { writeToStdout } from "./archive-file.ts";
import { imagePath } from "./image-path.ts";
import { platformOption } from "./platform-flag.ts";

export const runCat: Handler = async (cli, { flags, args }) => {
  const files = args.map((word) => imagePath(word));
  const platform = platformOption(flags);
  const engine = await cli.open();
  for (const { image, path } of files)
    await writeToStdout(cli, engine.transfer.readFile(image, path, { cwd: cli.cwd, env: cli.env, signal: cli.signal, ...platform }));
  return 0;
};
