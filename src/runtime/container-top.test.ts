import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { parsePs } from "./container-top.ts";

const text = "UID   PID  PPID C CMD\nroot    1     0 0 init\nroot   42     1 3 sh -c  sleep 1\nuser  43    42 0 sleep 1\n";

test("the rows of a container's processes, the command's words in one cell", () => {
  const { titles, rows } = parsePs(text, new Set([42, 43]));
  assert.deepEqual(titles, ["UID", "PID", "PPID", "C", "CMD"]);
  assert.deepEqual(rows, [
    ["root", "42", "1", "3", "sh -c sleep 1"],
    ["user", "43", "42", "0", "sleep 1"],
  ]);
});

test("without a column of pids there is nothing to go by", () => {
  assert.throws(
    () => parsePs("CMD\nsh\n", new Set([1])),
    (error: unknown) => isSlipwayError(error, "INVALID_PS_OPTIONS"),
  );
});
