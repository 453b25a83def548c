import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { SlipwayError } from "../base/errors.ts";
import { isInstruction, positionInFile, type SyntaxTree } from "./syntax-tree.ts";
import { describeTree } from "./test-syntax.ts";
import { formatSyntax, parseSyntax, parseSyntaxWithFaults } from "./syntax.ts";

const sample = `# syntax=docker/dockerfile:1

# the base
FROM a \\
  # between

  AS b
COPY <<A <<-B /x/
one
A
\ttwo
\tB
  run echo hi # no comment
ONBUILD ENV x=1
`;

describe("parseSyntax", () => {
  it("reads the sample", () => {
    assert.deepEqual(describeTree(parseSyntax(sample)), [
      "1-1 directive syntax=docker/dockerfile:1",
      "2-2 blank",
      "3-3 comment the base",
      `4-7 FROM {"form":"words","words":["a","AS","b"]}`,
      `8-12 COPY {"form":"words","words":["<<A","<<-B","/x/"]} A="one\\n" B(chomped)="\\ttwo\\n"`,
      `13-13 run {"form":"words","words":["echo hi # no comment"]}`,
      `14-14 ONBUILD {"form":"nested","instruction":{"keyword":"ENV","flags":[],"arguments":{"form":"pairs","pairs":[{"key":"x","value":"1","legacy":false}]}}}`,
    ]);
  });

  const golden = JSON.parse(readFileSync(new URL("testdata/syntax-trees.json", import.meta.url), "utf8")) as {
    readonly name: string;
    readonly text: string;
    readonly tree: readonly string[];
  }[];
  for (const { name, text, tree } of golden) {
    it(`reads and writes: ${name}`, () => {
      const parsed = parseSyntax(text);
      assert.deepEqual(describeTree(parsed), tree);
      assert.equal(formatSyntax(parsed), text);
    });
  }

  it("knows a line of the greatest length, and refuses a longer one", () => {
    const line = (length: number): string => `FROM a\nRUN ${"x".repeat(length - 4)}\nCMD y\n`;
    assert.equal(formatSyntax(parseSyntax(line(65_535))), line(65_535));
    assert.throws(() => parseSyntax(line(65_536)), { code: "DOCKERFILE_PARSE", message: "dockerfile line greater than max allowed size of 65535" });
  });

  it("knows where each part of a joined line stands", () => {
    const from = parseSyntax(sample).nodes.find(isInstruction);
    assert.ok(from);
    assert.equal(from.joined, "FROM a   AS b");
    assert.deepEqual(positionInFile(from, from.joined.indexOf("AS")), { offset: sample.indexOf("AS b"), line: 7, column: 3 });
    assert.deepEqual(positionInFile(from, 5), { offset: sample.indexOf("a \\"), line: 4, column: 6 });
    assert.equal(from.emptyContinuationLine, 7);
  });

  it("formats with other text in the place of nodes", () => {
    const tree = parseSyntax("# c\nFROM a\nRUN x \\\n y\nCMD z\n");
    const [comment, , run] = tree.nodes;
    assert.ok(comment && run);
    const replaced = new Map([
      [comment, ""],
      [run, "RUN other\n"],
    ]);
    assert.equal(formatSyntax(tree, replaced), "FROM a\nRUN other\nCMD z\n");
  });

  it("goes on behind instructions that cannot be split", () => {
    const { tree, faults } = parseSyntaxWithFaults("FROM a\nENV a=b c\nCMD [1]\nRUN x\nRUN <<E\n");
    assert.deepEqual(
      faults.map(({ message }) => message),
      [
        'Syntax error - can\'t find = in "c". Must be of the form: name=value',
        "when using JSON array syntax, arrays must be comprised of strings only",
        "unterminated heredoc",
      ],
    );
    assert.deepEqual(
      tree.nodes.filter(isInstruction).map(({ joined }) => joined),
      ["FROM a", "RUN x"],
    );
  });

  const line = fc.constantFrom(
    "FROM a",
    "RUN x \\",
    "  y",
    "# c",
    "",
    "  ",
    "RUN <<E",
    "E",
    "COPY <<-E /",
    "\tE",
    "LABEL a=b`",
    "#escape=`",
    'ENV a="b \\',
    'c"',
  );
  const ending = fc.constantFrom("\n", "\r\n", "");
  it("loses no character", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(line, ending), { maxLength: 12 }), (lines) => {
        const text = `FROM a\n${lines.flat().join("")}`;
        let tree: SyntaxTree;
        try {
          tree = parseSyntax(text);
        } catch (error) {
          assert.ok(error instanceof SlipwayError);
          return;
        }
        assert.equal(formatSyntax(tree), text);
        for (const { joined, pieces } of tree.nodes.filter(isInstruction)) {
          const slices = pieces.map(({ source, length }) => text.slice(source.offset, source.offset + length));
          assert.equal(slices.join(""), joined);
        }
      }),
    );
  });
});
