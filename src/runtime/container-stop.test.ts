import assert from "node:assert/strict";
import { test } from "node:test";
import { killContainer, parseSignal } from "./container-stop.ts";
import { createMemoryRecords } from "./memory-records.ts";

const known: readonly (readonly [text: string, number: number])[] = [
  ["TERM", 15],
  ["sigkill", 9],
  ["10", 10],
  ["RTMIN+3", 37],
];
for (const [text, number] of known) test(`signal ${text}`, () => assert.equal(parseSignal(text, "c"), number));

const unknown: readonly (readonly [text: string, message: string])[] = [
  ["FOO", "cannot kill container: c: invalid signal: FOO"],
  ["0", "cannot kill container: c: invalid signal: 0"],
  ["99", "cannot kill container: c: the linux daemon does not support signal 99"],
];
for (const [text, message] of unknown) test(`signal ${text} is refused`, () => assert.throws(() => parseSignal(text, "c"), { message }));

test("a container that is not there cannot be killed", async () => {
  const host = { records: createMemoryRecords(), runDirectory: "/nosuch", mountRootfs: () => undefined, onWarning: () => undefined };
  const want = { code: "CONTAINER_NOT_FOUND", message: "cannot kill container: nosuch: No such container: nosuch" };
  await assert.rejects(killContainer(host, "nosuch"), want);
});
