/**
 * Records what Docker makes of the cases, or compares a program, ours unless it is named, with what is recorded:
 *
 *     bin/node test/conformance/record.ts [--compare] [--program "chroot /lab docker"] [--directory /lab/tmp/c --seen-as /tmp/c] [FILE.case] [NAME…]
 *
 * `--files` looks at nothing but the files, and at whether a build fails: builders of other families have configs of their own.
 * Without a file all are taken; without names all of a file's cases. Recording merges into expected/FILE.json.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { makeBaseTar } from "../e2e/base-image.ts";
import { createBuilder } from "./builder.ts";
import { splitWords } from "./case-file.ts";
import { caseFiles, readCases, readExpected, expectedPath } from "./corpus.ts";
import { differences, type Outcome } from "./outcome.ts";
import { ownProgram, processProgram } from "./program.ts";
import { startWebServer } from "./web-server.ts";
import { temporaryDirectory } from "./write-context.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    compare: { type: "boolean", default: false },
    program: { type: "string", default: "" },
    directory: { type: "string" },
    "seen-as": { type: "string" },
    flags: { type: "string" },
    files: { type: "boolean", default: false },
  },
});
/** ours, in this process */
const isOwn = values.compare && values.program === "";
const program = values.program || (process.env["SLIPWAY_LAB_DOCKER"] ?? "docker");
const files = positionals.filter((word) => word.endsWith(".case"));
const names = new Set(positionals.filter((word) => !word.endsWith(".case")));
const directory = values.directory ?? temporaryDirectory();
mkdirSync(directory, { recursive: true });
const env = {
  PATH: process.env["PATH"] ?? "",
  HOME: process.env["HOME"] ?? "/root",
  ...(process.env["SLIPWAY_ROOT"] === undefined ? {} : { SLIPWAY_ROOT: process.env["SLIPWAY_ROOT"] }),
};
await using web = await startWebServer();
const place = {
  web,
  directory,
  seenAs: values["seen-as"] ?? directory,
  buildFlags: splitWords(values.flags ?? (isOwn ? "--no-cache" : "--no-cache --provenance=false")),
};

await using own = isOwn ? await ownProgram(env, { host: web.host, directory }) : undefined;
await using builder = await createBuilder(own?.run ?? processProgram(splitWords(program), env), place, readFileSync(makeBaseTar()));
let total = 0;
let equal = 0;
for (const file of caseFiles().filter((known) => files.length === 0 || files.some((wanted) => path.basename(wanted) === known))) {
  const expected: Record<string, Outcome> = { ...readExpected(file) };
  const cases = readCases(file);
  for (const one of cases.filter(({ name }) => names.size === 0 || names.has(name))) {
    const outcome = await (values.files ? builder.build(one).catch((error: unknown): Outcome => ({ error: String(error), at: [] })) : builder.build(one));
    total += 1;
    const found = values.compare ? differencesOf(outcome, expected[one.name] ?? { error: "not recorded", at: [] }) : [];
    if (one.differs === "" ? found.length === 0 : found.length > 0) equal += 1;
    else console.log(`${file} ${one.name}\n    ${found.join("\n    ")}`);
    if (!values.compare) {
      console.log(`${file} ${one.name}: ${"error" in outcome ? `${outcome.at.join(" ")} ${outcome.error}` : `${Object.keys(outcome.tree).length} paths`}`);
      expected[one.name] = outcome;
    }
  }
  if (values.compare) continue;
  const kept = cases.flatMap(({ name }) => (expected[name] === undefined ? [] : [`${JSON.stringify(name)}: ${JSON.stringify(expected[name])}`]));
  if (!existsSync(path.dirname(expectedPath(file)))) mkdirSync(path.dirname(expectedPath(file)));
  writeFileSync(expectedPath(file), `{\n${kept.join(",\n")}\n}\n`);
}
console.log(values.compare ? `${equal}/${total} equal` : `${total} recorded`);

function differencesOf(outcome: Outcome, want: Outcome): readonly string[] {
  if (!values.files) return differences(outcome, want);
  if ("error" in outcome && "error" in want) return [];
  return differences("error" in outcome ? outcome : { ...outcome, config: "" }, "error" in want ? want : { ...want, config: "" });
}
