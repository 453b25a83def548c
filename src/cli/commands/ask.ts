/** Questions on a terminal. */
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
  cli.stdout.write(question);
  cli.stdin.setRaw(true);
  try {
    return await keys.line();
  } finally {
    cli.stdin.setRaw(false);
    cli.stdout.write("\n");
  }
}

const controls: Readonly<Record<string, (text: string) => string>> = {
  "\u007f": (text) => text.slice(0, -1),
  "\b": (text) => text.slice(0, -1),
  "\u0015": () => "",
};

/** What is typed, line by line: one for all questions of a command, since a terminal may give several lines at once. */
export class Keys {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #typed = "";

  constructor(cli: Cli) {
    this.#chunks = cli.stdin.chunks[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    let text = "";
    for (;;) {
      for (const [at, character] of [...this.#typed].entries()) {
        if (character === "\u0003") throw cliError("canceled", "CANCELED", { bare: true, exitCode: 130 });
        if (character === "\n" || character === "\r" || (character === "\u0004" && text === "")) {
          this.#typed = [...this.#typed].slice(at + 1).join("");
          return text;
        }
        text = controls[character]?.(text) ?? text + character;
      }
      if (text.length > maxAnswerLength) throw cliError("the answer is too long");
      const next = await this.#chunks.next();
      this.#typed = next.done === true ? "\n" : Buffer.from(next.value).toString();
    }
  }
}
