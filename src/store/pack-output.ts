/** A tar stream gathered in one reused buffer: few large writes, and file content is read straight into its place. */
import { closeSync, constants, openSync, readSync } from "node:fs";
import type { Breath } from "../base/breath.ts";
import { SlipwayError } from "../base/errors.ts";
import { blockSize } from "../tar/block.ts";

/** Beyond the processor's second-level cache throughput halves. */
const bufferSizeBytes = 256 * 1024;

const readFlags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class PackOutput {
  readonly #sink: (bytes: Buffer) => void;
  readonly #breath: Breath | undefined;
  readonly #buffer = Buffer.allocUnsafeSlow(bufferSizeBytes);
  readonly #probe = Buffer.alloc(1);
  #filled = 0;
  #flushed = 0;

  constructor(sink: (bytes: Buffer) => void, breath: Breath | undefined) {
    this.#sink = sink;
    this.#breath = breath;
  }

  get size(): number {
    return this.#flushed + this.#filled;
  }

  write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const copied = bytes.copy(this.#buffer, this.#filled, at);
      at += copied;
      this.#advance(copied);
    }
  }

  /** Content and padding; yields whenever a breath is due. Fails with FILE_CHANGED (conflict) unless the file has exactly `size` bytes. */
  *writeFile(path: string | Buffer, size: number): Generator<void, void> {
    const fd = openSync(path, readFlags);
    try {
      for (let rest = size; rest > 0;) {
        const length = readSync(fd, this.#buffer, this.#filled, Math.min(rest, bufferSizeBytes - this.#filled), null);
        if (length === 0) throw changed(path, size, size - rest);
        rest -= length;
        this.#advance(length);
        if (this.#breath?.isDue === true) yield;
      }
      if (readSync(fd, this.#probe, 0, 1, null) !== 0) throw changed(path, size, undefined);
    } finally {
      closeSync(fd);
    }
    this.#pad();
  }

  flush(): void {
    if (this.#filled > 0) this.#sink(this.#buffer.subarray(0, this.#filled));
    this.#flushed += this.#filled;
    this.#filled = 0;
  }

  #advance(length: number): void {
    this.#filled += length;
    if (this.#filled === bufferSizeBytes) this.flush();
  }

  /** The buffer holds whole blocks, so the padding never crosses its end. */
  #pad(): void {
    const end = Math.ceil(this.#filled / blockSize) * blockSize;
    const length = end - this.#filled;
    if (length === 0) return;
    this.#buffer.fill(0, this.#filled, end);
    this.#advance(length);
  }
}

function changed(path: string | Buffer, expected: number, actual: number | undefined): SlipwayError {
  const got = actual === undefined ? "has more" : `ended after ${actual}`;
  return new SlipwayError("conflict", "FILE_CHANGED", `file changed as we read it: ${String(path)}: expected ${expected} bytes, ${got}`, {
    path: String(path),
    expected,
    actual,
  });
}
