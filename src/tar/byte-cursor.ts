/** Reads an asynchronous source in pieces of exact lengths. */
export class ByteCursor {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #endError: () => Error;
  #chunk: Buffer = Buffer.alloc(0);
  #ended = false;

  /** `endError`: what to fail with when the source ends too early. */
  constructor(source: AsyncIterable<Uint8Array>, endError: () => Error) {
    this.#iterator = source[Symbol.asyncIterator]();
    this.#endError = endError;
  }

  async atEnd(): Promise<boolean> {
    while (this.#chunk.length === 0 && !this.#ended) await this.#next();
    return this.#chunk.length === 0;
  }

  /** A view where one chunk holds all of it, else a copy. The caller bounds `length`. */
  async take(length: number): Promise<Buffer> {
    if (this.#chunk.length >= length) return this.#cut(length);
    const whole = Buffer.allocUnsafe(length);
    for (let filled = 0; filled < length;) {
      if (await this.atEnd()) throw this.#endError();
      filled += this.#cut(Math.min(length - filled, this.#chunk.length)).copy(whole, filled);
    }
    return whole;
  }

  async skip(length: number): Promise<void> {
    for (let rest = length; rest > 0;) {
      if (await this.atEnd()) throw this.#endError();
      rest -= this.#cut(Math.min(rest, this.#chunk.length)).length;
    }
  }

  /** Lets the source end its work. */
  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  #cut(length: number): Buffer {
    const piece = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    return piece;
  }

  async #next(): Promise<void> {
    const next = await this.#iterator.next();
    if (next.done) this.#ended = true;
    else this.#chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
  }
}
