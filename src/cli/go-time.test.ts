import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { zoneName } from "./go-time.ts";

const winter = Date.UTC(2026, 0, 15) / 1000;
const summer = Date.UTC(2026, 6, 15) / 1000;
const farSummer = Date.UTC(2090, 6, 15) / 1000;
const cases: readonly { readonly zone: string; readonly seconds: number; readonly hours: number; readonly want: string | undefined }[] = [
  { zone: "America/New_York", seconds: winter, hours: -5, want: "EST" },
  { zone: "America/New_York", seconds: summer, hours: -4, want: "EDT" },
  { zone: ":Europe/Berlin", seconds: winter, hours: 1, want: "CET" },
  { zone: "Europe/Berlin", seconds: farSummer, hours: 2, want: "CEST" },
  { zone: "Europe/London", seconds: winter, hours: 0, want: "GMT" },
  { zone: "Asia/Kathmandu", seconds: winter, hours: 5.75, want: "+0545" },
  { zone: "Asia/Tokyo", seconds: summer, hours: 9, want: "JST" },
  { zone: "Europe/Berlin", seconds: Date.UTC(1945, 5, 15) / 1000, hours: 3, want: "CEMT" },
  { zone: "UTC", seconds: winter, hours: 0, want: "UTC" },
  { zone: "", seconds: winter, hours: 0, want: "UTC" },
  { zone: "Nowhere/Bogus", seconds: winter, hours: 0, want: undefined },
  { zone: "/etc/passwd", seconds: winter, hours: 0, want: undefined },
];
const skip = existsSync("/usr/share/zoneinfo/Europe/Berlin") ? false : "the machine has no descriptions of time zones";
for (const { zone, seconds, hours, want } of cases) {
  test(`the name of ${JSON.stringify(zone)} at ${seconds}`, { skip }, () => assert.equal(zoneName(seconds, hours * 3600, { TZ: zone }), want));
}
