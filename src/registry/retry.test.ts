import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultRetry, nextDelay, parseRetryAfter, sleep } from "./retry.ts";

const retry = { maxAttempts: 5, baseMs: 100, maxMs: 500, maxRetryAfterMs: 2000 };

describe("nextDelay", () => {
  const table: readonly [name: string, failures: number, random: number, retryAfterMs: number | undefined, want: number | undefined][] = [
    ["first failure, no luck", 1, 0, undefined, 50],
    ["first failure, nearly the whole wait", 1, 1, undefined, 100],
    ["doubles", 3, 1, undefined, 400],
    ["has a ceiling", 4, 1, undefined, 500],
    ["ends", 5, 0, undefined, undefined],
    ["Retry-After is the least", 1, 0, 1500, 1500],
    ["Retry-After shorter than the backoff", 4, 1, 10, 500],
    ["Retry-After too long", 1, 0, 2001, undefined],
    ["Retry-After does not prolong the series", 5, 0, 1, undefined],
  ];
  for (const [name, failures, random, retryAfterMs, want] of table) {
    test(name, () => assert.equal(nextDelay(failures, retry, random, retryAfterMs), want));
  }
  test("the default gives three further tries within seconds", () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((n) => nextDelay(n, defaultRetry, 1)),
      [250, 500, 1000, undefined],
    );
  });
});

describe("parseRetryAfter", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  const table: readonly [header: string | undefined, want: number | undefined][] = [
    [undefined, undefined],
    ["0", 0],
    [" 7 ", 7000],
    ["Tue, 01 Jan 2030 00:00:05 GMT", 5000],
    ["Mon, 31 Dec 2029 00:00:05 GMT", 0],
    ["soon", undefined],
    ["99999999999999999999", undefined],
  ];
  for (const [header, want] of table) test(String(header), () => assert.equal(parseRetryAfter(header, now), want));
});

test("a sleep ends with the signal, canceled or past its deadline", async () => {
  const controller = new AbortController();
  const sleeping = sleep(60_000, controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(sleeping, { kind: "canceled", code: "CANCELED" });
  await assert.rejects(sleep(60_000, controller.signal), { kind: "canceled" });
  await assert.rejects(sleep(60_000, AbortSignal.timeout(5)), { kind: "deadline_exceeded", code: "DEADLINE_EXCEEDED" });
});
