/** Every command that the documentation shows is one that the program takes: its words, its flags, the number of its arguments. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { findCommand } from "./command.ts";
import { commandTable } from "./definitions/index.ts";
import { checkArguments } from "./failure.ts";
import { parseFlags } from "./flags.ts";
import { parseGlobals } from "./run-command.ts";

const root = path.resolve(import.meta.dirname, "../..");
const pages = [
  "README.md",
  ...readdirSync(path.join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** Lines of a page's code, continued ones as one. */
function codeOf(page: string): readonly string[] {
  const fenced = [...page.matchAll(/^```(?:sh|console|bash)?\n(.*?)^```$/gms)].map(([, text = ""]) => text);
  const indented = page.replaceAll(/^```.*?^```$/gms, "").match(/^ {4}slipway .*$/gm) ?? [];
  return [...fenced, ...indented].flatMap((text) => text.replaceAll("\\\n", " ").split("\n"));
}

/** The words of a shell's line, each command of it; what another command would print is one word. */
function commandsIn(line: string): readonly (readonly string[])[] {
  const plain = line
    .trim()
    .replace(/^\$ /, "")
    .replaceAll(/\$\([^)]*\)|<\([^)]*\)/g, "WORD");
  const commands: string[][] = [[]];
  for (const [, quoted, double, word, end] of plain.matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"|&;#<>]+(?:'[^']*'|"[^"]*")*)|([|&;]+|[<>]+\s*\S+|#.*)/g)) {
    if (end?.startsWith("#") === true) break;
    if (end !== undefined && /^[|&;]/.test(end)) commands.push([]);
    else if (end === undefined) commands.at(-1)!.push(quoted ?? double ?? word?.replaceAll(/['"]/g, "") ?? "");
  }
  return commands
    .map((words) =>
      words.slice(
        Math.max(
          0,
          words.findIndex((word) => !/^[A-Z_]+=/.test(word)),
        ),
      ),
    )
    .flatMap(([program, ...words]) => (program === "slipway" ? [words] : []));
}

const isPattern = (words: readonly string[]): boolean => words.some((word) => /\[|…|\.\.\./.test(word));

for (const name of pages) {
  const commands = codeOf(readFileSync(path.join(root, name), "utf8"))
    .flatMap(commandsIn)
    .filter((words) => words.length > 0 && !isPattern(words));
  if (commands.length > 0)
    test(name, () => {
      for (const words of commands) {
        const said = `slipway ${words.join(" ")}`;
        const globals = parseGlobals(commandTable.globals, words);
        if (globals.words.length === 0) continue;
        const found = findCommand(commandTable, globals.words);
        assert.notEqual(found.kind, "unknown", said);
        if (found.kind !== "command") continue;
        const { command, rest } = found;
        assert.doesNotThrow(() => {
          const line = parseFlags(command.flags, rest, { interspersed: command.interspersed ?? true });
          if (!line.help) checkArguments(command, found.path, line.args.length);
        }, said);
      }
    });
}
