/** `timeadd` and `formatdate`, as HCL's standard library has them: times are RFC 3339 texts that keep their zone. */
import { parseGoDuration } from "../units.ts";

interface Moment {
  /** of the clock in its zone, as if that were UTC */
  readonly local: Date;
  readonly offsetMinutes: number;
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function parseMoment(text: string): Moment {
  const [, day = "", time = "", zone = "Z"] = rfc3339.exec(text) ?? [];
  const local = new Date(`${day}T${time}Z`);
  if (day === "" || Number.isNaN(local.getTime())) throw new TypeError(`not a valid RFC3339 timestamp: ${JSON.stringify(text)}`);
  const [hours = 0, minutes = 0] = zone === "Z" ? [] : zone.slice(1).split(":").map(Number);
  return { local, offsetMinutes: (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) };
}

function zoneText({ offsetMinutes }: Moment, separator: string): string {
  const total = Math.abs(offsetMinutes);
  return `${offsetMinutes < 0 ? "-" : "+"}${two(Math.floor(total / 60))}${separator}${two(total % 60)}`;
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}

export function timeAdd(time: string, duration: string): string {
  const moment = parseMoment(time);
  const local = new Date(moment.local.getTime() + Math.floor(parseGoDuration(duration) / 1000) * 1000);
  return `${local.toISOString().slice(0, 19)}${moment.offsetMinutes === 0 ? "Z" : zoneText(moment, ":")}`;
}

const monthNames = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"] as const;
const dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

const verbs: Readonly<Record<string, (moment: Moment) => string>> = {
  M: ({ local }) => String(local.getUTCMonth() + 1),
  MM: ({ local }) => two(local.getUTCMonth() + 1),
  MMM: ({ local }) => (monthNames[local.getUTCMonth()] ?? "").slice(0, 3),
  MMMM: ({ local }) => monthNames[local.getUTCMonth()] ?? "",
  D: ({ local }) => String(local.getUTCDate()),
  DD: ({ local }) => two(local.getUTCDate()),
  EEE: ({ local }) => (dayNames[local.getUTCDay()] ?? "").slice(0, 3),
  EEEE: ({ local }) => dayNames[local.getUTCDay()] ?? "",
  YY: ({ local }) => two(local.getUTCFullYear() % 100),
  YYYY: ({ local }) => String(local.getUTCFullYear()).padStart(4, "0"),
  h: ({ local }) => String(local.getUTCHours()),
  hh: ({ local }) => two(local.getUTCHours()),
  H: ({ local }) => String(local.getUTCHours() % 12 || 12),
  HH: ({ local }) => two(local.getUTCHours() % 12 || 12),
  AA: ({ local }) => (local.getUTCHours() < 12 ? "AM" : "PM"),
  aa: ({ local }) => (local.getUTCHours() < 12 ? "am" : "pm"),
  m: ({ local }) => String(local.getUTCMinutes()),
  mm: ({ local }) => two(local.getUTCMinutes()),
  s: ({ local }) => String(local.getUTCSeconds()),
  ss: ({ local }) => two(local.getUTCSeconds()),
  Z: (moment) => (moment.offsetMinutes === 0 ? "Z" : zoneText(moment, ":")),
  ZZZ: (moment) => (moment.offsetMinutes === 0 ? "UTC" : zoneText(moment, "")),
  ZZZZ: (moment) => zoneText(moment, ""),
  ZZZZZ: (moment) => zoneText(moment, ":"),
};

/** Runs of one letter are verbs, what stands in apostrophes is itself, and so is what is no letter. */
export function formatDate(format: string, time: string): string {
  const moment = parseMoment(time);
  return format.replace(/'((?:[^']|'')*)'|'|([A-Za-z])\2*/g, (word, quoted: string | undefined, letter: string | undefined) => {
    if (quoted !== undefined) return quoted.replaceAll("''", "'");
    if (letter === undefined) throw new TypeError("unterminated literal '");
    const verb = verbs[word];
    if (verb === undefined) throw new TypeError(`invalid date format verb ${JSON.stringify(word)}`);
    return verb(moment);
  });
}
