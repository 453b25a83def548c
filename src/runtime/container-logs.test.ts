import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { offsetOfTail, readEntries } from "./container-logs.ts";

const directory = mkdtempSync(join(tmpdir(), "slipway-logs-"));
after(() => rmSync(directory, { recursive: true }));

const line = (stream: "stdout" | "stderr", tag: "F" | "P", text: string): string => `2026-11-27T06:49:40.862060016Z ${stream} ${tag} ${text}\n`;
const full = line("stdout", "F", "one") + line("stdout", "F", "two");
const unended = line("stdout", "P", "part");
const error = line("stderr", "F", "bad");

const cases: readonly { readonly name: string; readonly log: string; readonly lines: number; readonly want: string }[] = [
  { name: "whole lines", log: full + error, lines: 2, want: line("stdout", "F", "two") + error },
  { name: "more than there are", log: full, lines: 9, want: full },
  { name: "none", log: full, lines: 0, want: "" },
  { name: "an unended line is one", log: full + unended, lines: 1, want: unended },
  { name: "an unended line before another stream's line is one", log: full + unended + error, lines: 2, want: unended + error },
  { name: "the parts of a line are one line", log: full + unended + line("stdout", "F", "end"), lines: 1, want: unended + line("stdout", "F", "end") },
];
for (const { name, log, lines, want } of cases) {
  test(`the last lines of a log: ${name}`, () => {
    const path = join(directory, "log");
    writeFileSync(path, log);
    assert.equal(log.slice(offsetOfTail(path, lines)), want);
  });
}

test("a log that is begun anew is followed into its next file, and nothing of the former is left out", async () => {
  const path = join(directory, "followed");
  const said = (text: string): string => line("stdout", "F", text);
  writeFileSync(path, said("one"));
  let running = true;
  const steps = [
    () => {
      appendFileSync(path, said("two"));
      writeFileSync(`${path}.tmp`, said("three"));
      renameSync(`${path}.tmp`, path);
    },
    () => appendFileSync(path, said("four")),
    () => (running = false),
  ];
  const seen: string[] = [];
  for await (const entries of readEntries(path, { from: 0, isRunning: () => running, signal: undefined })) {
    seen.push(...entries.map(({ data }) => Buffer.from(data).toString().trim()));
    steps.shift()?.();
  }
  assert.deepEqual(seen, ["one", "two", "three", "four"]);
});
