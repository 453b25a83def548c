/** Gives memory back that nobody reads any more: what lies outside of the heap is otherwise freed when the collector gets to it. */

const worthwhileBytes = 2 ** 20;

/** The buffer is empty afterwards. What shares its memory with others, or is small, stays as it is; a byte of room is nobody's. */
export function releaseBytes(bytes: Buffer): void {
  const { buffer } = bytes;
  if (bytes.length < worthwhileBytes || buffer.byteLength - bytes.length > 1 || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}
