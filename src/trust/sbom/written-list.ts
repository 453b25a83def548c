/** Documents of many packages, written piece by piece: their packages are never all there as objects, nor the document as one text. */

/** A list of a document, made anew each time that somebody goes through it. */
export class WrittenList<T> implements Iterable<T> {
  readonly #make: () => Iterable<T>;

  constructor(make: () => Iterable<T>) {
    this.#make = make;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#make()[Symbol.iterator]();
  }
}

/** A document whose lists are arrays. */
export function settled(document: object): object {
  return Object.fromEntries(Object.entries(document).map(([key, value]: [string, unknown]) => [key, value instanceof WrittenList ? [...value] : value]));
}

function indented(value: unknown, blanks: string): string {
  return JSON.stringify(value, undefined, 2).replaceAll("\n", `\n${blanks}`);
}

/** Together what JSON.stringify writes of the settled document with two blanks. */
export function* writtenPieces(document: object): Generator<string> {
  let separator = "{";
  for (const [key, value] of Object.entries(document) as readonly (readonly [string, unknown])[]) {
    yield `${separator}\n  ${JSON.stringify(key)}: `;
    separator = ",";
    if (!(value instanceof WrittenList)) {
      yield indented(value, "  ");
      continue;
    }
    let between = "[";
    for (const item of value) {
      yield `${between}\n    ${indented(item, "    ")}`;
      between = ",";
    }
    yield between === "[" ? "[]" : "\n  ]";
  }
  yield separator === "{" ? "{}" : "\n}";
}
