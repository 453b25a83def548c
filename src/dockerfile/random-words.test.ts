import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { asSlipwayError } from "../base/errors.ts";
import { expandWord, expandWords } from "./word.ts";

type Recorded = readonly (readonly [word: string, expected: string | { readonly error: string }])[];

const recorded = JSON.parse(readFileSync(new URL("testdata/random-words.json", import.meta.url), "utf8")) as Readonly<
  Record<"backslash" | "backtick", Recorded>
>;

const variables = new Map([
  ["E", ""],
  ["V", "foobarfoo"],
  ["P", "/usr/local/lib/x.tar.gz"],
  ["N", "a b  c"],
  ["Q", "a*b?c"],
  ["W", "äöü€😀x"],
  ["B", "a\\b"],
  ["D", "x$y{z}"],
]);

function expanded(word: string, escape: "\\" | "`"): string | { readonly error: string } {
  try {
    return expandWord(word, variables, { escape }).result;
  } catch (error) {
    return { error: asSlipwayError(error).message };
  }
}

describe("random words become what Docker makes of them", () => {
  for (const [name, words] of Object.entries(recorded)) {
    it(`with ${name} as escape`, () => {
      const escape = name === "backtick" ? "`" : "\\";
      const different = words.filter(([word, expected]) => JSON.stringify(expanded(word, escape)) !== JSON.stringify(expected)).map(([word]) => word);
      assert.deepEqual(different, []);
    });
  }
});

/** A word and what it must become, made together: the expansion as a model of itself, without a parser. */
interface Modelled {
  readonly text: string;
  readonly value: string;
}

const plain = fc.stringMatching(/^[a-z/.é€-]{1,4}$/u).map((text): Modelled => ({ text, value: text }));
const single = fc.stringMatching(/^[a-z $"\\{}]{0,5}$/u).map((value): Modelled => ({ text: `'${value}'`, value }));
const escaped = fc.constantFrom("$", "\\", "'", '"', "x", "}").map((value): Modelled => ({ text: `\\${value}`, value }));
const names = fc.constantFrom("E", "V", "N", "W", "U");
const variable = fc
  .tuple(names, fc.boolean())
  .map(([name, braces]): Modelled => ({ text: braces ? `\${${name}}` : `$${name}`, value: variables.get(name) ?? "" }));

const { word } = fc.letrec<{ word: Modelled; part: Modelled }>((tie) => ({
  word: fc.array(tie("part"), { maxLength: 4 }).map((parts) => parts.reduce(joined, { text: "", value: "" })),
  part: fc.oneof(
    { maxDepth: 3 },
    plain,
    single,
    escaped,
    variable,
    tie("word").map(doubleQuoted),
    fc.tuple(names, fc.constantFrom(":-", "-", ":+", "+"), tie("word")).map(substituted),
  ),
}));

/** A bare `$V` must not run into the name behind it. */
function joined(left: Modelled, right: Modelled): Modelled {
  const separator = /\$[A-Z]$/.test(left.text) ? "." : "";
  return { text: left.text + separator + right.text, value: left.value + separator + right.value };
}

/** Only text that means the same inside double quotes. */
function doubleQuoted(inner: Modelled): Modelled {
  return /['"\\]/.test(inner.text) ? inner : { text: `"${inner.text}"`, value: inner.value };
}

function substituted([name, operator, inner]: readonly [string, string, Modelled]): Modelled {
  const value = variables.get(name);
  const missing = value === undefined || (operator.startsWith(":") && value === "");
  return { text: `\${${name}${operator}${inner.text}}`, value: operator.endsWith("-") ? (missing ? inner.value : value) : missing ? "" : inner.value };
}

describe("words of a known meaning", () => {
  it("expand to it", () => {
    fc.assert(fc.property(word, ({ text, value }) => assert.equal(expandWord(text, variables).result, value)));
  });

  it("split as their value does where nothing is quoted", () => {
    const bare = fc.array(
      fc.oneof(
        plain,
        variable,
        fc.constantFrom(" ", "  ", "\t").map((value): Modelled => ({ text: value, value })),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(bare, (parts) => {
        const { text, value } = parts.reduce(joined, { text: "", value: "" });
        assert.deepEqual(
          expandWords(text, variables).words,
          value.split(/[ \t]+/).filter((part) => part !== ""),
        );
      }),
    );
  });
});
