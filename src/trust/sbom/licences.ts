/** From what packages say of their licences to SPDX expressions. @see https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/ */
import parseExpression from "spdx-expression-parse";

export type Licence = { readonly kind: "expression"; readonly text: string; readonly isSingle: boolean } | { readonly kind: "name"; readonly text: string };

const otherWords: ReadonlyMap<string, string> = new Map([
  ["expat", "MIT"],
  ["apache-2", "Apache-2.0"],
  ["apache license 2.0", "Apache-2.0"],
  ["apache license, version 2.0", "Apache-2.0"],
  ["apache 2.0", "Apache-2.0"],
  ["apache software license", "Apache-2.0"],
  ["mit license", "MIT"],
  ["the mit license", "MIT"],
  ["bsd-2-clause", "BSD-2-Clause"],
  ["bsd-3-clause", "BSD-3-Clause"],
  ["bsd-4-clause", "BSD-4-Clause"],
  ["bsd-3-clauses", "BSD-3-Clause"],
  ["artistic", "Artistic-1.0-Perl"],
  ["isc license", "ISC"],
  ["mpl 2.0", "MPL-2.0"],
  ["psf", "PSF-2.0"],
  ["zlib/libpng", "zlib-acknowledgement"],
]);

/** `GPL-2+` → `GPL-2.0-or-later`, `LGPL-2.1` → `LGPL-2.1-only`, other words by the table. */
function spdxWord(word: string): string {
  const [, family, major, minor, later] = /^(A?GPL|LGPL|GFDL)-(\d)(?:\.(\d))?(\+)?$/i.exec(word) ?? [];
  if (family !== undefined) return `${family.toUpperCase()}-${major}.${minor ?? "0"}-${later === undefined ? "only" : "or-later"}`;
  return otherWords.get(word.toLowerCase()) ?? word;
}

/** What names another document's licences is none: there is no such document. */
function isExpression(text: string): boolean {
  if (text.includes("DocumentRef-")) return false;
  try {
    parseExpression(text);
    return true;
  } catch {
    return false;
  }
}

/** The longest are some thousand characters; what is longer is a text. */
const maxExpression = 10_000;

/** One statement of a package. */
export function licenceOf(statement: string): Licence {
  const text = statement.replace(/\s+/g, " ").trim();
  if (text.length > maxExpression) return { kind: "name", text };
  const whole = spdxWord(text);
  if (isExpression(whole)) return { kind: "expression", text: whole, isSingle: !/[ ()]/.test(whole) };
  const words = text
    .replace(/,/g, " ")
    .replace(/[()]/g, " $& ")
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => (/^(and|or|with)$/i.test(word) ? word.toUpperCase() : spdxWord(word)))
    .join(" ");
  return isExpression(words) ? { kind: "expression", text: words, isSingle: !/[ ()]/.test(words) } : { kind: "name", text };
}

/** All statements of a package, each once; empty ones say nothing. */
export function licencesOf(statements: readonly string[]): readonly Licence[] {
  return [...new Set(statements.map((statement) => statement.trim()))].filter((statement) => statement !== "").map(licenceOf);
}
