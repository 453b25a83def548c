/** Orders of versions that are numbers with words for what comes before a release: semantic versions, NuGet's, RubyGems', Composer's. */
import { compareDigits } from "./dpkg-version.ts";

const compareText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

function compareNumberLists(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = compareDigits(a[at] ?? "", b[at] ?? "");
    if (difference !== 0) return difference;
  }
  return 0;
}

/** @see https://semver.org/#spec-item-11 */
function comparePrerelease(a: string, b: string, fold: (word: string) => string): number {
  if (a === b) return 0;
  if (a === "" || b === "") return a === "" ? 1 : -1;
  const [first, second] = [a.split("."), b.split(".")];
  for (let at = 0; at < Math.max(first.length, second.length); at++) {
    const [x, y] = [first[at], second[at]];
    if (x === undefined || y === undefined) return x === undefined ? -1 : 1;
    const [isNumber, otherIsNumber] = [/^\d+$/.test(x), /^\d+$/.test(y)];
    if (isNumber !== otherIsNumber) return isNumber ? -1 : 1;
    const difference = isNumber ? compareDigits(x, y) : compareText(fold(x), fold(y));
    if (difference !== 0) return difference;
  }
  return 0;
}

function splitNumbers(version: string): { readonly numbers: readonly string[]; readonly prerelease: string } {
  const plain = version
    .trim()
    .replace(/^[vV=]+/, "")
    .replace(/\+.*$/, "");
  const dash = plain.indexOf("-");
  const head = dash < 0 ? plain : plain.slice(0, dash);
  return { numbers: head.split("."), prerelease: dash < 0 ? "" : plain.slice(dash + 1) };
}

/** Also Go's, with "v" in front and without it, and versions of more or less than three numbers. */
export function compareSemanticVersions(a: string, b: string): number {
  const [first, second] = [splitNumbers(a), splitNumbers(b)];
  return compareNumberLists(first.numbers, second.numbers) || comparePrerelease(first.prerelease, second.prerelease, (word) => word);
}

/** Four numbers, and case does not count. */
export function compareNugetVersions(a: string, b: string): number {
  const [first, second] = [splitNumbers(a), splitNumbers(b)];
  return compareNumberLists(first.numbers, second.numbers) || comparePrerelease(first.prerelease, second.prerelease, (word) => word.toLowerCase());
}

/** Go's own: `go1.22rc1`, `1.22.5`, and modules' semantic ones. */
export function compareGoVersions(a: string, b: string): number {
  const plain = (version: string): string => version.replace(/^go/, "").replace(/^(\d+(?:\.\d+)*)(rc|beta)(\d+)/, "$1-$2.$3");
  return compareSemanticVersions(plain(a), plain(b));
}

/** Segments of digits and of letters; letters come before a release. @see Gem::Version */
export function compareGemVersions(a: string, b: string): number {
  const [first, second] = [gemSegments(a), gemSegments(b)];
  for (let at = 0; at < Math.max(first.length, second.length); at++) {
    const [x, y] = [first[at] ?? "0", second[at] ?? "0"];
    const [isNumber, otherIsNumber] = [/^\d/.test(x), /^\d/.test(y)];
    if (isNumber !== otherIsNumber) return isNumber ? 1 : -1;
    const difference = isNumber ? compareDigits(x, y) : compareText(x, y);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Zeros at the end of the numbers, and before the first word, say nothing. */
function gemSegments(version: string): readonly string[] {
  const segments =
    version
      .trim()
      .replaceAll("-", ".pre.")
      .match(/\d+|[A-Za-z]+/g) ?? [];
  const word = segments.findIndex((one) => !/^\d/.test(one));
  const [numbers, rest] = word < 0 ? [[...segments], []] : [segments.slice(0, word), segments.slice(word)];
  const trimmed = (list: readonly string[]): readonly string[] => list.slice(0, list.findLastIndex((one) => !/^0+$/.test(one)) + 1);
  return [...trimmed(numbers), ...trimmed(rest)];
}

const composerWords = ["dev", "alpha", "a", "beta", "b", "rc", "#", "p", "pl", "patch"];
const composerRanks: Readonly<Record<string, number>> = { dev: 0, alpha: 1, a: 1, beta: 2, b: 2, rc: 3, "": 4, stable: 4, p: 5, pl: 5, patch: 5 };

/** PHP's words for what comes before and behind a release. @see composer/semver's VersionParser */
export function compareComposerVersions(a: string, b: string): number {
  const parse = (version: string): { readonly numbers: readonly string[]; readonly rank: number; readonly number: string } => {
    const plain = version.trim().toLowerCase().replace(/^v/, "").replace(/\+.*$/, "");
    const [, numbers = "", word = "", number = ""] =
      new RegExp(`^(\\d+(?:\\.\\d+)*)(?:[._-]?(stable|${composerWords.join("|")})[.-]?(\\d*))?`).exec(plain) ?? [];
    return { numbers: numbers.split("."), rank: composerRanks[word] ?? 4, number };
  };
  const [first, second] = [parse(a), parse(b)];
  return compareNumberLists(first.numbers, second.numbers) || first.rank - second.rank || compareDigits(first.number, second.number);
}
