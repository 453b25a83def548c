import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { holdAsReader, waitForReaders, withContainerLock } from "./container-lock.ts";
import { temporaryDirectory } from "./test-machine.ts";

test("one at a time, in the order of the waiting's end, also after a failure", async () => {
  using directory = temporaryDirectory();
  const said: string[] = [];
  const turn = (name: string): Promise<void> =>
    withContainerLock(directory.path, async () => {
      said.push(`${name} in`);
      await new Promise((resolve) => setImmediate(resolve));
      said.push(`${name} out`);
      if (name === "b") throw new Error("b failed");
    });
  const outcomes = await Promise.allSettled(["a", "b", "c"].map(turn));
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  for (let at = 0; at < said.length; at += 2) assert.equal(said[at]?.replace(" in", " out"), said[at + 1]);
});

test("the lock of a process that died is free", async () => {
  using directory = temporaryDirectory();
  const script = `const { withContainerLock } = await import(${JSON.stringify(import.meta.resolve("./container-lock.ts"))});
    await withContainerLock(${JSON.stringify(directory.path)}, async () => process.kill(process.pid, "SIGKILL"));`;
  assert.throws(() => execFileSync(process.execPath, ["--input-type=module", "--no-warnings", "--eval", script]));
  assert.equal(await withContainerLock(directory.path, async () => "mine"), "mine");
});

test("a directory that is gone needs no lock, and none is made", async () => {
  using directory = temporaryDirectory();
  const gone = join(directory.path, "gone");
  assert.equal(await withContainerLock(gone, async () => 1), 1);
  assert.equal(await waitForReaders(gone, 0), true);
  holdAsReader(gone)[Symbol.dispose]();
});

test("readers hold up who removes, until the last one has finished", async () => {
  using directory = temporaryDirectory();
  const [first, second] = [holdAsReader(directory.path), holdAsReader(directory.path)];
  assert.equal(await waitForReaders(directory.path, 0), false);
  first[Symbol.dispose]();
  assert.equal(await waitForReaders(directory.path, 0), false);
  const waiting = waitForReaders(directory.path, 10_000);
  second[Symbol.dispose]();
  assert.equal(await waiting, true);
});
