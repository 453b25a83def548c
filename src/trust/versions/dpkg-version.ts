/** Debian's order of versions. @see deb-version(7) */

/** "~" before everything, also the end; letters before other signs. */
function orderOf(code: number): number {
  if (Number.isNaN(code)) return 0;
  if (code === 0x7e) return -1;
  if (isDigit(code)) return 0;
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) ? code : code + 256;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function comparePart(a: string, b: string): number {
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a.charCodeAt(i))) || (j < b.length && !isDigit(b.charCodeAt(j)))) {
      const difference = orderOf(a.charCodeAt(i)) - orderOf(b.charCodeAt(j));
      if (difference !== 0) return difference;
      i++;
      j++;
    }
    const [first, second] = [digitsAt(a, i), digitsAt(b, j)];
    const difference = compareDigits(first, second);
    if (difference !== 0) return difference;
    i += first.length;
    j += second.length;
  }
  return 0;
}

function digitsAt(text: string, from: number): string {
  let end = from;
  while (end < text.length && isDigit(text.charCodeAt(end))) end++;
  return text.slice(from, end);
}

/** Of any length: a date with a time is more than a number can hold. */
export function compareDigits(a: string, b: string): number {
  const [first, second] = [a.replace(/^0+/, ""), b.replace(/^0+/, "")];
  if (first.length !== second.length) return first.length - second.length;
  return first === second ? 0 : first < second ? -1 : 1;
}

interface Parts {
  readonly epoch: string;
  readonly upstream: string;
  readonly revision: string;
}

function split(version: string): Parts {
  const colon = version.indexOf(":");
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return { epoch: colon < 0 ? "" : version.slice(0, colon), upstream: dash < 0 ? rest : rest.slice(0, dash), revision: dash < 0 ? "" : rest.slice(dash + 1) };
}

export function compareDpkgVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [first, second] = [split(a), split(b)];
  return compareDigits(first.epoch, second.epoch) || comparePart(first.upstream, second.upstream) || comparePart(first.revision, second.revision);
}
