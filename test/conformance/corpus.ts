/** Where the cases and what Docker made of them lie. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseCases, type ConformanceCase } from "./case-file.ts";
import type { Outcome } from "./outcome.ts";

const here = import.meta.dirname;

export function caseFiles(): readonly string[] {
  return readdirSync(path.join(here, "cases"))
    .filter((name) => name.endsWith(".case"))
    .toSorted();
}

export function readCases(file: string): readonly ConformanceCase[] {
  return parseCases(readFileSync(path.join(here, "cases", file), "utf8"), file);
}

export function expectedPath(file: string): string {
  return path.join(here, "expected", file.replace(/\.case$/, ".json"));
}

/** Name → outcome; nothing when nothing was recorded yet. */
export function readExpected(file: string): Readonly<Record<string, Outcome>> {
  const recorded = expectedPath(file);
  return existsSync(recorded) ? (JSON.parse(readFileSync(recorded, "utf8")) as Readonly<Record<string, Outcome>>) : {};
}
