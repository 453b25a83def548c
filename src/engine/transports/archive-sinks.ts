/** Where the bytes of an archive go: a device or a pipe, a file that appears whole or not at all, or a reader of a stream. */
import { once } from "node:events";
import { open, rename, rm } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { asSlipwayError } from "../../base/errors.ts";
import { isSpecialFile } from "../../base/special-file.ts";
import { userMode } from "../../base/umask.ts";
import type { ArchiveSink } from "./archive-target.ts";

/** Fails with the codes of the file system. */
export async function fileSink(path: string): Promise<ArchiveSink> {
  const isSpecial = isSpecialFile(path);
  const partial = isSpecial ? path : `${path}.partial-${process.pid}`;
  const file = await open(partial, "w", userMode("file")).catch((error: unknown) => {
    throw asSlipwayError(error, "unavailable", "EXPORT_FAILED");
  });
  let complete = false;
  return {
    write: async (bytes) => await file.writeFile(bytes),
    finish: async () => {
      if (!isSpecial) {
        await file.sync();
        await rename(partial, path);
      }
      complete = true;
    },
    dispose: async () => {
      await file.close();
      if (!complete && !isSpecial) await rm(partial, { force: true });
    },
  };
}

/** The archive goes to `read` while it is written; `finish` waits until that has ended, and whatever it fails with is what writing fails with. */
export function streamSink(read: (archive: AsyncIterable<Uint8Array>) => Promise<void>): ArchiveSink {
  const stream = new PassThrough({ highWaterMark: 1024 * 1024 });
  stream.on("error", () => {});
  const reading = read(stream).then(
    () => stream.resume(),
    (error: unknown) => {
      stream.destroy();
      throw error;
    },
  );
  reading.catch(() => {});
  let ended = false;
  return {
    write: async (bytes) => {
      if (stream.destroyed) await reading;
      if (!stream.write(Buffer.from(bytes))) await Promise.race([once(stream, "drain"), once(stream, "close")]);
    },
    finish: async () => {
      ended = true;
      stream.end();
      await reading;
    },
    dispose: async () => {
      if (!ended) stream.destroy(new Error("the copy ended early"));
      await reading.catch(() => undefined);
    },
  };
}
