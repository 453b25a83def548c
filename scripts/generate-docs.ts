/** Writes docs/cli from the table of commands. With --check it writes nothing and exits 1 when a page differs. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { commandTable } from "../src/cli/definitions/index.ts";
import { documentationPages } from "../src/cli/docs.ts";

const folder = new URL("../docs/cli/", import.meta.url);
const check = process.argv.includes("--check");

function read(name: string): string | undefined {
  try {
    return readFileSync(new URL(name, folder), "utf8");
  } catch {
    return undefined;
  }
}

mkdirSync(folder, { recursive: true });
const pages = documentationPages(commandTable);
const stale = readdirSync(folder).filter((name) => name.endsWith(".md") && !pages.has(name));
const different = [...pages].filter(([name, text]) => read(name) !== text);

if (check) {
  for (const name of [...stale, ...different.map(([name]) => name)]) console.error(`docs/cli/${name} is not what the table of commands says`);
  if (stale.length + different.length > 0) console.error("run: npm run docs");
  process.exit(stale.length + different.length > 0 ? 1 : 0);
}
for (const name of stale) rmSync(new URL(name, folder));
for (const [name, text] of different) writeFileSync(new URL(name, folder), text);
console.log(`docs/cli: ${different.length} of ${pages.size} pages written, ${stale.length} removed`);
