/** `--filter` values that several commands share: labels, points in time, yes or no. Failures are in Docker's words. */
import { SlipwayError } from "../base/errors.ts";
import { parseDuration } from "../dockerfile/duration.ts";
import type { Filters } from "./api.ts";

/** Fails with INVALID_FILTER for a key that the command does not know. */
export function checkFilterKeys(filters: Filters, known: readonly string[]): void {
  for (const key of Object.keys(filters)) if (!known.includes(key)) throw invalidFilter(key);
}

/** `what` is the key, or `key=[value]`. */
export function invalidFilter(what: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_FILTER", `invalid filter '${what}'`, { filter: what });
}

/** undefined when the filter was not given; of several values all have to agree. */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters[key] ?? [];
  if (values.length === 0) return undefined;
  const isTrue = values.every((value) => value === "true" || value === "1");
  const isFalse = values.every((value) => value === "false" || value === "0");
  if (!isTrue && !isFalse) throw invalidFilter(`${key}=[${values.join(" ")}]`);
  return isTrue;
}

/** Every `label` (`key` or `key=value`) is there, and not every `label!`. */
export function labelsMatch(filters: Filters, labels: Readonly<Record<string, string>>): boolean {
  const has = (wanted: string): boolean => {
    const equals = wanted.indexOf("=");
    const key = equals < 0 ? wanted : wanted.slice(0, equals);
    return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === wanted.slice(equals + 1));
  };
  const unwanted = filters["label!"] ?? [];
  return (filters["label"] ?? []).every(has) && !(unwanted.length > 0 && unwanted.every(has));
}

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
const timePattern = /^\d{4}-\d{2}-\d{2}T\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(?:Z|[+-]\d{2}:\d{2})?$/;

/**
 * `10m`, `1h30m` (that long before `nowMs`), `1700000000.5` (seconds), `2024-01-31`, `2024-01-31T10:00:00` (local time) and with
 * a zone, as milliseconds since the epoch. Fails with INVALID_FILTER.
 */
export function parseTimeFilter(text: string, nowMs: number): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (dayPattern.test(text)) return valid(text, Date.parse(`${text}T00:00:00`));
  if (timePattern.test(text)) return valid(text, Date.parse(withMinutes(text)));
  try {
    return nowMs - parseDuration(text) / 1e6;
  } catch {
    throw badTime(text);
  }
}

/** Date.parse wants minutes. */
function withMinutes(text: string): string {
  return text.replace(/^(\d{4}-\d{2}-\d{2}T\d{2})(?=Z|[+-]|$)/, "$1:00");
}

function valid(text: string, ms: number): number {
  if (Number.isNaN(ms)) throw badTime(text);
  return ms;
}

function badTime(text: string): SlipwayError {
  return new SlipwayError("invalid_argument", "INVALID_FILTER", `failed to parse value as time or duration: ${JSON.stringify(text)}`, { got: text });
}

/** The one `until` value as milliseconds. Fails with INVALID_FILTER. */
export function untilFilter(filters: Filters, nowMs: number): number | undefined {
  const [first, ...others] = filters["until"] ?? [];
  if (others.length > 0) throw new SlipwayError("invalid_argument", "INVALID_FILTER", "more than one until filter specified");
  return first === undefined ? undefined : parseTimeFilter(first, nowMs);
}
