/** `import`: a tar archive of a file system becomes an image. */
import { printable } from "../../base/printable.ts";
import type { Handler } from "../command.ts";
import type { Cli } from "../cli.ts";
import { openInputFile } from "./archive-file.ts";
import { isHttpUrl } from "./build-words.ts";
import { platformFrom } from "./default-platform.ts";

async function sourceOf(cli: Cli, word: string): Promise<AsyncIterable<Uint8Array>> {
  if (word === "-") return cli.stdin.chunks;
  return openInputFile(cli.cwd, word);
}

export const runImport: Handler = async (cli, { flags, args }) => {
  const [word, reference] = args;
  const remote = isHttpUrl(word!);
  const source = remote ? { url: word! } : await sourceOf(cli, word!);
  const engine = await cli.open();
  if (remote) cli.stdout.write(`Downloading from ${printable(word!)}\n`);
  const message = flags.optional("message");
  const platform = platformFrom(cli, flags);
  const id = await engine.images.import(source, {
    changes: flags.list("change"),
    signal: cli.signal,
    ...(reference === undefined ? {} : { reference }),
    ...(message === undefined ? {} : { message }),
    ...(platform === undefined ? {} : { platform }),
  });
  cli.stdout.write(`${id}\n`);
  return 0;
};
