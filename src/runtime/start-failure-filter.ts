/** Tells the runtime's own last words, which come on the process's stderr, from what the process prints. */
import { readFileSync, statSync } from "node:fs";
import { execFailureOf, startFailureOf, type StartFailure } from "./runtime-errors.ts";

type Sink = (data: Uint8Array) => void | Promise<void>;

const maxLogBytes = 65_536;

/** How long a first line that stands alone is held back while the process goes on: the runtime writes its log right after its words. */
const holdMs = 50;

export class StartFailureFilter {
  readonly #log: string;
  readonly #sink: Sink;
  #isFirst = true;
  #isFailure = false;
  #withheld = "";
  #held: Uint8Array | undefined;
  #timer: NodeJS.Timeout | undefined;
  #released: Promise<void> = Promise.resolve();

  /** `log`: the file that the runtime was given with --log. */
  constructor(log: string, sink: Sink) {
    this.#log = log;
    this.#sink = sink;
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#isFirst) {
      this.#isFirst = false;
      if (this.#holdBack(data)) return;
    }
    await this.finish();
    if (!this.#isFailure && this.#withheld === "") await this.#sink(data);
  }

  /** After the stream's end: gives what was held back, unless they were the runtime's words. */
  async finish(): Promise<void> {
    this.#release();
    await this.#released;
  }

  /** Why the process did not start; undefined when it did. */
  failureOf(exitCode: number, args: readonly string[]): StartFailure | undefined {
    if (exitCode === 0) return undefined;
    return startFailureOf(readBounded(this.#log), args) ?? execFailureOf(this.#withheld);
  }

  /** The runtime says one short line and nothing else. */
  #holdBack(data: Uint8Array): boolean {
    const text = data.length < 2048 ? Buffer.from(data).toString("utf8") : "";
    if (text === "" || text.indexOf("\n") !== text.length - 1) return false;
    if (execFailureOf(text) !== undefined) this.#withheld = text;
    else {
      this.#held = data;
      this.#timer = setTimeout(() => this.#release(), holdMs);
    }
    return true;
  }

  /** The log of a process that started stays empty. A sink that fails is heard of at the next step. */
  #release(): void {
    const held = this.#held;
    if (held === undefined) return;
    clearTimeout(this.#timer);
    this.#held = undefined;
    this.#isFailure = (statSync(this.#log, { throwIfNoEntry: false })?.size ?? 0) > 0;
    if (this.#isFailure) return;
    this.#released = (async () => await this.#sink(held))();
    this.#released.catch(() => undefined);
  }
}

function readBounded(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, maxLogBytes);
  } catch {
    return "";
  }
}
