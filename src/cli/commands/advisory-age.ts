/** How old advisories are, in words. */
import type { AdvisoryStatus } from "../../engine/api.ts";
import { advisoryAges, oldestImport, quietDays } from "../../engine/advisories/age.ts";

const dayMs = 86_400_000;
/** older ones get a warning: distributions publish every day */
const oldDays = 7;

/** What to say of advisories of these ecosystems that were imported long ago; "" where they were not. */
export function oldAdvisories(status: AdvisoryStatus, ecosystems: readonly string[], nowMs: number): string {
  const oldest = oldestImport(advisoryAges(status, ecosystems, nowMs));
  const days = Math.floor(oldest?.importedDays ?? 0);
  return days > oldDays ? `the advisories of ${oldest?.ecosystem ?? ""} are ${days} days old` : "";
}

/** What to say of sources whose records end long ago, however lately they were imported; "" where there is none. */
export function silentSources({ sources }: Pick<AdvisoryStatus, "sources">, ecosystems: readonly string[], nowMs: number): string {
  const silent = sources
    .filter((source) => source.ecosystems.some((one) => ecosystems.includes(one)))
    .map(({ name, newest }) => ({ name, days: newest === undefined ? 0 : Math.floor((nowMs - Date.parse(newest)) / dayMs) }))
    .filter(({ days }) => days > quietDays)
    .toSorted((a, b) => b.days - a.days);
  const [first] = silent;
  if (first === undefined) return "";
  if (silent.length === 1) return `the newest record of ${first.name} is ${first.days} days old`;
  return `the newest records of ${silent.length} sources are over ${quietDays} days old, that of ${first.name} ${first.days} (slipway db status)`;
}

export function formatAge(seconds: number, nowMs: number): string {
  const days = Math.max(0, Math.floor((nowMs - seconds * 1000) / dayMs));
  return days === 0 ? "today" : days === 1 ? "yesterday" : `${days} days ago`;
}

/** Of what the image was compared with, the part that was imported first. */
export function comparedAge(status: AdvisoryStatus, ecosystems: readonly string[], nowMs: number): string {
  const oldest = oldestImport(advisoryAges(status, ecosystems, nowMs));
  return formatAge(oldest === undefined ? status.createdSeconds : (nowMs - oldest.importedDays * dayMs) / 1000, nowMs);
}
