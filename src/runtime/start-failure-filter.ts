/** Tells the runtime's own last words, which come on the process's stderr, from what the process prints. */
import { readFileSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { execFailureOf, startFailureOf, type StartFailure } from "./runtime-errors.ts";

type Sink = (data: Uint8Array) => void | Promise<void>;

const maxLogBytes = 65_536;

export class StartFailureFilter {
  readonly #log: string;
  readonly #sink: Sink;
  #isFirst = true;
  #isFailure = false;
  #withheld = "";

  /** `log`: the file that the runtime was given with --log. */
  constructor(log: string, sink: Sink) {
    this.#log = log;
    this.#sink = sink;
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#isFirst) {
      this.#isFirst = false;
      await this.#examine(data);
    }
    if (!this.#isFailure && this.#withheld === "") await this.#sink(data);
  }

  /** Why the process did not start; undefined when it did. */
  failureOf(exitCode: number, args: readonly string[]): StartFailure | undefined {
    if (exitCode === 0) return undefined;
    return startFailureOf(readBounded(this.#log), args) ?? execFailureOf(this.#withheld);
  }

  /** The runtime says one short line and writes its log right after; the log of a process that started stays empty. */
  async #examine(data: Uint8Array): Promise<void> {
    const text = data.length < 2048 ? Buffer.from(data).toString("utf8") : "";
    if (text === "" || text.indexOf("\n") !== text.length - 1) return;
    if (execFailureOf(text) !== undefined) this.#withheld = text;
    else {
      await delay(1);
      this.#isFailure = (statSync(this.#log, { throwIfNoEntry: false })?.size ?? 0) > 0;
    }
  }
}

function readBounded(path: string): string {
  try {
    return readFileSync(path, "utf8").slice(0, maxLogBytes);
  } catch {
    return "";
  }
}
