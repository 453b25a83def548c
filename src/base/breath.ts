/** Long work of a single thread lets the event loop turn now and then, so that Ctrl-C, timers and others' work have their time. */

const longestMs = 50;

export class Breath {
  readonly #signal: AbortSignal | undefined;
  #taken = Date.now();

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  get isDue(): boolean {
    return Date.now() - this.#taken > longestMs;
  }

  /** Throws the signal's reason when it is aborted meanwhile. */
  async take(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#signal?.throwIfAborted();
    this.#taken = Date.now();
  }
}
