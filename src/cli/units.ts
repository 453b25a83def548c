/**
 * Sizes, durations and times in the words that Docker prints and reads: decimal units on output (`7.8MB`), binary units
 * on input (`64m` is 64 MiB), "About a minute ago", Go's durations, and the time stamps of `--since` and `until=`.
 */
import { SlipwayError } from "../base/errors.ts";

const decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"] as const;

function scaled(size: number): { value: number; unit: number } {
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < decimalUnits.length - 1) {
    value /= 1000;
    unit++;
  }
  return { value, unit };
}

/** `digits` significant digits: 4 in `system df`, 3 in `images`, `ps` and `history`. */
export function formatSize(sizeBytes: number, digits = 4): string {
  const { value, unit } = scaled(sizeBytes);
  return `${Number(value.toPrecision(digits))}${decimalUnits[unit]}`;
}

/** Multiples of 1024, as `info` shows memory: "23.54GiB". */
export function formatBinarySize(sizeBytes: number): string {
  let size = sizeBytes;
  let unit = 0;
  for (; size >= 1024 && unit < 5; unit++) size /= 1024;
  return `${Number(size.toPrecision(4))}${["B", "KiB", "MiB", "GiB", "TiB", "PiB"][unit]}`;
}

/** Two decimals, as build progress counts: `217B`, `1.99MB`. */
export function formatProgressBytes(sizeBytes: number): string {
  const { value, unit } = scaled(sizeBytes);
  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(2)}${decimalUnits[unit]}`;
}

/** "Less than a second", "About a minute", "3 hours", "2 weeks": whole units, rounded down but for hours. */
export function formatHumanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(ms / 3_600_000 + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 14) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 60) return `${Math.trunc(hours / 168)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 720)} months`;
  return `${Math.trunc(ms / 3_600_000 / 24 / 365)} years`;
}

export function formatAgo(thenMs: number, nowMs: number): string {
  return `${formatHumanDuration(nowMs - thenMs)} ago`;
}

/** How Go prints a time that came over BuildKit's wire: in UTC, wherever the machine stands, `2026-11-27 18:35:49.84 +0000 UTC`. */
export function formatGoUtc(ms: number): string {
  return `${new Date(ms)
    .toISOString()
    .replace("T", " ")
    .replace(/\.?0*Z$/, "")} +0000 UTC`;
}

/** `2026-11-23T09:41:51Z`, local zone: how `history` writes times. */
export function formatRfc3339(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString().slice(0, 19);
  if (offset === 0) return `${local}Z`;
  const pad = (n: number): string => String(n).padStart(2, "0");
  return `${local}${offset < 0 ? "-" : "+"}${pad(Math.trunc(Math.abs(offset) / 60))}:${pad(Math.abs(offset) % 60)}`;
}

function invalid(message: string): SlipwayError {
  return new SlipwayError("invalid_argument", "USAGE", message);
}

const sizePattern = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i;

/** `64m`, `1.5GiB`, `2048`: binary units whatever the spelling, as Docker reads sizes of memory. Fails with USAGE. */
export function parseByteSize(text: string): number {
  const match = sizePattern.exec(text);
  if (match === null) throw invalid(`invalid size: '${text}'`);
  const power = match[2] === undefined ? 0 : "kmgtp".indexOf(match[2].toLowerCase()) + 1;
  return Math.trunc(Number(match[1]) * 1024 ** power);
}

const durationUnits: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** Go's durations, `1h30m`, `1.5s`, `0`, in milliseconds. Fails with USAGE in Go's words. */
export function parseGoDuration(text: string): number {
  if (/^[+-]?0$/.test(text)) return 0;
  const match = /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|ms|s|m|h))+)$/.exec(text);
  if (match === null) {
    const unitless = /^[+-]?[\d.]*\d[\d.]*$/.test(text);
    throw invalid(unitless ? `time: missing unit in duration ${JSON.stringify(text)}` : `time: invalid duration ${JSON.stringify(text)}`);
  }
  let total = 0;
  for (const [, number, unit] of match[2]!.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g)) total += Number(number) * durationUnits[unit!]!;
  return match[1] === "-" ? -total : total;
}

/**
 * The moment that `--since`, `--until` and `until=` name, in milliseconds since the epoch: a duration back from now,
 * Unix seconds, or a date with as many parts as one likes to give. Fails with USAGE.
 */
export function parseTimestamp(text: string, nowMs: number): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?)?)?(Z|[+-]\d{2}:\d{2})?$/.exec(text);
  if (date !== null) {
    const [, day, clock = "00", zone = ""] = date;
    const full = [...clock.split(":"), "00", "00"].slice(0, 3).join(":");
    const ms = Date.parse(`${day}T${full}${zone}`);
    if (Number.isNaN(ms)) throw invalid(`parsing time ${JSON.stringify(text)}: no such date`);
    return ms;
  }
  try {
    return nowMs - parseGoDuration(text);
  } catch {
    throw invalid(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  }
}
