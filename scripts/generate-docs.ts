/** Writes docs/cli from the table of commands and docs/rules from the rules. With --check it writes nothing and exits 1 when a page differs. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { commandTable } from "../src/cli/definitions/index.ts";
import { documentationPages } from "../src/cli/docs.ts";
import { formatRulePages } from "../src/dockerfile/rule-pages.ts";

const check = process.argv.includes("--check");
const folders = [
  { name: "docs/cli", pages: documentationPages(commandTable), source: "the table of commands says" },
  { name: "docs/rules", pages: formatRulePages(), source: "the rules say" },
];

function read(url: URL): string | undefined {
  try {
    return readFileSync(url, "utf8");
  } catch {
    return undefined;
  }
}

let wrong = 0;
for (const { name, pages, source } of folders) {
  const folder = new URL(`../${name}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  const stale = readdirSync(folder).filter((file) => file.endsWith(".md") && !pages.has(file));
  const different = [...pages].filter(([file, text]) => read(new URL(file, folder)) !== text);
  wrong += stale.length + different.length;
  if (check) {
    for (const file of [...stale, ...different.map(([page]) => page)]) console.error(`${name}/${file} is not what ${source}`);
    continue;
  }
  for (const file of stale) rmSync(new URL(file, folder));
  for (const [file, text] of different) writeFileSync(new URL(file, folder), text);
  console.log(`${name}: ${different.length} of ${pages.size} pages written, ${stale.length} removed`);
}
if (check && wrong > 0) {
  console.error("run: npm run docs");
  process.exit(1);
}
