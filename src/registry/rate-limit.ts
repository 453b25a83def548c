/** What a registry tells of its limits, in the headers that Docker Hub has. @see docker docs, "Pull usage and limits" */
import type { Headers } from "./transport.ts";

const units: readonly (readonly [one: string, several: string, seconds: number])[] = [
  ["day", "days", 86_400],
  ["hour", "hours", 3_600],
  ["min", "min", 60],
];

/** `6 hours`, `12 min`, `30 s`: in the largest unit that the duration has one of, rounded up. */
export function formatWait(seconds: number): string {
  const [one, several, length] = units.find(([, , unit]) => seconds >= unit) ?? ["s", "s", 1];
  const count = Math.ceil(seconds / length);
  return `${count} ${count === 1 ? one : several}`;
}

/**
 * What to do after a 429, and why: who is limited, to how much, until when, as far as the registry says.
 * @example rateLimitRemedy({ "ratelimit-limit": "100;w=21600", "docker-ratelimit-source": "192.0.2.1" }, 720_000)
 */
export function rateLimitRemedy(headers: Headers, retryAfterMs: number | undefined): string {
  const [, limit, windowS] = /^(\d{1,9})(?:;w=(\d{1,9}))?/.exec(headers["ratelimit-limit"] ?? "") ?? [];
  const source = headers["docker-ratelimit-source"] ?? "";
  const byAddress = /^[\d.]+$|^[\da-f:]*:[\da-f:]*$/i.test(source);
  const who = source === "" ? "pulls are" : byAddress ? `pulls from ${source} without a login are` : "this user's pulls are";
  const window = windowS === undefined ? "" : ` in ${formatWait(Number(windowS))}`;
  const rule = limit === undefined ? "" : `${who} limited to ${limit}${window}; `;
  const again = retryAfterMs === undefined ? "" : `again in ${formatWait(Math.max(1, Math.ceil(retryAfterMs / 1000)))}; `;
  const login = source === "" || byAddress ? "log in (slipway login) or " : "";
  return `${rule}${again}${login}set a mirror (SLIPWAY_MIRRORS)`;
}
