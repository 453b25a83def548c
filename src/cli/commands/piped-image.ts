/** `-` in the place of an image: an archive or a bill on standard input, kept in a file for as long as it is looked into. */
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";

/** `work` is given the word itself where it is another. Fails with NOT_A_TERMINAL, INPUT_FILE (invalid_argument). */
export async function withPipedImage<T>(cli: Cli, word: string, takesBills: boolean, work: (place: string) => Promise<T>): Promise<T> {
  if (word !== "-") return await work(word);
  if (cli.stdin.isTTY) throw cliError("standard input is a terminal: want an image's archive on it, as of slipway save", "NOT_A_TERMINAL");
  const directory = mkdtempSync(join(tmpdir(), "slipway-piped-"));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const forget = cli.onExit(remove);
  try {
    const file = join(directory, "stdin.tar");
    const isJson = await keep(cli, file);
    if (isJson && !takesBills) throw cliError("standard input holds JSON and no image's archive; slipway scan - reads bills", "INPUT_FILE");
    return await work(isJson ? `sbom:${file}` : file);
  } finally {
    forget();
    remove();
  }
}

/** Whether it is JSON; an archive begins with a name or with a compression's mark. Fails with INPUT_FILE where nothing comes. */
async function keep(cli: Cli, file: string): Promise<boolean> {
  await using handle = await open(file, "wx", 0o600);
  let first: number | undefined;
  for await (const chunk of cli.stdin.chunks) {
    cli.signal.throwIfAborted();
    first ??= chunk.find((byte) => byte > 0x20);
    await handle.writeFile(chunk);
  }
  if (first === undefined) throw cliError("standard input is empty: want an image's archive on it, as of slipway save", "INPUT_FILE");
  return first === 0x7b;
}
