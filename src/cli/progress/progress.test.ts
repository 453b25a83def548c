import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProgressEvent } from "../../base/progress.ts";
import { renderFrame } from "./frame.ts";
import { LineSplitter, shownLine } from "./log-text.ts";
import { ProgressModel } from "./model.ts";
import { PlainText } from "./plain.ts";
import { formatStatusLine } from "./rawjson.ts";
import { readRecorded, readRecordedEvents, timeOfEvent } from "./recorded.ts";
import { formatFailedSteps, formatWarnings } from "./report.ts";

/** Two runs differ in digests, times, and in what was cached; the shape is what must agree. */
function shape(text: string): readonly string[] {
  return (
    text
      // eslint-disable-next-line no-control-regex -- colours of the recording
      .replace(/\u001b\[[0-9;]*m/g, "")
      .replace(/sha256:[0-9a-f]+/g, "D")
      .replace(/\d+\.\d+/g, "T")
      .split("\n")
      .filter((line) => !line.startsWith("#0 ") && !line.endsWith("exporting attestation manifest D"))
      .map((line) =>
        line
          .replace(/(DONE T?s|CACHED)$/, "END")
          .replace(/ Ts done$/, " done")
          .replaceAll("docker --debug", "slipway --debug"),
      )
  );
}

function plainOf(events: readonly ProgressEvent[]): { text: string; renderer: PlainText } {
  const renderer = new PlainText();
  let now = 0;
  let text = "";
  for (const event of events) {
    now = Math.max(now, timeOfEvent(event));
    text += renderer.push(event, now);
  }
  return { text: text + renderer.end(now), renderer };
}

function sorted(lines: readonly string[]): readonly string[] {
  return [...lines].filter((line) => line !== "").sort();
}

test("plain progress has the lines of docker's", () => {
  const { text, renderer } = plainOf(readRecordedEvents("build.rawjson"));
  const late = /\n\n#1 \[internal\][^\n]*\n(#1 WARN)/;
  assert.match(text, late);
  const mine = shape(text.replace(late, "\n$1") + formatWarnings(renderer.model.warnings, { color: false, expand: false }));
  const recorded = shape(readRecorded("build.plain"));
  // the warning comes later in the raw stream than in the plain one, and two streams of a step race: compare as sets
  assert.deepEqual(sorted(mine.map((line) => line.replace(/^#\d+/, "#"))), sorted(recorded.map((line) => line.replace(/^#\d+/, "#"))));
});

test("plain progress of a failed build ends as docker's does", () => {
  const { text, renderer } = plainOf(readRecordedEvents("failure.rawjson"));
  const recorded = readRecorded("failure.plain");
  const mine = shape(text + formatFailedSteps(renderer.model, 10));
  assert.deepEqual(sorted(mine), sorted(shape(recorded.slice(0, recorded.indexOf("Dockerfile:3")))));
  assert.match(text, /\n\n#6 \[3\/3\] RUN echo oops; echo failing >&2; false\n#6 [\d.]+ \w+\n/);
});

test("one step's lines stay together until it ends or falls silent", () => {
  const renderer = new PlainText();
  const vertex = (id: string, times: object): ProgressEvent => ({ type: "vertex", id, name: id, inputs: [], ...times });
  const log = (id: string, text: string, at: number): ProgressEvent => ({ type: "log", vertex: id, stream: 1, data: Buffer.from(text), timestampMs: at });
  let text = renderer.push(vertex("a", { startedMs: 0 }), 0);
  text += renderer.push(vertex("b", { startedMs: 0, reason: "never built" }), 0);
  text += renderer.push(log("b", "from b\n", 10), 10);
  text += renderer.push(log("a", "from a\npartial", 20), 20);
  assert.equal(text, "#1 a\n#1 0.020 from a\n");
  assert.equal(renderer.tick(1500), "#1 ...\n\n#2 b\n#2 not cached: never built\n#2 0.010 from b\n");
  assert.equal(renderer.push(vertex("a", { startedMs: 0, completedMs: 1600 }), 1600), "");
  assert.equal(renderer.push(vertex("b", { startedMs: 0, completedMs: 1700, cached: false }), 1700), "#2 DONE 1.7s\n\n#1 a\n#1 1.600 partial\n#1 DONE 1.6s\n");
});

function frameOf(events: readonly ProgressEvent[], rows: number, finished: boolean): readonly string[] {
  const model = new ProgressModel();
  for (const event of events) model.apply(event);
  const times = events.map(timeOfEvent).filter((time) => time > 0);
  return renderFrame(model, { columns: 100, rows, nowMs: Math.max(...times), startedMs: Math.min(...times), finished, color: false, label: "docker:default" });
}

for (const name of ["build", "failure"]) {
  test(`the last picture on a terminal is docker's: ${name}`, () => {
    const recorded = readRecorded(`${name}.tty`).split("\n");
    const end = recorded.findIndex((line) => line.trim() === "");
    const mine = frameOf(readRecordedEvents(`${name}.rawjson`), 40, true);
    const undigest = (lines: readonly string[]): readonly string[] =>
      lines.map((line) =>
        line
          .replace(/\d\.\ds/g, "T")
          .replace(/sha256:[0-9a-f]+/g, (digest) => "d".repeat(digest.length))
          .replace(/CACHED (\[base 2\/4\] WORKDIR \/srv) {7}|CACHED (\[1\/3\])/, "$1"),
      );
    assert.deepEqual(undigest(mine), undigest(recorded.slice(0, end)));
    for (const line of mine) assert.equal(line.length, 99);
  });
}

test("a picture of a running build fits the terminal and shows the last lines of output", () => {
  const events = readRecordedEvents("build.rawjson");
  const running = events.slice(0, events.findLastIndex((event) => event.type === "log") + 1);
  const tall = frameOf(running, 40, false);
  assert.deepEqual(
    tall
      .slice(-5)
      .map((line) => line.trimEnd())
      .sort(),
    [" => => # err", " => => # hello", " => => # line 1", " => => # line 2", " => => # line 3"],
  );
  for (const rows of [6, 8, 10, 16]) assert.ok(frameOf(running, rows, false).length <= rows - 1, `${rows} rows`);
  assert.match(frameOf(running, 8, false).join("\n"), /=> \[base 4\/4\] RUN/);
});

test("the whole output of a failed step is kept", () => {
  const model = new ProgressModel();
  model.apply({ type: "vertex", id: "a", name: "[1/1] RUN x", inputs: [], startedMs: 1000 });
  const text = Array.from({ length: 500 }, (_, index) => `line ${index}\n`).join("");
  model.apply({ type: "log", vertex: "a", stream: 1, data: Buffer.from(text), timestampMs: 1250 });
  model.apply({ type: "vertex", id: "a", name: "[1/1] RUN x", inputs: [], startedMs: 1000, completedMs: 2000, error: "exit code: 1" });
  const report = formatFailedSteps(model, undefined);
  assert.equal(report.split("\n").length, 504);
  assert.match(report, /^------\n > \[1\/1\] RUN x:\n0\.250 line 0\n/);
});

test("a canceled step is no failed step", () => {
  const model = new ProgressModel();
  model.apply({ type: "vertex", id: "a", name: "a", inputs: [], startedMs: 0, completedMs: 1, error: "context canceled" });
  assert.equal(formatFailedSteps(model, undefined), "");
});

test("output keeps its colours and loses whatever else speaks to a terminal", () => {
  const table: readonly (readonly [line: string, want: string])[] = [
    ["\u001b[31mred\u001b[0m", "\u001b[31mred\u001b[0m"],
    ["a\u001b[2Jb\u001b[1;1Hc", "abc"],
    ["\u001b]0;title\u0007x", "x"],
    ["\u001b]8;;http://a\u001b\\link", "link"],
    ["10%\r50%\r100%\r", "100%"],
    ["bell\u0007 tab\t", "bell tab\t"],
    ["\u001bc\u009b31m", "31m"],
  ];
  for (const [line, want] of table) assert.equal(shownLine(line), want);
  assert.equal(shownLine("\u001b[31mred\u001b[0m", false), "red");
});

test("lines are joined across chunks, also inside a character", () => {
  const splitter = new LineSplitter();
  const bytes = Buffer.from("über\nend");
  assert.deepEqual(splitter.push(bytes.subarray(0, 1)), []);
  assert.deepEqual(splitter.push(bytes.subarray(1)), ["über"]);
  assert.equal(splitter.end(), "end");
});

test("rawjson round trip: our lines carry what BuildKit's carry", () => {
  const events = readRecordedEvents("failure.rawjson");
  const mine = events.map((event) => JSON.parse(formatStatusLine(event)) as Record<string, readonly Record<string, unknown>[]>);
  const failed = mine.flatMap((line) => line["vertexes"] ?? []).find((vertex) => "error" in vertex);
  assert.match(String(failed?.["error"]), /did not complete successfully: exit code: 1$/);
  const recorded = readRecorded("failure.rawjson")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, readonly Record<string, unknown>[]>);
  const logs = (lines: typeof mine): unknown => lines.flatMap((line) => line["logs"] ?? []).map(({ vertex, stream, data }) => ({ vertex, stream, data }));
  assert.deepEqual(logs(mine), logs(recorded));
  assert.match(String(mine.flatMap((line) => line["logs"] ?? [])[0]?.["timestamp"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/);
});

test("suggestions of our own are counted apart from warnings", () => {
  const warning = (message: string, isOwn: boolean) => ({ type: "warning", vertex: "a", message, detail: [], url: "", isOwn }) as const;
  assert.equal(
    formatWarnings([warning("A: b", true), warning("C: d", false)], { color: false, expand: false }),
    "\n 1 warning found (use slipway --debug to expand):\n - C: d\n\n 1 suggestion found (use slipway --debug to expand):\n - A: b\n",
  );
});

test("warnings with their details end in the place that they speak of", () => {
  const excerpt = "Dockerfile:1\n--------------------\n   1 | >>> FROM a AS B\n--------------------";
  const warning = { type: "warning", vertex: "a", message: "A: b (line 1)", detail: ["c"], url: "https://d", excerpt, lines: { start: 1, end: 1 } } as const;
  assert.equal(formatWarnings([warning], { color: false, expand: true }), `\n 1 warning found:\n - A: b (line 1)\nc\nMore info: https://d\n${excerpt}\n\n`);
});
