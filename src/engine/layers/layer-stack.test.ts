import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { IndexLayer } from "../../store/layer-tree.ts";
import { createEntry } from "../../tar/writer.ts";
import { LayerStack } from "./layer-stack.ts";

type EntryFields = Parameters<typeof createEntry>[0];

const file = (path: string, size = 1): EntryFields => ({ type: "file", path, size });
const directory = (path: string, mode = 0o755): EntryFields => ({ type: "directory", path, mode });
const link = (path: string, linkname: string): EntryFields => ({ type: "hardlink", path, linkname });

interface Case {
  readonly name: string;
  readonly layers: readonly (readonly EntryFields[])[];
  /** of the last layer */
  readonly changes: readonly string[];
  /** path, layer and bytes of what is hidden, and by which layer */
  readonly hidden: readonly string[];
  readonly sizeBytes: readonly number[];
}

const cases: readonly Case[] = [
  { name: "files are added", layers: [[directory("a"), file("a/x", 3)]], changes: ["added /a 0 0", "added /a/x 3 0"], hidden: [], sizeBytes: [3] },
  {
    name: "a file is replaced; its directory only leads there",
    layers: [
      [directory("a"), file("a/x", 3)],
      [directory("a"), file("a/x", 5)],
    ],
    changes: ["changed /a/x 5 3"],
    hidden: ["a/x 0:3 changed by 1"],
    sizeBytes: [3, 5],
  },
  {
    name: "a directory's mode changes",
    layers: [[directory("a"), file("a/x")], [directory("a", 0o700)]],
    changes: ["changed /a 0 0"],
    hidden: [],
    sizeBytes: [1, 0],
  },
  {
    name: "a directory goes with all that is in it",
    layers: [[directory("a"), file("a/x", 3), file("a/y", 4)], [file(".wh.a", 0)]],
    changes: ["removed /a 0 7"],
    hidden: ["a/x 0:3 removed by 1", "a/y 0:4 removed by 1"],
    sizeBytes: [7, 0],
  },
  {
    name: "of an opaque directory what is not there again goes, all the way down",
    layers: [
      [directory("a"), file("a/x", 3), directory("a/d"), file("a/d/y", 4), file("a/d/z", 5)],
      [directory("a"), file("a/.wh..wh..opq", 0), file("a/x", 1), directory("a/d"), file("a/d/y", 2)],
    ],
    changes: ["changed /a/d/y 2 4", "removed /a/d/z 0 5", "changed /a/x 1 3"],
    hidden: ["a/d/y 0:4 changed by 1", "a/d/z 0:5 removed by 1", "a/x 0:3 changed by 1"],
    sizeBytes: [12, 3],
  },
  {
    name: "a file takes a directory's place",
    layers: [[directory("a"), file("a/x", 3)], [file("a", 2)]],
    changes: ["changed /a 2 3"],
    hidden: ["a/x 0:3 changed by 1"],
    sizeBytes: [3, 2],
  },
  {
    name: "bytes with two names are wasted when both are gone",
    layers: [[file("x", 9), link("y", "x")], [file(".wh.x", 0)]],
    changes: ["removed /x 0 9"],
    hidden: [],
    sizeBytes: [9, 0],
  },
  {
    name: "and then once",
    layers: [[file("x", 9), link("y", "x")], [file(".wh.x", 0)], [file(".wh.y", 0)]],
    changes: ["removed /y 0 9"],
    hidden: ["y 0:9 removed by 2"],
    sizeBytes: [9, 0, 0],
  },
  { name: "what never was is not removed", layers: [[], [file(".wh.x", 0)]], changes: [], hidden: [], sizeBytes: [0, 0] },
];

describe("layers on each other", () => {
  for (const { name, layers, changes, hidden, sizeBytes } of cases) {
    test(name, () => {
      const stack = new LayerStack();
      const stacked = layers.map((entries) => stack.push(new IndexLayer(entries.map(createEntry))));
      const said = (stacked.at(-1)?.changes ?? []).map((change) => `${change.kind} ${change.path} ${change.sizeBytes} ${change.beforeBytes}`);
      assert.deepEqual(said, changes);
      assert.deepEqual(stack.hidden.map(({ path, layer, sizeBytes: size, how, hiddenBy }) => `${path} ${layer}:${size} ${how} by ${hiddenBy}`).sort(), hidden);
      assert.deepEqual(
        stacked.map((layer) => layer.sizeBytes),
        sizeBytes,
      );
    });
  }
});
