/** Alpine's order of versions: `1.2.3b_rc1-r4`. @see apk-tools' version.c */
import { compareDigits, compareDpkgVersions } from "./dpkg-version.ts";

const suffixes = ["alpha", "beta", "pre", "rc", "", "cvs", "svn", "git", "hg", "p"];
const release = suffixes.indexOf("");

interface ApkVersion {
  readonly numbers: readonly string[];
  readonly letter: string;
  readonly suffixes: readonly { readonly rank: number; readonly number: string }[];
  readonly revision: string;
}

const pattern = /^(\d+(?:\.\d+)*)([a-z])?((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/;

function parse(version: string): ApkVersion | undefined {
  const [, numbers, letter = "", words = "", revision = "0"] = pattern.exec(version) ?? [];
  if (numbers === undefined) return undefined;
  const list = [...words.matchAll(/_([a-z]+)(\d*)/g)].map(([, word = "", number = ""]) => ({ rank: suffixes.indexOf(word), number }));
  return { numbers: numbers.split("."), letter, suffixes: list, revision };
}

/** Behind the first, numbers that begin with 0 are fractions: 1.05 comes before 1.1. */
function compareNumber(a: string, b: string, at: number): number {
  if (at === 0 || (!a.startsWith("0") && !b.startsWith("0"))) return compareDigits(a, b);
  return a === b ? 0 : a < b ? -1 : 1;
}

function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const difference = compareNumber(a[at] as string, b[at] as string, at);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareSuffixes(a: ApkVersion["suffixes"], b: ApkVersion["suffixes"]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [x, y] = [a[at], b[at]];
    const difference = (x?.rank ?? release) - (y?.rank ?? release) || compareDigits(x?.number ?? "", y?.number ?? "");
    if (difference !== 0) return difference;
  }
  return 0;
}

/** What is no version of Alpine's is compared by its numbers and letters, as they come. */
export function compareApkVersions(a: string, b: string): number {
  if (a === b) return 0;
  const [first, second] = [parse(a), parse(b)];
  if (first === undefined || second === undefined) return compareDpkgVersions(a, b);
  return (
    compareNumbers(first.numbers, second.numbers) ||
    (first.letter === second.letter ? 0 : first.letter < second.letter ? -1 : 1) ||
    compareSuffixes(first.suffixes, second.suffixes) ||
    compareDigits(first.revision, second.revision)
  );
}
