/** Type declarations of the library: by the compiler, less what no public type mentions. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "../..");
const specifier = /((?:from |import\()["'])(\.\.?\/[^"']+)\.ts(["'])/g;

function emit(directory: string): void {
  const compiler = path.join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, "-p", path.join(import.meta.dirname, "declarations.json"), "--outDir", directory], { stdio: "inherit" });
}

const declarationOf = (source: string): string => source.replace(/\.ts$/, ".d.ts");

/** Files below `directory` that the entries reach, relative to it. */
function reachable(directory: string, entries: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>(entries);
  for (const file of found) {
    const text = readFileSync(path.join(directory, file), "utf8");
    for (const [, , target = ""] of text.matchAll(specifier)) found.add(declarationOf(path.join(path.dirname(file), `${target}.ts`)));
  }
  return found;
}

/** Writes `<folder>/index.d.ts` of each folder of src, and what they need, below `target`. Answers the number of files. */
export function writeDeclarations(folders: readonly string[], target: string): number {
  const directory = mkdtempSync(path.join(tmpdir(), "slipway-declarations-"));
  try {
    emit(directory);
    const files = reachable(
      directory,
      folders.map((folder) => `${folder}/index.d.ts`),
    );
    for (const file of files) {
      mkdirSync(path.dirname(path.join(target, file)), { recursive: true });
      // the compiler keeps the sources' extension; beside these files lies no source
      writeFileSync(path.join(target, file), readFileSync(path.join(directory, file), "utf8").replaceAll(specifier, "$1$2.js$3"));
    }
    return files.size;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
