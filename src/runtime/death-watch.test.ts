import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { killCommand, shellCommand, startTimeTicks } from "./death-watch.ts";

test("words survive the shell", () => {
  const words = ["plain", "two words", "it's", "$HOME", 'a"b', "*", ""];
  const printed = execFileSync("/bin/sh", ["-c", `printf '%s|' ${shellCommand(words)}`], { encoding: "utf8" });
  assert.equal(printed, `${words.join("|")}|`);
});

test("a process is known by its start", () => {
  assert.match(startTimeTicks(process.pid) ?? "", /^\d+$/);
  assert.equal(startTimeTicks(2 ** 30), undefined);
  assert.equal(killCommand(2 ** 30), ":");
});
