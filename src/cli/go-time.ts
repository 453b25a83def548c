/** Local times as Go prints them, with what the time zone is called then: from the system's own description of it. */
import { readFileSync } from "node:fs";

/** How Go prints a local time: `2026-11-23 09:41:51 +0000 UTC`. */
export function formatGoTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const pad = (n: number): string => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  const zone = `${offset < 0 ? "-" : "+"}${pad(Math.trunc(Math.abs(offset) / 60))}${pad(Math.abs(offset) % 60)}`;
  return `${day} ${clock} ${zone} ${zoneName(seconds, offset * 60) ?? (offset === 0 ? "UTC" : zone)}`;
}

const zones = "/usr/share/zoneinfo";

/** "CET", "EST", "+0545". `offsetSeconds`: east of Greenwich, at that moment. undefined: the zone is described nowhere. */
export function zoneName(seconds: number, offsetSeconds: number, env: Readonly<Record<string, string | undefined>> = process.env): string | undefined {
  try {
    return nameIn(readFileSync(fileOf(env["TZ"])), seconds, offsetSeconds);
  } catch {
    return undefined;
  }
}

function fileOf(variable: string | undefined): string {
  const zone = variable?.replace(/^:/, "");
  if (zone === undefined) return "/etc/localtime";
  return zone.startsWith("/") ? zone : `${zones}/${zone === "" ? "UTC" : zone}`;
}

const headerBytes = 44;

/** The second block, with times of 64 bits, and the rule behind it for all that comes later. @see RFC 8536, section 3 */
function nameIn(file: Buffer, seconds: number, offsetSeconds: number): string | undefined {
  if (file.toString("latin1", 0, 4) !== "TZif" || file[4] === 0) return undefined;
  const first = countsAt(file, 0);
  const at = headerBytes + first.times * 5 + first.types * 6 + first.letters + first.leaps * 8 + first.standard + first.local;
  const { times, types, letters, leaps, standard, local } = countsAt(file, at);
  const body = at + headerBytes;
  const kinds = body + times * 8;
  const names = kinds + times + types * 6;
  const rule = file.toString("latin1", names + letters + leaps * 12 + standard + local + 1).split("\n")[0] ?? "";
  let before = -1;
  for (let low = 0, high = times - 1; low <= high;) {
    const middle = (low + high) >> 1;
    if (Number(file.readBigInt64BE(body + middle * 8)) <= seconds) [before, low] = [middle, middle + 1];
    else high = middle - 1;
  }
  if (before === times - 1 && rule !== "") return nameByRule(rule, offsetSeconds);
  const kind = kinds + times + (before < 0 ? 0 : (file[kinds + before] ?? 0)) * 6;
  const start = names + (file[kind + 5] ?? 0);
  return file.toString("latin1", start, file.indexOf(0, start));
}

interface Counts {
  readonly local: number;
  readonly standard: number;
  readonly leaps: number;
  readonly times: number;
  readonly types: number;
  readonly letters: number;
}

function countsAt(file: Buffer, at: number): Counts {
  const count = (index: number): number => file.readUInt32BE(at + 20 + index * 4);
  return { local: count(0), standard: count(1), leaps: count(2), times: count(3), types: count(4), letters: count(5) };
}

/** "EST5EDT,M3.2.0,M11.1.0", "<+0545>-5:45": the offset tells which half of the year it is. */
function nameByRule(rule: string, offsetSeconds: number): string | undefined {
  const found = /^(<[^>]+>|[A-Za-z]+)([+-]?)(\d+)(?::(\d+))?(?::(\d+))?(<[^>]+>|[A-Za-z]+)?/.exec(rule);
  if (found === null) return undefined;
  const [, usual = "", sign, hours, minutes = "0", rest = "0", summer = usual] = found;
  const west = (Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)) * (sign === "-" ? -1 : 1);
  return (offsetSeconds === -west ? usual : summer).replace(/^<(.*)>$/, "$1");
}
