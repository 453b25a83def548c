/** Random files: a short run with the unit tests, a longer one with `npm run fuzz` (SLIPWAY_FUZZ_RUNS). */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError, SlipwayError } from "../base/errors.ts";
import { checkDockerfile } from "./checks.ts";
import { chompTabs, findHeredocs } from "./heredoc.ts";
import { createIgnoreMatcher, parseIgnore } from "./ignore.ts";
import { listTargets, outlineTarget } from "./outline.ts";
import { parseDockerfile, parsePrefix, parseTrigger } from "./parse.ts";
import { formatStepName } from "./step-name.ts";
import { isInstruction, positionInFile } from "./syntax-tree.ts";
import { formatSyntax, parseSyntax, parseSyntaxWithFaults } from "./syntax.ts";

const options = { interruptAfterTimeLimit: 600_000, markInterruptAsFailure: true };

/** undefined for a typed failure; anything else fails the test. */
function attempt<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SlipwayError) return undefined;
    throw error;
  }
}

const keywords = "FROM RUN COPY ADD ENV ARG LABEL CMD ENTRYPOINT SHELL USER WORKDIR EXPOSE VOLUME STOPSIGNAL HEALTHCHECK ONBUILD MAINTAINER run From x".split(
  " ",
);
const piece = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...keywords.map((keyword) => `${keyword} `)) },
  { weight: 3, arbitrary: fc.constantFrom("\n", "\r\n", " \\\n", "`\n", "\\\r\n", "\n\n", "\n# c\n", "\t", " ", "\\ \n") },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      "<<E",
      "<<-E",
      `<<"E"`,
      "3<<E",
      "<<E <<F",
      "\nE\n",
      "\n\tE\n",
      "\nF\n",
      "<<",
      "--from=0",
      "--from=b",
      "--mount=type=cache,target=/x",
      "--mount=",
      "--chown=$x",
      "--",
      "--a='b c'",
      "scratch",
      "a AS b",
      "as",
      `["a", "b"]`,
      `["a"`,
      "[1]",
      "a=b",
      "a='b",
      `"`,
      "'",
      "$x",
      "${x:-y}",
      "${",
      "#",
      "# escape=`\n",
      "# check=skip=all;error=true\n",
      "# syntax=a\n",
      "\ufeff",
      "é",
      "😀",
      "\ud800",
      "\u0000",
      "80/tcp",
      ".",
      "/",
      "none",
      "--interval=1s",
      "chown -R a /b",
      "apt-get update",
      "npm ci",
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 6 }) },
);
const file = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join("")),
  fc.array(piece, { maxLength: 40 }).map((pieces) => `FROM scratch AS b\n${pieces.join("")}`),
);

