/**
 * Goes through JSON where it lies and makes values only of what is asked for: a source map of a hundred megabytes is mostly text that nobody
 * here wants. No recursion, so depth costs nothing.
 */
import { invalidDocument } from "../../../oci/bounded-json.ts";

const quote = 0x22;
const backslash = 0x5c;
const [openObject, closeObject, openArray, closeArray, comma, colon] = [0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a] as const;

/** Fails with INVALID_DOCUMENT (invalid_argument) where the JSON ends too early or something else stands where a value must. */
export class JsonScan {
  readonly #bytes: Buffer;
  readonly #what: string;

  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** The first value. */
  get start(): number {
    return this.#blank(this.#bytes[0] === 0xef ? 3 : 0);
  }

  *members(at: number): Generator<readonly [key: string, value: number]> {
    if (this.#bytes[at] !== openObject) return;
    for (let next = this.#blank(at + 1); this.#bytes[next] !== closeObject;) {
      const key = this.string(next) ?? this.#fail();
      const value = this.#blank(this.#expect(this.#blank(this.#afterString(next)), colon));
      yield [key, value];
      next = this.#next(this.after(value), closeObject);
    }
  }

  *items(at: number): Generator<number> {
    if (this.#bytes[at] !== openArray) return;
    for (let next = this.#blank(at + 1); this.#bytes[next] !== closeArray;) {
      yield next;
      next = this.#next(this.after(next), closeArray);
    }
  }

  /** undefined where the value is no string, or longer than so many bytes. */
  string(at: number, maxBytes = 65_536): string | undefined {
    if (this.#bytes[at] !== quote) return undefined;
    const end = this.#afterString(at);
    if (end - at > maxBytes) return undefined;
    try {
      return (JSON.parse(this.#bytes.toString("utf8", at, end)) as string).toWellFormed();
    } catch {
      return this.#fail();
    }
  }

  /** Where the value ends. */
  after(at: number): number {
    const first = this.#bytes[at];
    if (first === quote) return this.#afterString(at);
    if (first !== openObject && first !== openArray) return this.#afterWord(at);
    let depth = 0;
    for (let next = at; next < this.#bytes.length; next++) {
      const byte = this.#bytes[next];
      if (byte === quote) next = this.#afterString(next) - 1;
      else if (byte === openObject || byte === openArray) depth++;
      else if ((byte === closeObject || byte === closeArray) && --depth === 0) return next + 1;
    }
    return this.#fail();
  }

  #next(at: number, close: number): number {
    const next = this.#blank(at);
    return this.#bytes[next] === close ? next : this.#blank(this.#expect(next, comma));
  }

  #expect(at: number, byte: number): number {
    return this.#bytes[at] === byte ? at + 1 : this.#fail();
  }

  #blank(at: number): number {
    let next = at;
    while ((this.#bytes[next] ?? 0x21) <= 0x20) next++;
    return next;
  }

  #afterString(at: number): number {
    for (let end = this.#bytes.indexOf(quote, at + 1); end >= 0; end = this.#bytes.indexOf(quote, end + 1)) {
      let before = end - 1;
      while (this.#bytes[before] === backslash) before--;
      if ((end - before) % 2 === 1) return end + 1;
    }
    return this.#fail();
  }

  /** A number, true, false, null. */
  #afterWord(at: number): number {
    let next = at;
    while (/[\w.+-]/.test(String.fromCharCode(this.#bytes[next] ?? 0))) next++;
    return next > at ? next : this.#fail();
  }

  #fail(): never {
    throw invalidDocument(this.#what, "not JSON");
  }
}
