import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { formatExcerpt } from "./excerpt.ts";

const text = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join("\n");
const rule = "--------------------";

/** The numbers of the lines shown; marked ones are negative. */
function shownLines(excerpt: string): number[] {
  return excerpt
    .split("\n")
    .slice(2, -1)
    .map((line) => (line.includes(">>>") ? -1 : 1) * Number(line.slice(0, 4)));
}

describe("formatExcerpt", () => {
  it("prints what BuildKit prints", () => {
    const expected = ["Dockerfile:2", rule, "   1 |     FROM scratch", "   2 | >>> RUN x", "   3 |     ", rule].join("\n");
    assert.equal(formatExcerpt("FROM scratch\nRUN x\n", { start: 2, end: 2 }, { fileName: "Dockerfile" }), expected);
  });

  // the amount of context is BuildKit's
  const cases = [
    { name: "one line in the middle", lines: { start: 6, end: 6 }, shown: [4, 5, -6, 7, 8] },
    { name: "the first line", lines: { start: 1, end: 1 }, shown: [-1, 2, 3] },
    { name: "the last line", lines: { start: 12, end: 12 }, shown: [10, 11, -12] },
    { name: "several lines", lines: { start: 5, end: 7 }, shown: [4, -5, -6, -7, 8] },
    { name: "an end before the start", lines: { start: 6, end: 0 }, shown: [4, 5, -6, 7, 8] },
    { name: "an end behind the file", lines: { start: 11, end: 99 }, shown: [10, -11, -12] },
    {
      name: "two ranges",
      lines: [
        { start: 3, end: 3 },
        { start: 6, end: 6 },
      ],
      shown: [2, -3, 4, 5, -6, 7],
    },
    { name: "no such line", lines: { start: 13, end: 13 }, shown: [] },
    { name: "line 0", lines: { start: 0, end: 0 }, shown: [] },
    { name: "no range", lines: [], shown: [] },
  ];
  for (const { name, lines, shown } of cases) {
    it(name, () => assert.deepEqual(shownLines(formatExcerpt(text, lines, { fileName: "f" })), shown));
  }

  it("lets no control characters through", () => {
    const excerpt = formatExcerpt("RUN \u001b[2J\u0007x", { start: 1, end: 1 }, { fileName: "a\u001bb" });
    assert.equal(excerpt, ["ab:1", rule, "   1 | >>> RUN [2Jx", rule].join("\n"));
  });

  it("colours the lines at fault when asked", () => {
    assert.match(formatExcerpt("a\nb", { start: 2, end: 2 }, { fileName: "f", color: true }), /\n\u001b\[31m {3}2 \| >>> b\u001b\[0m\n/);
  });

  const carets: { name: string; line: string; culprit: string; pointer: string | undefined }[] = [
    { name: "a word", line: "COPY --form=x a b", culprit: "--form", pointer: "     ^^^^^^" },
    { name: "not in the middle of a longer one", line: "RUN xcd cd", culprit: "cd", pointer: "        ^^" },
    { name: "what begins with a sign", line: "LABEL a=x${b", culprit: "${b", pointer: "         ^^^" },
    { name: "behind tabs and wide characters", line: "\tENV é😀 x", culprit: "x", pointer: "\t       ^" },
    { name: "nothing when it is not there", line: "RUN x", culprit: "y", pointer: undefined },
    { name: "nothing for nothing", line: "RUN x", culprit: "", pointer: undefined },
  ];
  for (const { name, line, culprit, pointer } of carets) {
    it(`points at ${name}`, () => {
      const shown = formatExcerpt(line, { start: 1, end: 1 }, { fileName: "f", culprit }).split("\n").slice(3, -1);
      assert.deepEqual(shown, pointer === undefined ? [] : [`     |     ${pointer}`]);
    });
  }

  it("points once, in the marked lines", () => {
    const excerpt = formatExcerpt("x\nx\nx", { start: 2, end: 3 }, { fileName: "f", culprit: "x" });
    assert.deepEqual(excerpt.split("\n").slice(2, -1), ["   1 |     x", "   2 | >>> x", "     |     ^", "   3 | >>> x"]);
  });
});