describe("random Dockerfiles", () => {
  it("are formatted as they were, every piece in its place", () => {
    fc.assert(
      fc.property(file, (text) => {
        const tree = attempt(() => parseSyntax(text));
        if (tree === undefined) return;
        assert.equal(formatSyntax(tree), text);
        assert.deepEqual(parseSyntax(formatSyntax(tree)), tree);
        let line = 1;
        for (const node of tree.nodes) {
          assert.equal(node.span.start.line, line);
          line = node.span.end.line;
        }
        for (const node of tree.nodes.filter(isInstruction)) {
          assert.equal(node.pieces.map(({ source, length }) => text.slice(source.offset, source.offset + length)).join(""), node.joined);
          for (let at = 0; at < node.joined.length; at++) assert.equal(text[positionInFile(node, at).offset], node.joined[at]);
          for (const body of node.heredocs) assert.equal(text.slice(body.span.start.offset, body.span.end.offset), body.raw);
        }
      }),
      options,
    );
  });

  it("fail with typed errors that name lines of the file, or are understood, checked and outlined", () => {
    fc.assert(
      fc.property(file, (text) => {
        const lineCount = text.split("\n").length;
        attempt(() => parseSyntaxWithFaults(text));
        attempt(() => parsePrefix(text));
        attempt(() => parseTrigger(text));
        try {
          const dockerfile = parseDockerfile(text);
          for (const { lines } of checkDockerfile(dockerfile)) assert.ok(lines === undefined || (lines.start >= 1 && lines.end <= lineCount));
          for (const { isDefault } of listTargets(dockerfile)) assert.equal(typeof isDefault, "boolean");
          outlineTarget(dockerfile, dockerfile.stages.length - 1);
          for (const instruction of dockerfile.stages.flatMap(({ instructions }) => instructions)) {
            if (instruction.type === "run" || instruction.type === "copy") formatStepName(instruction, new Map());
          }
        } catch (error) {
          assert.ok(isSlipwayError(error, "DOCKERFILE_PARSE"), String(error));
          const { lines, also } = error.details as { lines?: { start: number; end: number }; also?: readonly { lines: { start: number; end: number } }[] };
          for (const range of [...(lines === undefined ? [] : [lines]), ...(also ?? []).map((fault) => fault.lines)]) {
            assert.ok(range.start >= 1 && range.start <= range.end && range.end <= lineCount, JSON.stringify(range));
          }
        }
      }),
      options,
    );
  });

  it("open heredocs by their words alone", () => {
    const words = fc.array(fc.constantFrom("<<A", "<<-B", "4<<C", `<<"D"`, "<<'E'", "a<<F", "<<", "x", `"<<G"`, "\\<<H", "<<$I", "'"), { maxLength: 6 });
    fc.assert(
      fc.property(words, (line) => {
        const found = findHeredocs(`RUN ${line.join(" ")}`);
        assert.ok(found.length <= line.length);
        for (const { name } of found) assert.ok(name !== "" && !name.includes("<"));
      }),
      options,
    );
  });

  it("lose leading tabs in a chomped body and nothing else", () => {
    const body = fc.array(fc.constantFrom("\t", "\t\t", " ", "a", "\n", "\r\n", "\ta"), { maxLength: 20 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(body, (text) => {
        const lines = text.split("\n").map((line) => line.replace(/^\t+/, ""));
        assert.equal(chompTabs(text), lines.join("\n"));
      }),
      options,
    );
  });
});

describe("random ignore files", () => {
  const name = fc.constantFrom("a", "b", "ab", "c.txt", ".git", "é");
  const pattern = fc.oneof(
    fc
      .array(
        fc.constantFrom(
          "a",
          "b",
          "*",
          "**",
          "?",
          "[ab]",
          "[^a]",
          "[",
          "]",
          "\\",
          "!",
          "/",
          ".",
          "..",
          " ",
          "#",
          "\r",
          "é",
          "c.txt",
          "-",
          "{",
          "^",
          "$",
          "(",
          "+",
        ),
        { maxLength: 6 },
      )
      .map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

  it("fail with PATTERN_SYNTAX or answer; a question twice has the same answer", () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 6 }), fc.array(path, { maxLength: 6 }), (patterns, paths) => {
        let matcher: ReturnType<typeof createIgnoreMatcher>;
        try {
          matcher = createIgnoreMatcher(parseIgnore(patterns.join("\n")));
          for (const one of paths) matcher.matches(one);
        } catch (error) {
          assert.ok(isSlipwayError(error, "PATTERN_SYNTAX"), String(error));
          return;
        }
        const answers = paths.map((one) => matcher.matches(one));
        assert.deepEqual(
          paths.toReversed().map((one) => matcher.matches(one)),
          answers.toReversed(),
        );
        for (const one of paths) {
          assert.equal(matcher.explain(one)?.ignored ?? false, matcher.matches(one));
          if (matcher.canSkipDirectory(one)) assert.ok(matcher.matches(`${one}/z`));
        }
      }),
      options,
    );
  });

  it("of plain names are what Docker's loop says: `!` reaches below a directory only where it took that back", () => {
    const plain = fc.tuple(fc.boolean(), path).map(([exclusion, text]) => ({ exclusion, text }));
    fc.assert(
      fc.property(fc.array(plain, { maxLength: 5 }), path, (patterns, asked) => {
        const matcher = createIgnoreMatcher(patterns.map(({ exclusion, text }) => (exclusion ? `!${text}` : text)));
        const names = asked.split("/");
        let ignored = false;
        let above = patterns.map(() => false);
        for (let depth = 1; depth <= names.length; depth++) {
          const here = names.slice(0, depth).join("/");
          ignored = false;
          above = patterns.map(({ exclusion, text }, index) => {
            const matches = above[index] === true || (exclusion === ignored && text === here);
            if (matches) ignored = !exclusion;
            return matches;
          });
        }
        assert.equal(matcher.matches(asked), ignored);
      }),
      options,
    );
  });
});
