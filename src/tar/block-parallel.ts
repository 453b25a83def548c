/** Work on a stream in blocks of one size, several at a time, results in order. */
import { availableParallelism } from "node:os";

export const defaultBlockSize = 1024 * 1024;

/** libuv's pool has four threads unless told otherwise; more blocks in flight would only hold memory. */
const maxInFlight = 5;

/**
 * `work` is called with each block in order (the last may be shorter; none is empty) and may still run when the next is given;
 * its results come in the same order. At most as many blocks as the machine has cores are in flight.
 */
export async function* mapBlocks(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  work: (block: Buffer) => Promise<Buffer>,
  signal?: AbortSignal,
  blockSize = defaultBlockSize,
): AsyncGenerator<Buffer> {
  yield* mapInOrder(inBlocks(source, blockSize), work, signal);
}

/** The same for blocks that are cut already. */
export async function* mapInOrder(blocks: AsyncIterable<Buffer>, work: (block: Buffer) => Promise<Buffer>, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const limit = Math.min(maxInFlight, availableParallelism() + 1);
  const running: Promise<Buffer>[] = [];
  const start = (block: Buffer): void => {
    const result = work(block);
    // Awaited in its turn; until then a failure must not count as unhandled.
    result.catch(() => undefined);
    running.push(result);
  };
  for await (const block of blocks) {
    signal?.throwIfAborted();
    start(block);
    if (running.length >= limit) yield await (running.shift() as Promise<Buffer>);
  }
  for (const result of running) yield await result;
}

/** Every block is a buffer of its own. */
async function* inBlocks(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, blockSize: number): AsyncGenerator<Buffer> {
  let block = Buffer.allocUnsafe(blockSize);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const taken = Math.min(chunk.length - at, blockSize - filled);
      block.set(chunk.subarray(at, at + taken), filled);
      filled += taken;
      at += taken;
      if (filled < blockSize) continue;
      yield block;
      block = Buffer.allocUnsafe(blockSize);
      filled = 0;
    }
  }
  if (filled > 0) yield block.subarray(0, filled);
}
