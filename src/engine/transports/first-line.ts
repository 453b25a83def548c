/** Lines at the start of a stream of bytes, and the bytes behind them. */
import { SlipwayError } from "../../base/errors.ts";

export interface FirstLine {
  /** undefined at the end of the stream. Fails with LINE_TOO_LONG (resource_exhausted). */
  next(): Promise<string | undefined>;
  /** what is behind the lines that were read */
  rest(): AsyncGenerator<Uint8Array>;
}

export function readLine(source: AsyncIterable<Uint8Array>, limitBytes: number): FirstLine {
  const iterator = source[Symbol.asyncIterator]();
  let pending: Buffer = Buffer.alloc(0);
  return {
    async next() {
      for (;;) {
        const end = pending.indexOf(0x0a);
        if (end >= 0) {
          const line = pending.toString("utf8", 0, end);
          pending = pending.subarray(end + 1);
          return line;
        }
        if (pending.length > limitBytes)
          throw new SlipwayError("resource_exhausted", "LINE_TOO_LONG", `the other side sent a line of more than ${limitBytes} bytes`, {});
        const chunk = await iterator.next();
        if (chunk.done === true) return undefined;
        pending = Buffer.concat([pending, chunk.value]);
      }
    },
    async *rest() {
      if (pending.length > 0) yield pending;
      for (let chunk = await iterator.next(); chunk.done !== true; chunk = await iterator.next()) yield chunk.value;
    },
  };
}
