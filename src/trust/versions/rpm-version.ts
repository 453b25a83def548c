/** rpm's order of versions. @see rpm-version(7) */
import { compareDigits } from "./dpkg-version.ts";

const segment = /~|\^|\d+|[A-Za-z]+/g;

/** What separates segments has no weight; "~" comes before the end, "^" behind it. */
function compareSegments(a: string, b: string): number {
  const [first, second] = [a.match(segment) ?? [], b.match(segment) ?? []];
  for (let at = 0; ; at++) {
    const [x, y] = [first[at], second[at]];
    if (x === "~" || y === "~") {
      if (x !== y) return x === "~" ? -1 : 1;
      continue;
    }
    if (x === "^" || y === "^") {
      if (x === y) continue;
      if (x === undefined) return -1;
      if (y === undefined) return 1;
      return x === "^" ? -1 : 1;
    }
    if (x === undefined || y === undefined) return x === y ? 0 : x === undefined ? -1 : 1;
    const [isNumber, otherIsNumber] = [/\d/.test(x), /\d/.test(y)];
    if (isNumber !== otherIsNumber) return isNumber ? 1 : -1;
    const difference = isNumber ? compareDigits(x, y) : x === y ? 0 : x < y ? -1 : 1;
    if (difference !== 0) return difference;
  }
}

/** Without a release on one side, releases are not compared. */
export function compareRpmVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [, epoch = "0", version = "", release] = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/.exec(a) ?? [];
  const [, otherEpoch = "0", otherVersion = "", otherRelease] = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/.exec(b) ?? [];
  const difference = compareDigits(epoch, otherEpoch) || compareSegments(version, otherVersion);
  return difference !== 0 || release === undefined || otherRelease === undefined ? difference : compareSegments(release, otherRelease);
}
