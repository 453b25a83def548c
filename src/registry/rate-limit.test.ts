import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatWait, rateLimitRemedy } from "./rate-limit.ts";

describe("formatWait", () => {
  const table: readonly (readonly [number, string])[] = [
    [1, "1 s"],
    [59, "59 s"],
    [60, "1 min"],
    [61, "2 min"],
    [3600, "1 hour"],
    [21_600, "6 hours"],
    [86_400, "1 day"],
    [100_000, "2 days"],
  ];
  for (const [seconds, want] of table) test(want, () => assert.equal(formatWait(seconds), want));
});

describe("rateLimitRemedy", () => {
  const table: readonly (readonly [string, Readonly<Record<string, string>>, number | undefined, string])[] = [
    [
      "without a login",
      { "ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600", "docker-ratelimit-source": "192.0.2.1" },
      720_000,
      "pulls from 192.0.2.1 without a login are limited to 100 in 6 hours; again in 12 min; log in (slipway login) or set a mirror (SLIPWAY_MIRRORS)",
    ],
    [
      "of a user",
      { "ratelimit-limit": "200;w=21600", "docker-ratelimit-source": "0f1e2d3c-0000-4000-8000-000000000000" },
      undefined,
      "this user's pulls are limited to 200 in 6 hours; set a mirror (SLIPWAY_MIRRORS)",
    ],
    [
      "IPv6",
      { "ratelimit-limit": "10", "docker-ratelimit-source": "2001:db8::1" },
      1,
      "pulls from 2001:db8::1 without a login are limited to 10; again in 1 s; log in (slipway login) or set a mirror (SLIPWAY_MIRRORS)",
    ],
    ["nothing is said", {}, undefined, "log in (slipway login) or set a mirror (SLIPWAY_MIRRORS)"],
    ["nonsense", { "ratelimit-limit": "lots", "docker-ratelimit-source": "" }, undefined, "log in (slipway login) or set a mirror (SLIPWAY_MIRRORS)"],
  ];
  for (const [name, headers, retryAfterMs, want] of table) test(name, () => assert.equal(rateLimitRemedy(headers, retryAfterMs), want));
});
