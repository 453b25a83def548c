/** Streams of bytes between the engine and files or the standard streams. */
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { errnoOf } from "../../base/errors.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EISDIR: "is a directory",
  ENOTDIR: "not a directory",
  ENOSPC: "no space left on device",
  EROFS: "read-only file system",
};

/** "open /x: no such file or directory", as Go's os package puts it. */
export function fileError(verb: string, path: string, error: unknown, code: "INPUT_FILE" | "OUTPUT_FILE"): Error {
  const errno = errnoOf(error) ?? "";
  return cliError(`${verb} ${path}: ${reasons[errno] ?? (error instanceof Error ? error.message : String(error))}`, code, { errno }, error);
}

/** Fails with INPUT_FILE, before the engine is asked for anything, when the file cannot be opened. */
export async function openInputFile(cwd: string, word: string): Promise<AsyncIterable<Uint8Array>> {
  const path = resolve(cwd, word);
  try {
    const handle = await open(path);
    const info = await handle.stat();
    if (info.isDirectory()) {
      await handle.close();
      throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
    }
    return createReadStream(path, { fd: handle.fd, autoClose: false, highWaterMark: 256 * 1024 }).on("close", () => void handle.close());
  } catch (error) {
    throw fileError("open", word, error, "INPUT_FILE");
  }
}

/**
 * Writes beside the file and renames at the end, so that a failure leaves what was there, as does the signal. Devices and pipes are
 * written as they are.
 */
export async function writeOutputFile(path: string, chunks: AsyncIterable<Uint8Array>, signal?: AbortSignal, mode = 0o600): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  const direct = existing !== undefined && !existing.isFile();
  const target = direct ? path : `${path}.slipway-${process.pid}`;
  let handle;
  try {
    handle = await open(target, direct ? "w" : "wx", mode);
  } catch (error) {
    throw fileError("open", path, error, "OUTPUT_FILE");
  }
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      await handle.writeFile(chunk);
    }
    if (!direct) await handle.sync();
    await handle.close();
    if (!direct) await rename(target, path);
  } catch (error) {
    await handle.close().catch(() => undefined);
    if (!direct) await rm(target, { force: true });
    throw error;
  }
}

/** Docker's check of `save -o`: the directory must be there. `what` begins the message. Fails with OUTPUT_FILE. */
export async function checkOutputPath(path: string, what: string): Promise<void> {
  const directory = dirname(path);
  try {
    await stat(directory);
  } catch (error) {
    throw cliError(
      `${what}invalid output path: ${fileError("stat", directory, error, "OUTPUT_FILE").message}`,
      "OUTPUT_FILE",
      what === "" ? { plain: true } : {},
      error,
    );
  }
}

export async function writeToStdout(cli: Cli, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) await cli.stdout.writeSlowly(chunk);
}
