import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "./deferred.ts";

interface Counter {
  add(count: number): Promise<number>;
  upTo(last: number): AsyncIterable<number>;
}

class Counting implements Counter {
  #sum = 0;
  async add(count: number): Promise<number> {
    if (count < 0) throw new Error("less than nothing");
    return (this.#sum += count);
  }
  async *upTo(last: number): AsyncGenerator<number> {
    for (let at = 1; at <= last; at += 1) yield at;
  }
}

test("what is deferred is loaded by the first call, once, and answers as if it had been there", async () => {
  let loads = 0;
  const counter = deferred<Counter>({ add: "promise", upTo: "stream" }, async () => {
    loads += 1;
    return new Counting();
  });
  const numbers = counter.upTo(3);
  assert.equal(loads, 0);
  assert.deepEqual(await Promise.all([counter.add(1), counter.add(2)]), [1, 3]);
  assert.deepEqual(await Array.fromAsync(numbers), [1, 2, 3]);
  await assert.rejects(counter.add(-1), { message: "less than nothing" });
  assert.equal(loads, 1);
});
