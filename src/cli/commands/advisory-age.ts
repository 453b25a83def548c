/** How old advisories are, in words. */
import type { AdvisoryStatus } from "../../engine/api.ts";

const daySeconds = 24 * 3600;
/** older ones get a warning: distributions publish every day */
export const oldDays = 7;

export function ageDays({ createdSeconds }: Pick<AdvisoryStatus, "createdSeconds">, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs / 1000 - createdSeconds) / daySeconds));
}

/** no feed is so quiet for so long */
const silentDays = 60;

/** What to say of sources whose records end long ago, however lately they were imported; "" where there is none. */
export function silentSources({ sources }: Pick<AdvisoryStatus, "sources">, nowMs: number): string {
  const silent = sources
    .map(({ name, newest }) => ({ name, days: newest === undefined ? 0 : Math.floor((nowMs - Date.parse(newest)) / (daySeconds * 1000)) }))
    .filter(({ days }) => days > silentDays)
    .toSorted((a, b) => b.days - a.days);
  const [first] = silent;
  if (first === undefined) return "";
  if (silent.length === 1) return `the newest record of ${first.name} is ${first.days} days old`;
  return `the newest records of ${silent.length} sources are over ${silentDays} days old, that of ${first.name} ${first.days} (slipway db status)`;
}

export function formatAge(status: Pick<AdvisoryStatus, "createdSeconds">, nowMs: number): string {
  const days = ageDays(status, nowMs);
  return days === 0 ? "today" : days === 1 ? "yesterday" : `${days} days ago`;
}
