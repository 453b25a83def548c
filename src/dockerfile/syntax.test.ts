import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { SlipwayError } from "../base/errors.ts";
import { isInstruction, positionInFile, type SyntaxTree } from "./syntax-tree.ts";
import { parseSyntax } from "./syntax.ts";

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

/** One line a node: kind, first and last line, and what was understood. */
function dump({ nodes }: SyntaxTree): string[] {
  return nodes.map((node) => {
    const where = `${node.span.start.line}-${node.span.end.line - (node.span.end.column === 1 ? 1 : 0)}`;
    if (node.kind !== "instruction") return `${where} ${node.kind} ${"text" in node ? node.text : "name" in node ? `${node.name}=${node.value}` : ""}`.trim();
    const bodies = node.heredocs.map(({ name, raw }) => ` ${name}=${JSON.stringify(raw)}`);
    return `${where} ${node.keyword} ${JSON.stringify(node.arguments)}${bodies.join("")}`;
  });
}

describe("parseSyntax", () => {
  it("reads the sample", () => {
    assert.deepEqual(dump(parseSyntax(sample)), [
      "1-1 directive syntax=docker/dockerfile:1",
      "2-2 blank",
      "3-3 comment the base",
      `4-7 FROM {"form":"words","words":["a","AS","b"]}`,
      `8-12 COPY {"form":"words","words":["<<A","<<-B","/x/"]} A="one\\n" B="\\ttwo\\n"`,
      `13-13 run {"form":"words","words":["echo hi # no comment"]}`,
      `14-14 ONBUILD {"form":"nested","instruction":{"keyword":"ENV","flags":[],"arguments":{"form":"pairs","pairs":[{"key":"x","value":"1","legacy":false}]}}}`,
    ]);
  });

  it("knows where each part of a joined line stands", () => {
    const from = parseSyntax(sample).nodes.find(isInstruction);
    assert.ok(from);
    assert.equal(from.joined, "FROM a   AS b");
    assert.deepEqual(positionInFile(from, from.joined.indexOf("AS")), { offset: sample.indexOf("AS b"), line: 7, column: 3 });
    assert.deepEqual(positionInFile(from, 5), { offset: sample.indexOf("a \\"), line: 4, column: 6 });
    assert.equal(from.emptyContinuationLine, 7);
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
        assert.equal(tree.nodes.map(({ span }) => text.slice(span.start.offset, span.end.offset)).join(""), text);
        for (const { joined, pieces } of tree.nodes.filter(isInstruction)) {
          const slices = pieces.map(({ source, length }) => text.slice(source.offset, source.offset + length));
          assert.equal(slices.join(""), joined);
        }
      }),
    );
  });
});
