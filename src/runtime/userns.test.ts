import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { temporaryDirectory } from "./test-machine.ts";
import { mapArguments, parseSubids } from "./subids.ts";
import { enterPlan, INSIDE_USERNS, planUserNamespace, RUN_DIRECTORY } from "./userns.ts";

test("ranges are found by name and by number", () => {
  const text = "# comment\nme:100000:65536\nother:200000:65536\n1001:300000:10\nme:broken:1\nme:5:0\n";
  assert.deepEqual(parseSubids(text, { name: "me", uid: 1001 }), [
    { start: 100_000, count: 65_536 },
    { start: 300_000, count: 10 },
  ]);
});

test("the user is root inside, the ranges follow one another", () => {
  assert.deepEqual(
    mapArguments(1001, [
      { start: 100_000, count: 65_536 },
      { start: 300_000, count: 10 },
    ]),
    ["0", "1001", "1", "1", "100000", "65536", "65537", "300000", "10"],
  );
});

test("re-entering keeps the command and its environment", () => {
  const plan = enterPlan(
    "/usr/bin/nsenter",
    { pid: 7, startTimeTicks: "1", singleId: false },
    { command: ["/bin/node", "cli.ts", "build", "."], runDirectory: "/run/me", env: { HOME: "/h", EMPTY: undefined } },
  );
  assert.deepEqual(plan.argv, ["/usr/bin/nsenter", "--user", "--preserve-credentials", "--target", "7", "--", "/bin/node", "cli.ts", "build", "."]);
  assert.deepEqual(plan.env, { HOME: "/h", [INSIDE_USERNS]: "ranges", [RUN_DIRECTORY]: "/run/me" });
});

test("inside already: nothing to do", async () => {
  assert.deepEqual(await planUserNamespace({ command: ["x"], runDirectory: "/nonexistent", env: { [INSIDE_USERNS]: "single" } }), { kind: "stay" });
});

const nobody = 65_534;
const asNobody = { uid: nobody, gid: nobody, cwd: "/", encoding: "utf8" } as const;

function whyNoOrdinaryUser(): string | undefined {
  if (process.geteuid?.() !== 0) return "needs root, to become an ordinary user";
  if (spawnSync("unshare", ["--user", "true"], asNobody).status !== 0) return "user namespaces are forbidden to ordinary users here";
  return spawnSync(process.execPath, ["--eval", `require("fs").readFileSync(${JSON.stringify(import.meta.filename)})`], asNobody).status === 0
    ? undefined
    : "an ordinary user cannot read this checkout";
}

const reason = whyNoOrdinaryUser();

test("an ordinary user is root inside, and a later command is in the same namespace", reason === undefined ? {} : { skip: reason }, () => {
  using directory = temporaryDirectory();
  chmodSync(directory.path, 0o700);
  chownSync(directory.path, nobody, nobody);
  // what re-enters is a shell that tells where it is
  const command = ["/bin/sh", "-c", "id -u; readlink /proc/self/ns/user"];
  const script = `const { planUserNamespace } = await import(${JSON.stringify(import.meta.resolve("./userns.ts"))});
    const plan = await planUserNamespace({ command: ${JSON.stringify(command)}, runDirectory: ${JSON.stringify(directory.path)} });
    process.execve(plan.file, plan.argv, plan.env);`;
  const enter = (): string => execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "--eval", script], asNobody);
  const first = enter();
  assert.match(first, /^0\nuser:\[\d+\]\n$/);
  assert.equal(enter(), first);
  const holder: unknown = JSON.parse(readFileSync(`${directory.path}/userns.json`, "utf8"));
  assert.ok(typeof holder === "object" && holder !== null && "pid" in holder && typeof holder.pid === "number");
  process.kill(holder.pid);
});
