/** Debian's order of versions. A scan compares tens of thousands, each once: nothing is cut out of the texts. @see deb-version(7) */

/** Of what is no digit: "~" before everything, also the end; letters before other signs. */
function orderOf(code: number): number {
  if (code === 0x7e) return -1;
  return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) ? code : code + 256;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** From i in `a` and j in `b` to the ends: signs and numbers take turns. Behind an end stand zeros, which are less than any sign but "~". */
function comparePart(a: string, i: number, aEnd: number, b: string, j: number, bEnd: number): number {
  while (i < aEnd || j < bEnd) {
    for (; ; i++, j++) {
      const x = i < aEnd ? a.charCodeAt(i) : 0x30;
      const y = j < bEnd ? b.charCodeAt(j) : 0x30;
      const [isFirst, isSecond] = [isDigit(x), isDigit(y)];
      if (isFirst && isSecond) break;
      if (x !== y) return (isFirst ? 0 : orderOf(x)) - (isSecond ? 0 : orderOf(y));
    }
    while (i < aEnd && a.charCodeAt(i) === 0x30) i++;
    while (j < bEnd && b.charCodeAt(j) === 0x30) j++;
    // of any length: a date with a time is more than a number can hold
    for (let difference = 0; ; i++, j++) {
      const x = i < aEnd ? a.charCodeAt(i) : 0;
      const y = j < bEnd ? b.charCodeAt(j) : 0;
      const [isFirst, isSecond] = [isDigit(x), isDigit(y)];
      if (isFirst !== isSecond) return isFirst ? 1 : -1;
      if (!isFirst && difference !== 0) return difference;
      if (!isFirst) break;
      if (difference === 0) difference = x - y;
    }
  }
  return 0;
}

export function compareDigits(a: string, b: string): number {
  return comparePart(a, 0, a.length, b, 0, b.length);
}

export function compareDpkgVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [aColon, bColon] = [a.indexOf(":"), b.indexOf(":")];
  const [aDash, bDash] = [a.lastIndexOf("-"), b.lastIndexOf("-")];
  const aEnd = aDash > aColon ? aDash : a.length;
  const bEnd = bDash > bColon ? bDash : b.length;
  return (
    comparePart(a, 0, aColon, b, 0, bColon) ||
    comparePart(a, aColon + 1, aEnd, b, bColon + 1, bEnd) ||
    comparePart(a, aEnd + 1, a.length, b, bEnd + 1, b.length)
  );
}
