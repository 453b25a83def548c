/** From what packages say of their licences to SPDX expressions. @see https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/ */
import parseExpression from "spdx-expression-parse";
import exceptions from "spdx-exceptions/index.json" with { type: "json" };
import identifiers from "spdx-license-ids/index.json" with { type: "json" };
import deprecated from "spdx-license-ids/deprecated.json" with { type: "json" };

/** of the list whose names count here */
export const licenseListVersion = "3.29";

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

/** SPDX's names by their lower case: they are the same whatever the case, and are to be written as the list writes them. */
const listed: ReadonlyMap<string, string> = new Map([...identifiers, ...deprecated, ...exceptions].map((id) => [id.toLowerCase(), id]));

/** `GPL-2+` → `GPL-2.0-or-later`, `LGPL-2.1` → `LGPL-2.1-only`, `Artistic-2` → `Artistic-2.0`, other words by the table, and in the list's case. */
function spdxWord(word: string): string {
  const [, family, major, minor, later] = /^(A?GPL|LGPL|GFDL|GFDL-NIV)-(\d)(?:\.(\d))?(\+)?$/i.exec(word) ?? [];
  if (family !== undefined) {
    const [name, kind] = family.toUpperCase() === "GFDL-NIV" ? ["GFDL", "no-invariants-"] : [family.toUpperCase(), ""];
    return `${name}-${major}.${minor ?? "0"}-${kind}${later === undefined ? "only" : "or-later"}`;
  }
  // Fedora's, before it took SPDX's: GPLv2+, LGPLv2.1, MPLv2.0
  const [, kin, older, newer] = /^(A?GPL|LGPL|MPL)v(\d(?:\.\d)?)(\+)?$/i.exec(word) ?? [];
  if (kin !== undefined && older !== undefined) return spdxWord(`${kin}-${older}${newer ?? ""}`);
  const plain = word.toLowerCase();
  return otherWords.get(plain) ?? listed.get(plain) ?? listed.get(`${plain}.0`) ?? word;
}

/** As the specification wants it written, whatever the parser let pass: operators in capitals, and between words. */
function formatExpression(info: parseExpression.Info): string {
  if (!("conjunction" in info)) return `${info.license}${info.plus === true ? "+" : ""}${info.exception === undefined ? "" : ` WITH ${info.exception}`}`;
  const { conjunction, left, right } = info;
  const side = (part: parseExpression.Info): string =>
    conjunction === "and" && "conjunction" in part && part.conjunction === "or" ? `(${formatExpression(part)})` : formatExpression(part);
  return `${side(left)} ${conjunction.toUpperCase()} ${side(right)}`;
}

/** undefined for what is no expression. What names another document's licences is none: there is no such document. */
function expressionOf(text: string): Licence | undefined {
  if (text.includes("DocumentRef-")) return undefined;
  try {
    const formatted = formatExpression(parseExpression(text));
    return { kind: "expression", text: formatted, isSingle: !formatted.includes(" ") };
  } catch {
    return undefined;
  }
}

/** The longest are some thousand characters; what is longer is a text. */
const maxExpression = 10_000;

/** Debian's `A or B, and C`: what stands before the comma belongs together. */
function grouped(text: string): string {
  const isGroup = /, ?(?:and|or) /i.test(text);
  return isGroup ? `(${text.replace(/, ?(and|or) /gi, ") $1 (")})` : text;
}

function wordsOf(text: string): readonly string[] {
  return grouped(text)
    .replace(/\bASL (?=\d)/g, "Apache-")
    .replace(/[()]/g, " $& ")
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => (/^(and|or|with)$/i.test(word) ? word.toUpperCase() : spdxWord(word)));
}

/** `GPL-2.0-or-later AND BSD`: what the list does not know beside what it does is the document's own. */
function withOwnTerms(words: readonly string[]): string | undefined {
  const isListed = (word: string): boolean => expressionOf(word) !== undefined;
  if (words.length < 3 || !words.some(isListed)) return undefined;
  return words
    .map((word) => (/^[A-Za-z0-9][A-Za-z0-9.-]*\+?$/.test(word) && !/^(?:AND|OR|WITH)$/.test(word) && !isListed(word) ? ownTerm(word) : word))
    .join(" ");
}

function ownTerm(word: string): string {
  return `LicenseRef-${word.replace(/\+$/, "-or-later")}`;
}

/** One statement of a package. */
export function licenceOf(statement: string): Licence {
  const text = statement.replace(/\s+/g, " ").trim();
  if (text.length > maxExpression) return { kind: "name", text };
  const words = wordsOf(text);
  return expressionOf(otherWords.get(text.toLowerCase()) ?? words.join(" ")) ?? expressionOf(withOwnTerms(words) ?? "") ?? { kind: "name", text };
}

/** Images of use have some hundred kilobytes of different statements; what comes after so many characters stays a name. */
const maxCharacters = 1_000_000;

/** The licences of one document's packages, which have few statements among them. */
export class LicenceReader {
  readonly #known = new Map<string, Licence>();
  #left = maxCharacters;

  /** All statements of a package, each once; empty ones say nothing. */
  licencesOf(statements: readonly string[]): readonly Licence[] {
    const said = new Set(statements.map((statement) => statement.trim()));
    said.delete("");
    return [...said].map((statement) => this.#licenceOf(statement));
  }

  #licenceOf(statement: string): Licence {
    const known = this.#known.get(statement);
    if (known !== undefined) return known;
    this.#left -= statement.length;
    if (this.#left < 0) return { kind: "name", text: statement.replace(/\s+/g, " ") };
    const licence = licenceOf(statement);
    this.#known.set(statement, licence);
    return licence;
  }
}
