/** A file's bytes for who passes them on: one buffer serves them all, since memory that is touched first costs as much as the copy into it. */
import { open } from "node:fs/promises";

const chunkBytes = 512 * 1024;

/**
 * From `start` on. What a chunk holds is gone once the next one is asked for. The last one, and any that is short, keeps its memory: a
 * socket may still have it when it asks for more.
 */
export async function* fileChunks(path: string, start = 0): AsyncGenerator<Uint8Array, void> {
  await using file = await open(path);
  let buffer = Buffer.allocUnsafeSlow(chunkBytes);
  for (let position = start; ;) {
    const { bytesRead } = await file.read(buffer, 0, chunkBytes, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield bytesRead === chunkBytes ? buffer : buffer.subarray(0, bytesRead);
    if (bytesRead < chunkBytes) buffer = Buffer.allocUnsafeSlow(chunkBytes);
  }
}
