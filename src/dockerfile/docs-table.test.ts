import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { asSlipwayError } from "../base/errors.ts";
import { instructionNames } from "./instruction-from-syntax.ts";
import { parseDockerfile } from "./parse.ts";

const page = readFileSync(new URL("../../docs/dockerfile.md", import.meta.url), "utf8");
const read = (path: string): string => readFileSync(new URL(`../../docs/${path}`, import.meta.url), "utf8");

interface Row {
  readonly what: string;
  readonly here: string;
  readonly since: string;
  /** file and title */
  readonly file: string;
  readonly title: string;
}

const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| `") || /^\| [A-Z]/.test(line))
  .map((line): Row => {
    const [, what = "", here = "", since = "", test = ""] = line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll("\\|", "|"));
    const match = /^\[[^\]]+\]\(([^)]+)\): `(.+)`$/.exec(test);
    return { what, here, since, file: match?.[1] ?? "", title: match?.[2] ?? "" };
  });

/** The title as a test's own file has it: in quotes, in data, or as a case of the conformance suite. */
function mentions(text: string, title: string): boolean {
  const json = JSON.stringify(title).slice(1, -1);
  return (
    [`"${json}"`, `"${json}`, `${json}"`, `\`${title}\``, `'${title}'`].some((written) => text.includes(written)) || text.split("\n").includes(`== ${title}`)
  );
}

describe("docs/dockerfile.md", () => {
  it("has rows", () => assert.ok(rows.length > 50));
  for (const { what, since, file, title } of rows) {
    it(`${what} names a test that is there`, () => {
      assert.match(since, /^(?:Docker|syntax) \d+\.\d+$/);
      assert.ok(mentions(read(file), title), `${file} has no ${title}`);
    });
  }

  it("has every instruction", () => {
    const missing = instructionNames.filter((name) => !rows.some(({ what }) => what.includes(name.toUpperCase())));
    assert.deepEqual(missing, []);
  });

  const flags = rows.flatMap(({ what }) =>
    [...what.matchAll(/`([A-Z]+)((?: --[a-z-]+)+)/g)].flatMap(([, keyword = "", list = ""]) =>
      list
        .trim()
        .split(" ")
        .map((flag) => ({ keyword, flag: flag.trim() })),
    ),
  );
  for (const { keyword, flag } of flags) {
    it(`the parser knows ${keyword} ${flag}`, () => {
      const rest = keyword === "FROM" ? "scratch" : keyword === "HEALTHCHECK" ? "CMD x" : "a b";
      try {
        parseDockerfile(`# syntax=docker/dockerfile:1\nFROM scratch\n${keyword} ${flag}=1 ${rest}\n`);
      } catch (error) {
        assert.doesNotMatch(asSlipwayError(error).message, /unknown flag/);
      }
    });
  }
});
