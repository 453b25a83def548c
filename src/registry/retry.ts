/** When to try again, as pure arithmetic, and the wait itself. */
import { setTimeout as wait } from "node:timers/promises";
import { abortError } from "./network-error.ts";

export interface Retry {
  /** how often something is tried altogether */
  readonly maxAttempts: number;
  /** the wait after the first failure; it doubles with each further one */
  readonly baseMs: number;
  readonly maxMs: number;
  /** a registry that asks for a longer wait than this is not waited for */
  readonly maxRetryAfterMs: number;
}

export const defaultRetry: Retry = { maxAttempts: 4, baseMs: 250, maxMs: 10_000, maxRetryAfterMs: 60_000 };

/**
 * Milliseconds until the next try after `failures` failed ones, or undefined when it is not worth it. `random` in
 * [0, 1) spreads clients over the upper half of the wait; a registry's own Retry-After is the least that is waited.
 */
export function nextDelay(failures: number, retry: Retry, random: number, retryAfterMs = 0): number | undefined {
  if (failures >= retry.maxAttempts || retryAfterMs > retry.maxRetryAfterMs) return undefined;
  const backoff = Math.min(retry.maxMs, retry.baseMs * 2 ** (failures - 1)) * (0.5 + random / 2);
  return Math.max(backoff, retryAfterMs);
}

/** Milliseconds that a Retry-After header asks for (seconds or a date), or undefined. @see RFC 9110, 10.2.3 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** Fails as abortError says, as soon as the signal aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) throw abortError(signal);
  await wait(ms, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    throw signal === undefined ? error : abortError(signal);
  });
}
