import assert from "node:assert/strict";
import { test } from "node:test";
import type { RestartPolicy } from "./container-records.ts";
import { nextDelayMs, wantsRestart, wantsStartWithMachine } from "./container-restart.ts";

const policy = (name: RestartPolicy["name"], maximumRetryCount = 0): RestartPolicy => ({ name, maximumRetryCount });

const ends: readonly (readonly [string, RestartPolicy | undefined, number, boolean, number, boolean])[] = [
  ["no policy", undefined, 1, false, 0, false],
  ["no", policy("no"), 1, false, 0, false],
  ["always, a good end", policy("always"), 0, false, 7, true],
  ["always, stopped", policy("always"), 137, true, 0, false],
  ["unless-stopped", policy("unless-stopped"), 0, false, 0, true],
  ["unless-stopped, stopped", policy("unless-stopped"), 0, true, 0, false],
  ["on-failure, a good end", policy("on-failure"), 0, false, 0, false],
  ["on-failure without a bound", policy("on-failure"), 1, false, 100, true],
  ["on-failure, tries left", policy("on-failure", 3), 1, false, 2, true],
  ["on-failure, none left", policy("on-failure", 3), 1, false, 3, false],
];

for (const [name, given, exitCode, stopAsked, restarts, want] of ends) {
  test(`restart policy: ${name}`, () => assert.equal(wantsRestart(given, { exitCode, stopAsked, restarts }), want));
}

const machineStarts: readonly (readonly [string, RestartPolicy | undefined, number, boolean, boolean])[] = [
  ["no policy", undefined, 255, false, false],
  ["no", policy("no"), 255, false, false],
  ["always", policy("always"), 0, false, true],
  ["always, stopped by hand", policy("always"), 143, true, true],
  ["unless-stopped", policy("unless-stopped"), 0, false, true],
  ["unless-stopped, stopped by hand", policy("unless-stopped"), 143, true, false],
  ["on-failure, cut off", policy("on-failure"), 255, false, true],
  ["on-failure, a good end", policy("on-failure"), 0, false, false],
  ["on-failure, stopped by hand", policy("on-failure"), 143, true, false],
];

for (const [name, given, exitCode, stopAsked, want] of machineStarts) {
  test(`started with the machine: ${name}`, () => assert.equal(wantsStartWithMachine(given, { exitCode, stopAsked, restarts: 0 }), want));
}

test("the wait doubles up to a minute, and begins anew after a run of ten seconds", () => {
  assert.deepEqual([nextDelayMs(undefined, 5), nextDelayMs(100, 5), nextDelayMs(51_200, 5), nextDelayMs(51_200, 10_000)], [100, 200, 60_000, 100]);
});
