import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LayerChange, LayersReport } from "../../engine/api.ts";
import { digestOf } from "../../oci/digest.ts";
import { openBrowser, pressKey, resize, rowsOf, type BrowserState } from "./browser-state.ts";
import { drawBrowser } from "./draw-browser.ts";
import { parseKeys } from "./keys.ts";

const change = (kind: LayerChange["kind"], path: string, sizeBytes = 0, beforeBytes = 0): LayerChange => ({ kind, path, type: "file", sizeBytes, beforeBytes });

const layer = (index: number, instruction: string, changes: readonly LayerChange[], wastedBytes = 0): LayersReport["layers"][number] => ({
  index,
  diffId: digestOf(String(index)),
  instruction,
  place: { dockerfile: "Dockerfile", start: index + 1, end: index + 1 },
  fromBase: false,
  sizeBytes: changes.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  added: 0,
  changed: 0,
  removed: 0,
  wastedBytes,
  hiddenBytes: 0,
  changes,
});

const report: LayersReport = {
  image: "app",
  id: digestOf("app"),
  platform: "linux/amd64",
  layers: [
    layer(0, "RUN make", [change("added", "/big", 5000), change("added", "/usr/bin/tool", 70), change("added", "/usr/lib/x", 900)], 5000),
    layer(1, "RUN rm /big", [change("removed", "/big", 0, 5000), change("changed", "/usr/lib/x", 10, 900)]),
  ],
  sizeBytes: 5980,
  wastedBytes: 5900,
  efficiency: 0.013,
  wasted: [{ path: "/big", wastedBytes: 5000, copies: [{ layer: 0, sizeBytes: 5000, hiddenBy: 1, how: "removed" }] }],
  wastedBetween: [],
};

function press(keys: readonly string[], from = openBrowser(report, 80, 12)): BrowserState {
  return keys.reduce((state, key) => {
    const next = pressKey(state, key);
    assert.notEqual(next, "quit");
    return next as BrowserState;
  }, from);
}

const names = (state: BrowserState): readonly string[] => rowsOf(state).map(({ name, kind = " " }) => `${kind[0]} ${name}`);

describe("keys", () => {
  const cases: readonly (readonly [bytes: string, want: readonly string[]])[] = [
    ["jk", ["j", "k"]],
    ["\x1b[A\x1b[B\x1bOC", ["up", "down", "right"]],
    ["\x1b", ["escape"]],
    ["\x1b[5~\x1b[99;5~é\r\x7f", ["page-up", "é", "enter", "backspace"]],
    ["\x03", ["quit"]],
  ];
  for (const [bytes, want] of cases) test(JSON.stringify(bytes), () => assert.deepEqual(parseKeys(Buffer.from(bytes)), want));
});

describe("what keys do", () => {
  const cases: readonly (readonly [name: string, keys: readonly string[], want: readonly string[]])[] = [
    ["the last layer is chosen", [], ["r big", "  usr", "  lib", "c x"]],
    ["up: the layer before", ["up"], ["a big", "  usr", "  bin", "a tool", "  lib", "a x"]],
    ["no further than the first", ["up", "up", "up"], ["a big", "  usr", "  bin", "a tool", "  lib", "a x"]],
    ["a folded directory", ["up", "tab", "down", "enter"], ["a big", "  usr"]],
    ["left leads to the directory, and folds it", ["up", "tab", "end", "left", "left"], ["a big", "  usr", "  bin", "a tool", "  lib"]],
    ["a kind less", ["d"], ["  usr", "  lib", "c x"]],
    ["and again", ["d", "d"], ["r big", "  usr", "  lib", "c x"]],
    ["by size", ["up", "s"], ["a big", "  usr", "  lib", "a x", "  bin", "a tool"]],
    ["a part of the path", ["up", "/", "T", "o", "o", "x", "backspace", "enter"], ["  usr", "  bin", "a tool"]],
    ["dropped by escape", ["/", "z", "escape"], ["r big", "  usr", "  lib", "c x"]],
  ];
  for (const [name, keys, want] of cases) test(name, () => assert.deepEqual(names(press(keys)), want));
  test("q and Ctrl-C leave; q is a letter of the filter", () => {
    const open = openBrowser(report, 80, 12);
    assert.deepEqual([pressKey(open, "q"), pressKey(open, "quit"), press(["/", "q"]).filter], ["quit", "quit", "q"]);
  });
});

describe("screens", () => {
  const draw = (state: BrowserState): readonly string[] => drawBrowser(state, { colours: false });
  test("fill the terminal, whatever its size", () => {
    for (const [columns, rows] of [
      [80, 24],
      [200, 60],
      [69, 10],
      [20, 5],
      [1, 1],
    ] as const) {
      for (const state of [press([]), press(["w"]), press(["tab"]), press(["/", "x"])]) {
        const lines = draw(resize(state, columns, rows)).map((line) => line.replaceAll(/\x1b\[\d+m/g, ""));
        assert.ok(
          lines.length <= rows && lines.every((line) => line === "" || [...line.replace("│", "|")].length <= Math.max(columns, 1)),
          `${columns}x${rows}`,
        );
      }
    }
  });
  test("show layers beside files", () => {
    const lines = draw(press([])).map((line) => line.trimEnd());
    assert.match(lines[0]!, /^app {2}linux\/amd64 {2}Total 5.98kB, wasted 5.9kB, efficiency 1.3%/);
    assert.match(lines[2]!, /^ {2}1 +5.97kB Dockerfile:1 R… +!5kB│D +5kB {3}big/);
    assert.match(lines.at(-1)!, /q quit$/);
  });
  test("show what is wasted", () => assert.match(draw(press(["w"]))[2]!, /5kB \/big {2}\(removed by layer 2\)/));
  test("a page at a time", () => {
    const many = {
      ...report,
      layers: [
        layer(
          0,
          "RUN",
          Array.from({ length: 30 }, (_, at) => change("added", `/f${String(at).padStart(2, "0")}`)),
        ),
      ],
    };
    const page = draw(press(["tab", "page-down", "page-down"], openBrowser(many, 80, 14))).join("\n");
    assert.ok(page.includes("f20") && page.includes("f29") && !page.includes("f19"), page);
  });
});
