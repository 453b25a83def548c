/** `import`: a tar archive of a file system becomes an image. */
import { resolve } from "node:path";
import type { Handler } from "../command.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import { openInputFile } from "./archive-file.ts";

async function sourceOf(cli: Cli, word: string): Promise<AsyncIterable<Uint8Array>> {
  if (word === "-") return cli.stdin.chunks;
  if (/^https?:\/\//.test(word)) {
    throw cliError(`importing from a URL is not there yet; use: curl -fsSL ${word} | slipway import -`, "USAGE");
  }
  return openInputFile(resolve(cli.cwd, word));
}

export const runImport: Handler = async (cli, { flags, args }) => {
  const [word, reference] = args;
  const source = await sourceOf(cli, word!);
  const engine = await cli.open();
  const message = flags.optional("message");
  const platform = flags.optional("platform");
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
