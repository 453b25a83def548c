/** Where an output's bytes go: standard output, a device or a pipe, or a file that appears whole or not at all. */
import { createWriteStream, existsSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { makeDirectories } from "../../base/make-directories.ts";
import { SlipwayError } from "../../base/errors.ts";
import { isSpecialFile } from "../../base/special-file.ts";
import { userMode } from "../../base/umask.ts";
import type { BuildOptions } from "../api.ts";

export function destinationRequired(type: string): SlipwayError {
  return new SlipwayError("invalid_argument", "DESTINATION_REQUIRED", `dest is required for ${type} output`, { type });
}

/** "-" is standard output. Fails with DESTINATION_REQUIRED where that is not to be had, or the path is a directory. */
export async function writeStream(source: AsyncIterable<Uint8Array>, dest: string, options: BuildOptions): Promise<void> {
  if (dest === "-") {
    if (options.stdout === undefined)
      throw new SlipwayError("invalid_argument", "DESTINATION_REQUIRED", "dest file is required when standard output is not available");
    for await (const chunk of source) await options.stdout(chunk);
    return;
  }
  if (existsSync(dest) && dest.endsWith("/"))
    throw new SlipwayError("invalid_argument", "DESTINATION_REQUIRED", `destination ${dest} is a directory`, { dest });
  const until = options.signal === undefined ? {} : { signal: options.signal };
  if (isSpecialFile(dest)) return await pipeline(source, createWriteStream(dest), until);
  makeDirectories(dirname(dest), userMode("directory"));
  const partial = `${dest}.partial-${process.pid}`;
  try {
    await pipeline(source, createWriteStream(partial, { mode: userMode("file") }), until);
    renameSync(partial, dest);
  } finally {
    rmSync(partial, { force: true });
  }
}
