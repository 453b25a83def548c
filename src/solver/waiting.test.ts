/** Who waits for whom: the gate inside one process, the locks between processes. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Gate } from "./gate.ts";
import { lockKey } from "./key-lock.ts";

const locks = mkdtempSync(join(tmpdir(), "slipway-locks-"));
after(() => rmSync(locks, { recursive: true }));
const none = new AbortController().signal;
const settled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<boolean>((resolve) => setImmediate(() => resolve(false)))]);

describe("the gate", () => {
  test("lets so many in, the others in order", async () => {
    const gate = new Gate(2);
    const order: number[] = [];
    const enter = async (number: number): Promise<Disposable> => {
      const place = await gate.enter(none);
      order.push(number);
      return place;
    };
    const places = await Promise.all([enter(1), enter(2)]);
    const waiting = [enter(3), enter(4)];
    assert.equal(await settled(Promise.all(waiting)), false);
    places[0]?.[Symbol.dispose]();
    places[0]?.[Symbol.dispose]();
    await waiting[0];
    assert.deepEqual(order, [1, 2, 3]);
    places[1]?.[Symbol.dispose]();
    await waiting[1];
    assert.deepEqual(order, [1, 2, 3, 4]);
  });

  test("who gives up waiting takes no place", async () => {
    const gate = new Gate(1);
    const first = await gate.enter(none);
    const abort = new AbortController();
    const second = gate.enter(abort.signal);
    const third = gate.enter(none);
    abort.abort(new Error("no more"));
    await assert.rejects(second, /no more/);
    first[Symbol.dispose]();
    (await third)[Symbol.dispose]();
    (await gate.enter(none))[Symbol.dispose]();
    await assert.rejects(gate.enter(abort.signal), /no more/);
  });
});

describe("a key's lock", () => {
  test("is for one at a time; other keys do not wait", async () => {
    const first = await lockKey(locks, "sha256:000001", undefined);
    const second = lockKey(locks, "sha256:000001", undefined);
    (await lockKey(locks, "sha256:000002", undefined))[Symbol.dispose]();
    assert.equal(await settled(second), false);
    first[Symbol.dispose]();
    (await second)[Symbol.dispose]();
  });

  test("waiting ends with the signal, and leaves the lock to others", async () => {
    using _held = await lockKey(locks, "sha256:000003", undefined);
    await assert.rejects(lockKey(locks, "sha256:000003", AbortSignal.timeout(10)));
  });
});
