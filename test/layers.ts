/**
 * The import rules of the source as data and the check over them; layers.test.ts runs it over src and over bad samples.
 * A folder of src may import itself and what its row names; the table is the one of ARCHITECTURE.md.
 */
import { readFileSync } from "node:fs";
import path from "node:path";

export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  base: [],
  oci: ["base"],
  tar: ["base"],
  dockerfile: ["base"],
  graph: ["base", "oci", "dockerfile"],
  store: ["base", "oci", "tar"],
  registry: ["base", "oci"],
  distribution: ["base", "oci"],
  testing: ["base", "oci", "distribution"],
  runtime: ["base", "oci", "store"],
  solver: ["base", "oci", "tar", "dockerfile", "graph", "store", "registry", "runtime"],
  trust: ["base", "oci", "tar", "store", "registry"],
  engine: ["base", "oci", "tar", "dockerfile", "graph", "store", "registry", "distribution", "runtime", "solver", "trust"],
  api: ["base", "oci", "engine", "graph"],
  cli: ["base", "oci", "engine", "api"],
  web: [],
};

/** Foreign modules that belong to one place: the file (or the folder, ending in "/") that may import them. */
export const OWNED: Readonly<Record<string, string>> = {
  koffi: "src/store/syscalls.ts",
  "node:sqlite": "src/store/",
};

/** Costly at start-up: loaded when first needed (`process.getBuiltinModule`, `await import`), never by a static import. */
export const LAZY: ReadonlySet<string> = new Set(["node:http", "node:https", "node:http2", "undici", "koffi"]);

export interface Import {
  readonly specifier: string;
  readonly line: number;
  /** an import statement, as against import() and require() */
  readonly isStatic: boolean;
  /** types vanish at run time: a type-only import makes no cycle, but it counts for the layers */
  readonly typeOnly: boolean;
}

export interface Source {
  /** from the project's root, with forward slashes */
  readonly file: string;
  readonly imports: readonly Import[];
}

const patterns = [
  // import x from "y", import "y", export … from "y"; the clause may span lines but holds no quote or semicolon
  /^[ \t]*(import|export)(\s+type)?(?=[\s{*"'])([^"';]*?)(?:\bfrom\s*)?["']([^"'\n]+)["']/gm,
  // import("y"), require("y"), process.getBuiltinModule("y"), import.meta.resolve("y"), and createRequire(…)("y")
  /(?:\bimport|\brequire|\bgetBuiltinModule|\bresolve|\bcreateRequire\([^()]*\))\(\s*["'`]([^"'`\n]+)["'`]/g,
];

/** Comments become blanks, so that examples in docstrings do not count; strings with "//" keep their text. */
function withoutComments(text: string): string {
  return text.replace(/("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, (whole, string: string | undefined) =>
    string === undefined ? whole.replace(/[^\n]/g, " ") : string,
  );
}

export function importsOf(text: string): readonly Import[] {
  const code = withoutComments(text);
  const lineAt = (index: number): number => code.slice(0, index).split("\n").length;
  const found: Import[] = [];
  for (const match of code.matchAll(patterns[0] as RegExp)) {
    const clause = match[3] ?? "";
    // `export const x = "…"` has the same beginning as `export … from "…"`
    if (match[1] === "export" && !/\bfrom\s*$/.test(match[0].slice(0, match[0].lastIndexOf(match[4] ?? "") - 1))) continue;
    found.push({
      specifier: match[4] ?? "",
      line: lineAt(match.index),
      isStatic: true,
      typeOnly: match[2] !== undefined || /^\s*\{(\s*type\s[^,}]*,?)+\s*\}\s*$/.test(clause.replace(/from\s*$/, "")),
    });
  }
  for (const match of code.matchAll(patterns[1] as RegExp)) {
    found.push({ specifier: match[1] ?? "", line: lineAt(match.index), isStatic: false, typeOnly: false });
  }
  return found;
}

export function readSource(root: string, file: string): Source {
  return { file, imports: importsOf(readFileSync(path.join(root, file), "utf8")) };
}

function targetOf(source: Source, specifier: string): string | undefined {
  return specifier.startsWith(".") ? path.posix.join(path.posix.dirname(source.file), specifier) : undefined;
}

const isTest = (file: string): boolean => file.endsWith(".test.ts");

/** Every breach of the table as one line "file:line: what is wrong"; empty when all is well. */
export function breachesOf(sources: readonly Source[]): readonly string[] {
  const breaches: string[] = [];
  for (const source of sources) {
    const folder = source.file.split("/")[1] ?? "";
    const allowed = ALLOWED[folder];
    if (allowed === undefined || source.file.split("/").length < 3) {
      breaches.push(`${source.file}:1: lies in no known folder of src`);
      continue;
    }
    for (const found of source.imports) {
      const problem = problemOf(source, found, folder, allowed);
      if (problem !== undefined) breaches.push(`${source.file}:${found.line}: ${problem}`);
    }
  }
  return breaches;
}

function problemOf(source: Source, found: Import, folder: string, allowed: readonly string[]): string | undefined {
  const { specifier } = found;
  if (found.isStatic && !found.typeOnly && LAZY.has(specifier) && !isTest(source.file)) return `${specifier} is to be loaded lazily`;
  const owner = OWNED[specifier];
  if (owner !== undefined) {
    const owns = owner.endsWith("/") ? source.file.startsWith(owner) : source.file === owner;
    return owns || isTest(source.file) ? undefined : `only ${owner} may import ${specifier}`;
  }
  const target = targetOf(source, specifier);
  if (target === undefined) return undefined;
  if (!target.startsWith("src/")) return target === "package.json" || isTest(source.file) ? undefined : `imports ${target} outside src`;
  const to = target.split("/")[1] ?? "";
  return to === folder || allowed.includes(to) ? undefined : `${folder} may not import ${to} (${specifier})`;
}

/** Cycles between files, each as the path "a → b → a"; type-only imports are left out. */
export function cyclesOf(sources: readonly Source[]): readonly string[] {
  const edges = new Map(
    sources.map((source) => [source.file, source.imports.filter((one) => !one.typeOnly).flatMap((one) => targetOf(source, one.specifier) ?? [])]),
  );
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start >= 0) cycles.push([...trail.slice(start), file].join(" → "));
    if (start >= 0 || done.has(file)) return;
    for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of edges.keys()) visit(file, []);
  return cycles;
}
