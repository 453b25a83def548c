/** Imports go downward only: the table of ARCHITECTURE.md, held against every file of src. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { ALLOWED, breachesOf, cyclesOf, importsOf, readSource, type Source } from "./layers.ts";

const root = path.resolve(import.meta.dirname, "..");
const files = globSync("src/**/*.ts", { cwd: root }).toSorted();
const sources = files.map((file) => readSource(root, file));

test("every import of src goes downward", () => {
  assert.ok(files.length > 50, "the search for sources is broken");
  assert.deepEqual(breachesOf(sources), []);
});

test("no import cycles between files", () => {
  assert.deepEqual(cyclesOf(sources), []);
});

test("no file over 400 lines, no folder for leftovers", () => {
  const tooLong = files.filter((file) => readFileSync(path.join(root, file), "utf8").split("\n").length > 401);
  const leftovers = files.filter((file) => /(^|\/)(utils?|common|helpers?|misc)(\/|\.ts$)/.test(file));
  assert.deepEqual({ tooLong, leftovers }, { tooLong: [], leftovers: [] });
});

test("the linter's rules say the same as the table", () => {
  interface Override {
    readonly files: readonly string[];
    readonly rules: Readonly<Record<string, readonly [string, { readonly patterns: readonly { readonly group: readonly string[] }[] }]>>;
  }
  const config = JSON.parse(readFileSync(path.join(root, ".oxlintrc.json"), "utf8")) as { readonly overrides: readonly Override[] };
  for (const [folder, allowed] of Object.entries(ALLOWED)) {
    const override = config.overrides.find((one) => one.files.includes(`src/${folder}/**/*.ts`));
    const forbidden = Object.keys(ALLOWED).filter((other) => other !== folder && !allowed.includes(other));
    const groups = override?.rules["no-restricted-imports"]?.[1].patterns.flatMap((one) => one.group) ?? [];
    assert.deepEqual(
      groups,
      forbidden.map((other) => `**/${other}/**`),
      `overrides of src/${folder}`,
    );
  }
});

test("the table of ARCHITECTURE.md is the one that is proved", () => {
  const text = readFileSync(path.join(root, "ARCHITECTURE.md"), "utf8");
  const rows = [...text.matchAll(/^\| `src\/(\w+)` \|.*\| ([^|]+) \|$/gm)].map(([, folder = "", cell = ""]) => [folder, cell] as const);
  const lists = rows.map(([folder, cell], index) => {
    if (cell === "all above") return [folder, rows.slice(0, index).map(([above]) => above)] as const;
    return [folder, cell === "–" ? [] : cell.split(" ")] as const;
  });
  assert.deepEqual(Object.fromEntries(lists), ALLOWED);
});

const breachCases: readonly { readonly name: string; readonly file: string; readonly text: string; readonly want: RegExp }[] = [
  { name: "static upward", file: "src/oci/x.ts", text: 'import { a } from "../store/a.ts";', want: /oci may not import store/ },
  { name: "type upward", file: "src/tar/x.ts", text: 'import type { A } from "../oci/a.ts";', want: /tar may not import oci/ },
  { name: "re-export upward", file: "src/base/x.ts", text: 'export * from "../tar/a.ts";', want: /base may not import tar/ },
  { name: "many lines", file: "src/base/x.ts", text: 'import {\n  a,\n  b,\n} from "../tar/a.ts";', want: /x\.ts:1: base may not import tar/ },
  { name: "side effect", file: "src/graph/x.ts", text: 'import "../store/a.ts";', want: /graph may not import store/ },
  { name: "dynamic upward", file: "src/registry/x.ts", text: 'const m = await import("../runtime/a.ts");', want: /registry may not import runtime/ },
  {
    name: "required upward",
    file: "src/registry/x.ts",
    text: 'const m = createRequire(import.meta.url)("../runtime/a.ts");',
    want: /registry may not import runtime/,
  },
  { name: "cli past the engine", file: "src/cli/x.ts", text: 'import { s } from "../store/a.ts";', want: /cli may not import store/ },
  { name: "koffi elsewhere", file: "src/store/x.ts", text: 'const k = require("koffi");', want: /only src\/store\/syscalls\.ts/ },
  { name: "sqlite elsewhere", file: "src/solver/x.ts", text: 'import { DatabaseSync } from "node:sqlite";', want: /only src\/store\// },
  { name: "sqlite as a builtin", file: "src/engine/x.ts", text: 'process.getBuiltinModule("node:sqlite")', want: /only src\/store\// },
  { name: "costly at start-up", file: "src/registry/x.ts", text: 'import { Agent } from "undici";', want: /undici is to be loaded lazily/ },
  { name: "out of src", file: "src/engine/x.ts", text: 'import { a } from "../../test/layers.ts";', want: /outside src/ },
  { name: "unknown folder", file: "src/extra/x.ts", text: "", want: /no known folder/ },
];
for (const { name, file, text, want } of breachCases) {
  test(`a bad import is found: ${name}`, () => {
    assert.match(breachesOf([{ file, imports: importsOf(text) }]).join("\n"), want);
  });
}

const goodCases: readonly { readonly name: string; readonly file: string; readonly text: string }[] = [
  { name: "downward", file: "src/store/x.ts", text: 'import { a } from "../base/a.ts";\nimport { s } from "./syscalls.ts";' },
  { name: "in a comment", file: "src/base/x.ts", text: '/** import { Slipway } from "../engine/index.ts" */\n// import("../cli/a.ts")' },
  { name: "exported text", file: "src/base/x.ts", text: 'export const path = "../engine/index.ts";' },
  { name: "lazy", file: "src/registry/x.ts", text: 'import type { Agent } from "undici";\nconst u = await import("undici");' },
  { name: "owner", file: "src/store/syscalls.ts", text: 'createRequire(import.meta.url)("koffi")' },
];
for (const { name, file, text } of goodCases) {
  test(`a good import passes: ${name}`, () => {
    assert.deepEqual(breachesOf([{ file, imports: importsOf(text) }]), []);
  });
}

test("a cycle is found, a cycle of types is none", () => {
  const source = (file: string, text: string): Source => ({ file, imports: importsOf(text) });
  const b = source("src/oci/b.ts", 'import { a } from "./a.ts";');
  assert.deepEqual(cyclesOf([source("src/oci/a.ts", 'export { b } from "./b.ts";'), b]), ["src/oci/a.ts → src/oci/b.ts → src/oci/a.ts"]);
  assert.deepEqual(cyclesOf([source("src/oci/a.ts", 'import type { B } from "./b.ts";'), b]), []);
  assert.deepEqual(cyclesOf([source("src/oci/a.ts", 'import { type B, type C } from "./b.ts";'), b]), []);
});
