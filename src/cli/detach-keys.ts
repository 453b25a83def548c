/** The keys that leave a container running: Ctrl-P Ctrl-Q, or what `--detach-keys` names. Pure. */
import { printable } from "../base/printable.ts";
import { cliError } from "./failure.ts";

const defaultKeys = "ctrl-p,ctrl-q";

/** "ctrl-a,z" → bytes: single characters, and ctrl- with a letter or one of @ [ \ ] ^ _. Fails with USAGE in Docker's words. */
export function parseDetachKeys(text: string | undefined): Uint8Array {
  const given = text === undefined || text === "" ? defaultKeys : text;
  return Uint8Array.from(given.split(","), (word) => {
    const key = keyCode(word);
    if (key === undefined) throw cliError(printable(`Invalid escape keys (${given}) provided`), "USAGE", { bare: true, exitCode: 1 });
    return key;
  });
}

function keyCode(word: string): number | undefined {
  if (/^[\x20-\x7e]$/.test(word)) return word.charCodeAt(0);
  const control = /^ctrl-([a-z@[\\\]^_])$/.exec(word)?.[1];
  return control === undefined ? undefined : control.toUpperCase().charCodeAt(0) & 0x1f;
}

/** Holds back keys that may become the sequence; gives them when the next one shows that they were none. */
export class DetachKeys {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What goes on to the container, and whether the sequence is complete; what follows it is dropped. */
  push(chunk: Uint8Array): { readonly data: Uint8Array; readonly detached: boolean } {
    const data: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched < this.#keys.length) continue;
        this.#matched = 0;
        return { data: Uint8Array.from(data), detached: true };
      }
      data.push(...this.#keys.subarray(0, this.#matched), byte);
      this.#matched = 0;
    }
    return { data: Uint8Array.from(data), detached: false };
  }
}

/** The input up to the keys, which call `onDetach` and end it. */
export async function* untilDetached(input: AsyncIterable<Uint8Array>, keys: Uint8Array, onDetach: () => void): AsyncGenerator<Uint8Array> {
  const watch = new DetachKeys(keys);
  for await (const chunk of input) {
    const { data, detached } = watch.push(chunk);
    if (data.length > 0) yield data;
    if (detached) return onDetach();
  }
}
