/** Documents that a scan is given: bills, statements, ignore files. */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { SlipwayError } from "../../base/errors.ts";
import { unreadableInput } from "../input-file.ts";

const maxFileBytes = 128 * 2 ** 20;

function tooLarge(word: string, size: number): SlipwayError {
  return new SlipwayError("resource_exhausted", "DOCUMENT_TOO_LARGE", `${word} is ${size} bytes: at most ${maxFileBytes} are read`, {
    size,
    limit: maxFileBytes,
    bare: true,
  });
}

/** Fails with INPUT_FILE (invalid_argument), DOCUMENT_TOO_LARGE (resource_exhausted). */
export function readInput(cwd: string, word: string): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(resolve(cwd, word), "r");
    const { size } = fstatSync(fd);
    if (size > maxFileBytes) throw tooLarge(word, size);
    const chunks: Buffer[] = [];
    // a pipe and a device do not say how long they are
    for (let total = 0; ;) {
      const chunk = Buffer.allocUnsafe(1 << 20);
      const read = readSync(fd, chunk);
      if (read === 0) return Buffer.concat(chunks);
      total += read;
      if (total > maxFileBytes) throw tooLarge(word, total);
      chunks.push(chunk.subarray(0, read));
    }
  } catch (error) {
    if (error instanceof SlipwayError) throw error;
    throw unreadableInput(word, error);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
