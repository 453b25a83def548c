import assert from "node:assert/strict";
import { test } from "node:test";
import { fc } from "../base/test-chance.ts";
import { isSlipwayError } from "../base/errors.ts";
import { matchSources } from "./match-sources.ts";
import { resolveInTree } from "./resolve-path.ts";
import { treeOf } from "./test-solver.ts";

const tree = treeOf({
  "d/f": "1",
  "d/e/g": "2",
  l: { link: "d" },
  abs: { link: "/d/e" },
  up: { link: "../../d" },
  "d/back": { link: "../l" },
  loop: { link: "loop" },
  dang: { link: "no/where" },
  file: { link: "d/f" },
});

test("paths in a tree: links stay inside, missing parts are kept", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["", ""],
    ["/", ""],
    ["d/f", "d/f"],
    ["/d//./f", "d/f"],
    ["l/f", "d/f"],
    ["abs/g", "d/e/g"],
    ["up/f", "d/f"],
    ["../../d", "d"],
    ["d/back/f", "d/f"],
    ["dang/x", "no/where/x"],
    ["none/../d", "d"],
    ["file", "d/f"],
    ["d/f/../e", "d/e"],
  ];
  assert.deepEqual(
    rows.map(([path]) => resolveInTree(tree, path)),
    rows.map(([, want]) => want),
  );
  assert.equal(resolveInTree(tree, "l", { followLast: false }), "l");
  assert.throws(
    () => resolveInTree(tree, "loop/x"),
    (error) => isSlipwayError(error, "TOO_MANY_LINKS"),
  );
});

test("no path leaves the tree, whatever the links", () => {
  const part = fc.constantFrom("a", "b", "..", ".", "", "l");
  const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/"));
  fc.assert(
    fc.property(path, path, (link, asked) => {
      const view = treeOf({ "a/b/f": "", l: { link }, "a/l": { link: `/${link}` } });
      try {
        const resolved = resolveInTree(view, asked);
        assert.ok(!resolved.startsWith("/") && !resolved.split("/").includes(".."), resolved);
      } catch (error) {
        assert.ok(isSlipwayError(error, "TOO_MANY_LINKS"), String(error));
      }
    }),
  );
});

test("sources: names, patterns, links, slashes", () => {
  const rows: readonly (readonly [string, readonly (readonly [path: string, resolved: string])[]])[] = [
    ["/d/f", [["d/f", "d/f"]]],
    ["/", [["", ""]]],
    ["/l/", [["l", "d"]]],
    [
      "/d/*",
      [
        ["d/back", "d"],
        ["d/e", "d/e"],
        ["d/f", "d/f"],
      ],
    ],
    ["/*/g", []],
    ["/a*/g", []],
    ["/d/?/g", [["d/e/g", "d/e/g"]]],
    ["/l/e/g*", [["l/e/g", "d/e/g"]]],
    ["/fi*", [["file", "d/f"]]],
    ["/[el]", [["l", "d"]]],
    ["/none*", []],
  ];
  for (const [source, want] of rows)
    assert.deepEqual(
      matchSources({ view: tree, faults: "checksum", sent: undefined }, source).map(({ path, resolved }) => [path, resolved]),
      want,
      source,
    );
  for (const missing of ["/none", "/dang", "/dan*", "/d/f/x"])
    assert.throws(
      () => matchSources({ view: tree, faults: "checksum", sent: undefined }, missing),
      (error) => isSlipwayError(error, "SOURCE_NOT_FOUND"),
      missing,
    );
});
