import assert from "node:assert/strict";
import { test } from "node:test";
import { createLimiter } from "./limiter.ts";

test("permits are handed on in line, and one given back twice counts once", async () => {
  const limiter = createLimiter(1);
  const order: string[] = [];
  const first = await limiter.acquire();
  const second = limiter.acquire().then((permit) => (order.push("second"), permit));
  const third = limiter.acquire().then((permit) => (order.push("third"), permit));
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  const held = await second;
  assert.deepEqual(order, ["second"]);
  held[Symbol.dispose]();
  (await third)[Symbol.dispose]();
  assert.deepEqual(order, ["second", "third"]);
  (await limiter.acquire())[Symbol.dispose]();
});

test("who gives up waiting leaves the line", async () => {
  const limiter = createLimiter(1);
  const first = await limiter.acquire();
  const controller = new AbortController();
  const waiting = limiter.acquire(controller.signal);
  controller.abort(new Error("gone"));
  await assert.rejects(waiting, { kind: "canceled" });
  await assert.rejects(limiter.acquire(controller.signal), { kind: "canceled" });
  first[Symbol.dispose]();
  (await limiter.acquire())[Symbol.dispose]();
});
