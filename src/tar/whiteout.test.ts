import assert from "node:assert/strict";
import { test } from "node:test";
import { isSlipwayError } from "../base/errors.ts";
import { opaquePath, parseWhiteout, type Whiteout, whiteoutPath } from "./whiteout.ts";

const none: Whiteout = { kind: "none" };

const cases: readonly (readonly [string, Whiteout])[] = [
  ["etc/passwd", none],
  ["a/.wh.b", { kind: "whiteout", path: "a/b" }],
  [".wh.b", { kind: "whiteout", path: "b" }],
  ["a/.wh..hidden", { kind: "whiteout", path: "a/.hidden" }],
  ["a/.wh..wh..opq", { kind: "opaque", directory: "a" }],
  [".wh..wh..opq", { kind: "opaque", directory: "" }],
  [".wh..wh.plnk", { kind: "metadata" }],
  ["a/.wh..wh.aufs", { kind: "metadata" }],
  [".wh.a/b", none],
  ["a.wh.b", none],
  ["", none],
];

test("whiteout names", () => {
  for (const [path, wanted] of cases) assert.deepEqual(parseWhiteout(path), wanted, path);
});

test("whiteouts of nothing are refused", () => {
  for (const path of [".wh.", "a/.wh.", ".wh..", "a/.wh..."])
    assert.throws(
      () => parseWhiteout(path),
      (error) => isSlipwayError(error, "INVALID_WHITEOUT"),
      path,
    );
});

test("names are read back", () => {
  for (const path of ["a", "a/b/c", "a/.hidden"]) assert.deepEqual(parseWhiteout(whiteoutPath(path)), { kind: "whiteout", path });
  for (const directory of ["", "a/b"]) assert.deepEqual(parseWhiteout(opaquePath(directory)), { kind: "opaque", directory });
});
