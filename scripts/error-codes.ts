/**
 * The codes of SlipwayErrors as the sources make them, for docs/errors.md: `node scripts/error-codes.ts` lists those that
 * the document lacks and those that it should no longer have. test/errors.test.ts holds both lists empty.
 */
import { globSync, readFileSync } from "node:fs";
import path from "node:path";

export interface CodeUse {
  readonly code: string;
  /** kinds it is thrown with, as far as the call says so literally */
  readonly kinds: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
  /** the beginning of the first message, as the source has it */
  readonly message: string;
}

/** Codes of Node and of the system, which sources compare with. */
const foreign = /^(E[A-Z0-9]+|ERR_[A-Z_]+|UND_ERR_[A-Z_]+|Z_[A-Z_]+|ABORT_ERR)$/;
const literal = /"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*)"/g;
/** `new SlipwayError(kind, code, message`, and makers of errors with the same order: the argument after the kind. */
const made = /(?:SlipwayError)\(\s*(?:"([a-z_]+)"|[^,()]*(?:\([^()]*\))?[^,()]*),\s*((?:[^,`()]|\([^()]*\))+),\s*([`"][^`"\n]*)?/g;
/** `code: "X"`, `const code = a ? "X" : "Y"` where an error is put together in steps. */
const prepared = /\bcode(?::|\s=(?!=))\s*([^;,{}]*)/g;

export function codesOf(files: Readonly<Record<string, string>>): readonly CodeUse[] {
  const found = new Map<string, { kinds: Set<string>; files: Set<string>; message: string }>();
  const add = (code: string, file: string, kind: string | undefined, message: string): void => {
    if (foreign.test(code)) return;
    const use = found.get(code) ?? { kinds: new Set(), files: new Set(), message };
    found.set(code, use);
    use.files.add(file);
    if (kind !== undefined) use.kinds.add(kind);
  };
  for (const [file, text] of Object.entries(files)) {
    for (const [, kind, argument = "", message = ""] of text.matchAll(made)) {
      for (const [, code = ""] of argument.matchAll(literal)) add(code, file, kind, message.slice(1));
    }
    if (!/SlipwayError|cliError|fileError/.test(text)) continue;
    for (const [, value = ""] of text.matchAll(prepared)) for (const [, code = ""] of value.matchAll(literal)) add(code, file, undefined, "");
    for (const [, code = ""] of text.matchAll(/\b(?:cliError|fileError)\([^;]*?"([A-Z]{2,}(?:_[A-Z]+)*)"\s*[,)]/g)) add(code, file, "invalid_argument", "");
    for (const [, code = ""] of text.matchAll(/asSlipwayError\([^;]*?,\s*"[a-z_]+",\s*"([A-Z_0-9]+)"/g)) add(code, file, undefined, "");
  }
  return [...found].map(([code, use]) => ({ code, ...use })).toSorted((a, b) => a.code.localeCompare(b.code, "en"));
}

export function readSources(root: string): Readonly<Record<string, string>> {
  const files = globSync("src/**/*.ts", { cwd: root }).filter((file) => !/\.test\.ts$|\/(fixtures|testdata)\//.test(file));
  return Object.fromEntries(files.map((file) => [file, readFileSync(path.join(root, file), "utf8")]));
}

/** The first cells of the document's tables. */
export function documentedCodes(markdown: string): readonly string[] {
  return [...markdown.matchAll(/^\| `([A-Z][A-Z0-9_]+)` \|/gm)].map((match) => match[1] ?? "");
}

if (import.meta.main) {
  const root = path.resolve(import.meta.dirname, "..");
  const uses = codesOf(readSources(root));
  const documented = new Set(documentedCodes(readFileSync(path.join(root, "docs/errors.md"), "utf8")));
  for (const use of uses.filter((one) => !documented.has(one.code)))
    console.log(`missing   ${use.code} (${[...use.kinds].join(", ")}) ${[...use.files].join(" ")}: ${use.message}`);
  for (const code of documented) if (!uses.some((use) => use.code === code)) console.log(`left over ${code}`);
}
