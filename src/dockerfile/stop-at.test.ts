import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { parseDockerfile } from "./parse.ts";
import { stopAtLine } from "./stop-at.ts";

const text = `FROM a AS one
ENV X=1
RUN --network=none make \\
  all
COPY . .

FROM b AS two
# nothing else
FROM c
RUN last
`;
const dockerfile = parseDockerfile(Buffer.from(text));

/** The stages' sizes, the last command and the words at the line. */
const cases: readonly (readonly [line: number, target: string | undefined, want: readonly [stages: number, instructions: number, at: string | undefined]])[] = [
  [2, undefined, [1, 1, "ENV X=1"]],
  [3, undefined, [1, 2, "RUN --network=none make   all"]],
  [4, undefined, [1, 2, "RUN --network=none make   all"]],
  [5, undefined, [1, 3, "COPY . ."]],
  [6, undefined, [1, 4, undefined]],
  [7, undefined, [1, 4, undefined]],
  [9, undefined, [2, 1, undefined]],
  [10, undefined, [3, 1, "RUN last"]],
  [11, undefined, [3, 2, undefined]],
  [99, "one", [1, 4, undefined]],
  [10, "Two", [2, 1, undefined]],
];

describe("a Dockerfile that ends before a line", () => {
  for (const [line, target, want] of cases) {
    test(`${line}${target === undefined ? "" : ` of ${target}`}`, () => {
      const { dockerfile: stopped, instruction } = stopAtLine(dockerfile, line, target);
      const last = stopped.stages.at(-1);
      assert.deepEqual([stopped.stages.length, last?.instructions.length, instruction?.code], want);
      assert.equal(last?.instructions.at(-1)?.type, "run");
    });
  }
  test("the first has nothing before it", () => {
    assert.throws(
      () => stopAtLine(dockerfile, 1, undefined),
      (error) => isSlipwayError(error, "NO_SUCH_LINE"),
    );
  });
});
