import assert from "node:assert/strict";
import { test } from "node:test";
import { endsLine, LineSplitter, parseLogLine, utcTimestamp } from "./log-format.ts";

const parse = (text: string) => parseLogLine(Buffer.from(text));

test("a whole line gets its newline back, a part does not", () => {
  const whole = parse("2026-11-23T10:21:42.347629564+00:00 stdout F hello world");
  assert.deepEqual([whole?.timestamp, whole?.stream, Buffer.from(whole?.data ?? []).toString()], ["2026-11-23T10:21:42.347629564Z", 1, "hello world\n"]);
  const part = parse("2026-11-23T10:21:42.3+00:00 stderr P x");
  assert.deepEqual([part?.stream, Buffer.from(part?.data ?? []).toString()], [2, "x"]);
  assert.equal(part !== undefined && endsLine(part), false);
});

test("with its newline a line says the same", () => {
  assert.deepEqual(parse("t stdout F x\n")?.data, Buffer.from("x\n"));
  assert.deepEqual(parse("t stdout P x\n")?.data, Buffer.from("x"));
});

test("an empty line and bytes that are no text", () => {
  assert.deepEqual(parse("t stdout F ")?.data, Buffer.from("\n"));
  const bytes = Buffer.concat([Buffer.from("t stdout P "), Buffer.from([0, 255, 32, 128])]);
  assert.deepEqual(parseLogLine(bytes)?.data, Buffer.from([0, 255, 32, 128]));
});

for (const torn of ["", "2026", "t stdout", "t stdfoo F x", "t stdout Q x"]) {
  test(`no log line: ${JSON.stringify(torn)}`, () => assert.equal(parse(torn), undefined));
}

test("times become UTC and keep their nanoseconds", () => {
  assert.equal(utcTimestamp("2026-11-23T01:00:00.123456789+02:00"), "2026-11-22T23:00:00.123456789Z");
  assert.equal(utcTimestamp("garbage"), "garbage");
});

test("lines are whole whatever the chunks", () => {
  const splitter = new LineSplitter();
  const chunks = ["a\nb", "", "c\n\nd", "\n"].map((text) => splitter.push(Buffer.from(text)).map(String));
  assert.deepEqual(chunks, [["a\n"], [], ["bc\n", "\n"], ["d\n"]]);
});
