import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { CacheRecord } from "../store/index.ts";
import { fileInputs, missReason } from "./miss-reason.ts";

const former = (inputs: Readonly<Record<string, string>>): CacheRecord => ({
  key: "k",
  slot: "s",
  description: "",
  layers: [],
  chain: [],
  config: {},
  inputs,
  sizeBytes: 0,
  createdMs: 0,
  usedMs: 0,
  uses: 1,
});
const before = { instruction: "RUN make", base: "1", image: "i", "arg:V": "1", "env:E": "x", "file:src/a.ts": "aa", "file:b": "bb", network: "default" };

const rows: readonly (readonly [name: string, now: Readonly<Record<string, string>>, want: string])[] = [
  ["the instruction", { instruction: "RUN make all" }, 'instruction changed: was "RUN make"'],
  ["a build argument", { "arg:V": "2" }, "ARG V 1 → 2"],
  ["a variable", { "env:E": "y" }, "ENV E x → y"],
  ["a new variable", { "env:N": "1" }, "ENV N (unset) → 1"],
  ["a file", { "file:src/a.ts": "ab" }, "file src/a.ts changed"],
  ["a new file", { "file:c": "cc" }, "file c added"],
  ["several files", { "file:b": "b2", "file:c": "cc", "file:src/a.ts": "a2" }, "file b changed (and 2 more)"],
  ["the base image", { base: "2", image: "j" }, "base image moved"],
  ["a step before it", { base: "2" }, "an earlier step changed"],
  ["something else", { network: "none" }, "network changed"],
  ["an argument before a file", { "arg:V": "2", "file:b": "b2" }, "ARG V 1 → 2"],
];
describe("names what changed:", () => {
  for (const [name, now, want] of rows)
    test(name, () => assert.equal(missReason({ inputs: { ...before, ...now }, former: former(before), evicted: false, ignoreCache: false }), want));
});

test("a file that is gone", () => {
  const { "file:b": _, ...now } = before;
  assert.equal(missReason({ inputs: now, former: former(before), evicted: false, ignoreCache: false }), "file b removed");
});

test("without anything to compare with", () => {
  const context = { inputs: before, former: undefined, evicted: false, ignoreCache: false };
  assert.deepEqual(
    [missReason(context), missReason({ ...context, evicted: true }), missReason({ ...context, ignoreCache: true, evicted: true })],
    ["never built", "its layers were evicted from the cache", "the cache was not to be used (--no-cache)"],
  );
});

test("long values are cut, line breaks vanish", () => {
  const reason = missReason({ inputs: { ...before, "arg:V": `${"x".repeat(200)}\ny` }, former: former(before), evicted: false, ignoreCache: false });
  assert.ok(reason.length < 100 && !reason.includes("\n"), reason);
});

test("large trees are recorded by directory", () => {
  const few = fileInputs([{ path: "a", digest: "0123456789abcdef00" }], (text) => text);
  assert.deepEqual(few, { "file:a": "0123456789abcdef" });
  const many = Array.from({ length: 2001 }, (_, number) => ({ path: `d/${number % 3}/f${number}`, digest: String(number) }));
  assert.deepEqual(Object.keys(fileInputs(many, (text) => text)), ["file:d/0/…", "file:d/1/…", "file:d/2/…"]);
});
