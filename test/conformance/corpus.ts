/** Where the cases and what Docker made of them lie. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { parseCases, type ConformanceCase } from "./case-file.ts";
import { readApplication } from "./applications.ts";
import type { Outcome } from "./outcome.ts";

const here = import.meta.dirname;

export function caseFiles(): readonly string[] {
  return readdirSync(path.join(here, "cases"))
    .filter((name) => name.endsWith(".case"))
    .toSorted();
}

export function readCases(file: string): readonly ConformanceCase[] {
  return readCaseFile(path.join(here, "cases", file));
}

/** With the folders that cases name read into their contexts. */
export function readCaseFile(file: string): readonly ConformanceCase[] {
  return parseCases(readFileSync(file, "utf8"), path.basename(file)).map((one) => {
    if (one.folder === undefined) return one;
    const given = new Set(one.context.map(({ path: name }) => name));
    return { ...one, context: [...readApplication(one.folder).filter(({ path: name }) => !given.has(name)), ...one.context] };
  });
}

export function expectedPath(file: string): string {
  return path.join(here, "expected", file.replace(/\.case$/, ".json"));
}

/** Name → outcome; nothing when nothing was recorded yet. */
export function readExpected(file: string): Readonly<Record<string, Outcome>> {
  const recorded = expectedPath(file);
  return existsSync(recorded) ? (JSON.parse(readFileSync(recorded, "utf8")) as Readonly<Record<string, Outcome>>) : {};
}
