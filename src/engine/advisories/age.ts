/** How old what is known of vulnerabilities is: since it was imported, and since its records end. Pure. */
import type { AdvisoryStatus } from "../advisory-api.ts";

const dayMs = 86_400_000;

/** no feed has nothing to say for so long */
export const quietDays = 30;

/** The list of what is exploited, among the names of ecosystems. */
export const exploitedList = "what is exploited";

export interface AdvisoryAge {
  /** or exploitedList */
  readonly ecosystem: string;
  readonly importedDays: number;
  /** undefined where neither days nor names of records tell it; never less than importedDays */
  readonly records: { readonly days: number; /** "debian.json: newest record of 2026-01-02" */ readonly text: string } | undefined;
}

type Source = AdvisoryStatus["sources"][number];

/** Of each ecosystem. Of several sources the latest counts, but for those that were added: one record more makes nothing young. */
export function advisoryAges({ sources, createdSeconds }: AdvisoryStatus, ecosystems: readonly string[], nowMs: number): readonly AdvisoryAge[] {
  return ecosystems.map((ecosystem) => {
    const all = sources.filter((source) => (ecosystem === exploitedList ? source.ecosystems.length === 0 : source.ecosystems.includes(ecosystem)));
    const whole = all.filter(({ isAdded }) => !isAdded);
    const own = whole.length > 0 ? whole : all;
    const importedSeconds = own.length === 0 ? createdSeconds : Math.max(...own.map((source) => source.importedSeconds ?? createdSeconds));
    const importedDays = daysSince(importedSeconds * 1000, nowMs);
    const ends = own.map(endOf);
    // of one that tells nothing, what it brought may be of the day of its import
    const [last] = ends.includes(undefined) ? [] : ends.flatMap((end) => end ?? []).toSorted((a, b) => b.ms - a.ms);
    return { ecosystem, importedDays, records: last === undefined ? undefined : { days: Math.max(importedDays, daysSince(last.ms, nowMs)), text: last.text } };
  });
}

/** The one that was imported first. */
export function oldestImport(ages: readonly AdvisoryAge[]): AdvisoryAge | undefined {
  return ages.toSorted((a, b) => b.importedDays - a.importedDays)[0];
}

function daysSince(ms: number, nowMs: number): number {
  return Math.max(0, (nowMs - ms) / dayMs);
}

function endOf({ name, newest, newestYear }: Source): { readonly ms: number; readonly text: string } | undefined {
  if (newest !== undefined) return { ms: Date.parse(newest), text: `${name}: newest record of ${newest}` };
  if (newestYear === undefined) return undefined;
  return { ms: Date.parse(`${newestYear}-12-31`), text: `${name}: newest name of ${newestYear}` };
}
