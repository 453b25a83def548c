/**
 * Findings that somebody has looked at: a line for each, `ID [PACKAGE] [until YYYY-MM-DD] # reason`. A line without a reason is refused, and
 * one whose day has passed holds no more.
 */
import { SlipwayError } from "../../base/errors.ts";
import type { Exposure } from "./exposure.ts";
import type { Finding } from "./finding.ts";

export interface IgnoreEntry {
  readonly line: number;
  readonly id: string;
  /** undefined: every package */
  readonly name: string | undefined;
  /** the last day on which it holds */
  readonly until: string | undefined;
  readonly reason: string;
}

const entry = /^(\S+)(?:\s+(?!until\s)(\S+))?(?:\s+until\s+(\d{4}-\d\d-\d\d))?\s*#\s*(\S.*)$/;

/** Fails with INVALID_DOCUMENT (invalid_argument) that names the line. */
export function parseIgnoreFile(text: string, fileName: string): readonly IgnoreEntry[] {
  return text.split(/\r?\n/).flatMap((row, at) => {
    const plain = row.trim();
    if (plain === "" || plain.startsWith("#")) return [];
    const [, id, name, until, reason] = entry.exec(plain) ?? [];
    const isDay = until === undefined || new Date(`${until}T00:00:00Z`).toJSON()?.startsWith(until) === true;
    if (id === undefined || reason === undefined || !isDay) {
      const want = "want ID [PACKAGE] [until YYYY-MM-DD] # reason";
      throw new SlipwayError("invalid_argument", "INVALID_DOCUMENT", `${fileName}:${at + 1}: ${want}`, { fileName, line: at + 1 });
    }
    return [{ line: at + 1, id, name, until, reason }];
  });
}

/** `today` as YYYY-MM-DD. */
export function isExpired({ until }: IgnoreEntry, today: string): boolean {
  return until !== undefined && until < today;
}

/** Of secrets and set-up: the rule, and perhaps where. */
export function isAboutExposure({ id, name }: IgnoreEntry, { rule, where }: Exposure): boolean {
  return id === rule && (name === undefined || name === where);
}

export function isAbout({ id, name }: IgnoreEntry, finding: Finding): boolean {
  if (finding.id !== id && !finding.aliases.includes(id)) return false;
  return name === undefined || finding.name === name || finding.packages.some((one) => one.name === name);
}
