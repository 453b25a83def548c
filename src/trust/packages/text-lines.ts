/** Lines one at a time: a text of nothing but line ends is no list of millions of strings. */
export function* linesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    const stop = end < 0 ? text.length : end;
    yield text.slice(at, text[stop - 1] === "\r" && stop > at ? stop - 1 : stop);
    at = stop + 1;
  }
}
