/** What counts as a blank in the language Docker is written in. */

const space = /[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const leadingSpace = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

/** Unicode's White_Space property (`\s` differs: it has U+FEFF and lacks U+0085). */
export function isSpace(character: string): boolean {
  return space.test(character);
}

export function trimLeft(text: string): string {
  return text.replace(leadingSpace, "");
}

// a regex anchored at the end would try every run of blanks in the middle: quadratic on hostile text
export function trimRight(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

export function trimSpace(text: string): string {
  return trimLeft(trimRight(text));
}
