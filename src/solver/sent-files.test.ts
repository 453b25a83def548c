import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { sentFiles } from "./sent-files.ts";
import { treeOf } from "./test-solver.ts";

const tree = treeOf({ "d/a": "1", "d/sub/b": "2", "e/c": "3", l: { link: "e" }, "back\\slash": "4" });

test("what Docker's client would send of a directory", () => {
  const rows: readonly (readonly [sources: readonly string[], sent: readonly string[]])[] = [
    [["/d/*.none"], []],
    [
      ["/d/*.none", "/d/a"],
      ["d", "d/a"],
    ],
    [["/d"], ["d", "d/a", "d/sub", "d/sub/b"]],
    [["d/**/b"], ["d", "d/sub", "d/sub/b"]],
    [["/l"], ["e", "e/c", "l"]],
    [["."], ["d", "d/a", "d/sub", "d/sub/b", "e", "e/c", "l", "back\\slash"]],
    [["/back\\slash"], []],
  ];
  const all = ["d", "d/a", "d/sub", "d/sub/b", "e", "e/c", "l", "back\\slash"];
  for (const [sources, want] of rows) {
    const sent = sentFiles(tree, sources);
    assert.deepEqual(
      all.filter((path) => sent.has(path)),
      want,
      sources.join(" "),
    );
  }
});

test("a pattern that cannot be read fails with all of them, each once", () => {
  assert.throws(
    () => sentFiles(tree, ["/x/[", "/b*", "/d/a", "./d", "b*"]),
    (error) => isSlipwayError(error, "PATTERN_SYNTAX") && error.message.endsWith("invalid includepatterns: [b* d x/[]: syntax error in pattern"),
  );
});
