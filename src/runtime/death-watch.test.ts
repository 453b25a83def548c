import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { killCommand, killFamilyCommand, killNamedFamiliesCommand, shellCommand, startTimeTicks } from "./death-watch.ts";

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

const word = `named-${process.pid}`;
const ways: readonly (readonly [name: string, command: (pid: number) => string])[] = [
  ["its id", killFamilyCommand],
  ["a word of its command line", () => killNamedFamiliesCommand(word)],
];
for (const [name, command] of ways) {
  test(`a process is killed by ${name} with its children, in whatever sessions they are`, async () => {
    const parent = spawn("/bin/sh", ["-c", "setsid sleep 1000 & echo $!; wait", "sh", word], { stdio: ["ignore", "pipe", "ignore"] });
    const child = Number(String(await new Promise<Buffer>((resolve) => parent.stdout.once("data", resolve))));
    const ticks = startTimeTicks(child);
    assert.ok(ticks !== undefined);
    const ended = new Promise((resolve) => parent.once("exit", (_, signal) => resolve(signal)));
    // read as the watching shell reads it: the word is in no command line but that one
    execFileSync("/bin/sh", { input: `${command(parent.pid ?? 0)}; true\n` });
    assert.equal(await ended, "SIGKILL");
    while (startTimeTicks(child) === ticks && !isZombie(child)) await new Promise((resolve) => setTimeout(resolve, 10));
  });
}

/** Its new parent reaps it when it likes. */
function isZombie(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
}
