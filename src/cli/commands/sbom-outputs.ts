/** What `sbom` is asked for: kinds of packages, formats under the names that others give them too, and files that say which one they want. */
import { SlipwayError } from "../../base/errors.ts";
import type { BillFormat, PackageType } from "../../engine/api.ts";
import { packageTypes } from "../../engine/scan/gate.ts";

export type SbomFormat = "table" | BillFormat;

/** Docker Scout's and Syft's words stand beside our own. */
const formatWords: ReadonlyMap<string, SbomFormat> = new Map([
  ["table", "table"],
  ["list", "table"],
  ["json", "json"],
  ["spdx-json", "spdx-json"],
  ["spdx-json@2.3", "spdx-json"],
  ["spdx", "spdx-json"],
  ["cyclonedx-json", "cyclonedx-json"],
  ["cyclonedx-json@1.6", "cyclonedx-json"],
  ["cyclonedx", "cyclonedx-json"],
]);

const otherForms = /^(?:spdx|cyclonedx|syft|github)(?:-[a-z-]+)?(?:@[\d.]+)?$/;

export interface SbomOutput {
  readonly format: SbomFormat;
  /** "" is standard output */
  readonly file: string;
}

function usage(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "USAGE", message);
}

function parseFormat(word: string): SbomFormat {
  const format = formatWords.get(word);
  if (format !== undefined) return format;
  throw usage(`unknown format ${JSON.stringify(word)}: want one of table, json, spdx-json, cyclonedx-json`);
}

/** What the names of files say by which both formats' makers want them known. */
function formatOfFile(file: string): SbomFormat | undefined {
  if (/\.spdx\.json$/i.test(file)) return "spdx-json";
  return /(?:\.cdx\.json|(?:^|\/)bom\.json)$/i.test(file) ? "cyclonedx-json" : undefined;
}

/** `FILE`, `FORMAT=FILE` or `FORMAT`. */
function parseOutput(word: string, format: SbomFormat | undefined): SbomOutput {
  const at = word.indexOf("=");
  const head = at < 0 ? word : word.slice(0, at);
  if (formatWords.has(head)) return { format: parseFormat(head), file: at < 0 ? "" : plainFile(word.slice(at + 1)) };
  // a file of that name would hold something else than it says
  if (otherForms.test(head)) return { format: parseFormat(head), file: "" };
  return { format: format ?? formatOfFile(word) ?? "table", file: plainFile(word) };
}

function plainFile(file: string): string {
  return file === "-" ? "" : file;
}

/** `format`: undefined where it was not given. Fails with USAGE. */
export function parseOutputs(format: string | undefined, outputs: readonly string[]): readonly SbomOutput[] {
  const given = format === undefined ? undefined : parseFormat(format);
  const parsed = outputs.map((word) => parseOutput(word, given));
  const files = parsed.map(({ file }) => file);
  const twice = files.find((file, at) => files.indexOf(file) !== at);
  if (twice !== undefined) throw usage(`${twice === "" ? "standard output" : JSON.stringify(twice)} is to be written twice: want -o FORMAT=FILE for each`);
  return parsed.length === 0 ? [{ format: given ?? "table", file: "" }] : parsed;
}

/** What people call them besides. */
const otherKinds: readonly (readonly [string, PackageType])[] = [
  ["go", "golang"],
  ["pip", "pypi"],
  ["python", "pypi"],
  ["java", "maven"],
  ["ruby", "gem"],
  ["php", "composer"],
  ["rust", "cargo"],
  ["dotnet", "nuget"],
];
const kinds: ReadonlyMap<string, PackageType> = new Map([...packageTypes.map((kind) => [kind, kind] as const), ...otherKinds]);

/** Fails with USAGE. */
export function parseKinds(words: readonly string[]): readonly PackageType[] {
  return words.map((word) => {
    const kind = kinds.get(word.trim().toLowerCase());
    if (kind === undefined) throw usage(`unknown kind of package ${JSON.stringify(word)}: want ${packageTypes.join(", ")}`);
    return kind;
  });
}
