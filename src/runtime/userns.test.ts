import assert from "node:assert/strict";
import { test } from "node:test";
import { mapArguments, parseSubids } from "./subids.ts";
import { enterPlan, INSIDE_USERNS, planUserNamespace } from "./userns.ts";

test("ranges are found by name and by number", () => {
  const text = "# comment\nme:100000:65536\nother:200000:65536\n1001:300000:10\nme:broken:1\nme:5:0\n";
  assert.deepEqual(parseSubids(text, { name: "me", uid: 1001 }), [{ start: 100_000, count: 65_536 }, { start: 300_000, count: 10 }]);
});

test("the user is root inside, the ranges follow one another", () => {
  assert.deepEqual(mapArguments(1001, [{ start: 100_000, count: 65_536 }, { start: 300_000, count: 10 }]), ["0", "1001", "1", "1", "100000", "65536", "65537", "300000", "10"]);
});

test("re-entering keeps the command and its environment", () => {
  const plan = enterPlan("/usr/bin/nsenter", { pid: 7, startTimeTicks: "1", singleId: false }, ["/bin/node", "cli.ts", "build", "."], { HOME: "/h", EMPTY: undefined });
  assert.deepEqual(plan.argv, ["/usr/bin/nsenter", "--user", "--preserve-credentials", "--target", "7", "--", "/bin/node", "cli.ts", "build", "."]);
  assert.deepEqual(plan.env, { HOME: "/h", [INSIDE_USERNS]: "ranges" });
});

test("inside already: nothing to do", async () => {
  assert.deepEqual(await planUserNamespace({ command: ["x"], runDirectory: "/nonexistent", env: { [INSIDE_USERNS]: "single" } }), { kind: "stay" });
});
