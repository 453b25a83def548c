/** Passwords of private keys: from the environment, else typed without echo. */
import type { Cli } from "../cli.ts";
import { cliError } from "../failure.ts";
import { askSecret, Keys } from "./ask.ts";

const newQuestions = ["Password for the new private key: ", "The same again: "];
const variables = ["SLIPWAY_KEY_PASSWORD", "COSIGN_PASSWORD"] as const;

/** A variable that is set counts, also an empty one: a key may have an empty password. */
function fromEnv(cli: Cli): Uint8Array | undefined {
  const value = variables.map((name) => cli.env[name]).find((one) => one !== undefined);
  return value === undefined ? undefined : Buffer.from(value);
}

async function typed(cli: Cli, questions: readonly string[]): Promise<readonly string[]> {
  if (!cli.stdin.isTTY) {
    throw cliError(`the password of the key is not known, and there is no terminal to ask for it: set ${variables.join(" or ")}`, "NOT_A_TERMINAL");
  }
  // what goes to standard output may be read by a program
  const aside: Cli = { ...cli, stdout: cli.stderr };
  const keys = new Keys(aside);
  try {
    const answers: string[] = [];
    for (const question of questions) answers.push(await askSecret(aside, keys, question));
    return answers;
  } finally {
    cli.stdin.close();
  }
}

/** Of a key that is there. `name`: its file. */
export async function keyPassword(cli: Cli, name: string): Promise<Uint8Array> {
  return fromEnv(cli) ?? Buffer.from((await typed(cli, [`Password of ${name}: `]))[0]!);
}

/** For a new file, typed twice; `source` is the file of a key that is imported and has a password of its own, which is asked for first. */
export class NewKeyPasswords {
  readonly #cli: Cli;
  #typed: readonly string[] | undefined;

  constructor(cli: Cli) {
    this.#cli = cli;
  }

  /** The environment's password protects both the old file and the new one, where SLIPWAY_IMPORT_PASSWORD does not say otherwise. */
  async ofSource(name: string): Promise<Uint8Array> {
    const given = this.#cli.env["SLIPWAY_IMPORT_PASSWORD"];
    if (given !== undefined) return Buffer.from(given);
    const own = fromEnv(this.#cli);
    if (own !== undefined) return own;
    const [source = "", ...others] = await typed(this.#cli, [`Password of ${name}: `, ...newQuestions]);
    this.#typed = others;
    return Buffer.from(source);
  }

  async ofNew(): Promise<Uint8Array> {
    const own = fromEnv(this.#cli);
    if (own !== undefined) return own;
    const [first = "", second = ""] = this.#typed ?? (await typed(this.#cli, newQuestions));
    if (first !== second) throw cliError("the two passwords differ: nothing was written");
    return Buffer.from(first);
  }
}
