/** One look at a layer's archive while it passes: its names are harmless, and how many bytes its files have. */
import { sanitizeEntryPath } from "../store/unpack.ts";
import { TarReader } from "../tar/reader.ts";

export class LayerMeter {
  #sizeBytes = 0;
  readonly #reader = new TarReader({
    entry: (entry) => {
      sanitizeEntryPath(entry.path);
      this.#sizeBytes += entry.size;
    },
    data: () => {},
    hole: () => {},
    entryEnd: () => {},
  });

  /** Fails with TAR_CORRUPT (data_loss), TAR_PATH_ESCAPES (invalid_argument). */
  push(chunk: Uint8Array): void {
    this.#reader.push(chunk);
  }

  /** Answers the bytes of file content. Fails with TAR_TRUNCATED (data_loss). */
  finish(): number {
    this.#reader.finish();
    return this.#sizeBytes;
  }
}
