/** Questions on a terminal. */
import { SlipwayError } from "../../base/errors.ts";
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";

const maxAnswerLength = 64 * 1024;

/** The answer without its line end; what the user types is shown by the terminal. */
export async function ask(cli: Cli, keys: Keys, question: string): Promise<string> {
  cli.stdout.write(question);
  return await keys.line();
}

/** The same without echo: the terminal is raw meanwhile, so backspace, Ctrl-U, Ctrl-C and Ctrl-D are ours to understand. */
export async function askSecret(cli: Cli, keys: Keys, question: string): Promise<string> {
  // raw before the question is there: who answers at once must not see it either
  cli.stdin.setRaw(true);
  cli.stdout.write(question);
  try {
    return await keys.line();
  } finally {
    cli.stdin.setRaw(false);
    cli.stdout.write("\n");
  }
}

function canceled(): SlipwayError {
  return new SlipwayError("canceled", "CANCELED", "canceled", { bare: true });
}

const controls: Readonly<Record<string, (text: string) => string>> = {
  "\u007f": (text) => text.slice(0, -1),
  "\b": (text) => text.slice(0, -1),
  "\u0015": () => "",
};

/** What is typed, line by line: one for all questions of a command, since a terminal may give several lines at once. */
export class Keys {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #signal: AbortSignal;
  #typed = "";

  constructor(cli: Cli) {
    this.#chunks = cli.stdin.chunks[Symbol.asyncIterator]();
    this.#signal = cli.signal;
  }

  /** Ctrl-C ends the question whether the terminal makes a signal or a character of it. */
  async #next(): Promise<IteratorResult<Uint8Array>> {
    const { promise, reject } = Promise.withResolvers<never>();
    const leave = (): void => reject(canceled());
    if (this.#signal.aborted) leave();
    this.#signal.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([promise, this.#chunks.next()]);
    } finally {
      this.#signal.removeEventListener("abort", leave);
    }
  }

  async line(): Promise<string> {
    let text = "";
    for (;;) {
      for (const [at, character] of [...this.#typed].entries()) {
        if (character === "\u0003") throw canceled();
        if (character === "\n" || character === "\r" || (character === "\u0004" && text === "")) {
          this.#typed = [...this.#typed].slice(at + 1).join("");
          return text;
        }
        text = controls[character]?.(text) ?? text + character;
      }
      if (text.length > maxAnswerLength) throw cliError("the answer is too long");
      const next = await this.#next();
      this.#typed = next.done === true ? "\n" : Buffer.from(next.value).toString();
    }
  }
}
